// SPDX-License-Identifier: Apache-2.0
//! All backends as the node loads them: Merkle trees, targets, digests, and what they answer to broken calls.

#include "tests/unit/plugins/validation/backend.hpp"

#include <synod/cpp/sha256.hpp>

#include <cstring>

namespace {

using namespace synod::validation_test;

Digest leaf(std::uint8_t i) {
    Digest out;
    out.fill(i);
    return out;
}

Digest parent(const Digest& left, const Digest& right) {
    Bytes both(left.begin(), left.end());
    both.insert(both.end(), right.begin(), right.end());
    return synod::sha256d(both);
}

std::vector<std::pair<std::string, std::string>> backends() {
    std::vector<std::pair<std::string, std::string>> out{{"reference", "{}"}};
    for (const std::string& config : simd_configs()) {
        out.emplace_back("simd", config);
    }
    for (const std::string& config : batch_configs()) {
        out.emplace_back("batch", config);
    }
    return out;
}

}  // namespace

TEST_CASE("Merkle roots: odd nodes move up, nothing is duplicated, no leaves never hold") {
    const Digest a = leaf(1);
    const Digest b = leaf(2);
    const Digest c = leaf(3);
    const Digest d = leaf(4);
    const Digest e = leaf(5);
    const Digest ab = parent(a, b);
    const Digest cd = parent(c, d);
    Checks checks;
    checks.merkles = {{{a}, a},
                      {{a, b}, ab},
                      {{a, b, c}, parent(ab, c)},
                      {{a, b, c, d}, parent(ab, cd)},
                      {{a, b, c, d, e}, parent(parent(ab, cd), e)},
                      {{}, Digest{}},
                      {{a}, b},
                      {{a, b, c}, parent(ab, parent(c, c))},
                      {{a, b, c, c}, parent(ab, c)},
                      {{b, a}, ab}};
    const Bytes expected = {1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
    for (const auto& [name, config] : backends()) {
        CAPTURE(config);
        Backend backend(name, config);
        CHECK(judge(backend, checks).merkles == expected);
    }
}

TEST_CASE("a target is met at equality, and compared as a little-endian number") {
    TargetCheck check{};
    check.header[0] = 9;
    const Digest hash = synod::sha256d(check.header);
    Checks checks;
    const auto with = [&](int byte, int delta) {
        TargetCheck t{check.header, hash};
        t.target[static_cast<std::size_t>(byte)] =
            static_cast<std::uint8_t>(t.target[static_cast<std::size_t>(byte)] + delta);
        checks.targets.push_back(t);
    };
    with(0, 0);
    // The lowest and the highest byte, one up or down, without wrapping.
    REQUIRE(hash[0] > 0);
    REQUIRE(hash[0] < 255);
    REQUIRE(hash[31] > 0);
    REQUIRE(hash[31] < 255);
    with(0, 1);
    with(0, -1);
    with(31, 1);
    with(31, -1);
    const Bytes expected = {1, 1, 2, 1, 2};
    for (const auto& [name, config] : backends()) {
        CAPTURE(config);
        Backend backend(name, config);
        CHECK(judge(backend, checks).targets == expected);
    }
}

TEST_CASE("digests of any length, right and wrong by one bit") {
    Checks checks;
    Bytes expected;
    for (std::size_t n = 0; n < 700; ++n) {
        DigestCheck check{Bytes(n % 311, static_cast<std::uint8_t>(n)), {}};
        check.span.reserve(1);
        check.digest = synod::sha256d(check.span);
        if (n % 3 == 0) {
            check.digest[n % 32] ^= static_cast<std::uint8_t>(1u << (n % 8));
        }
        expected.push_back(n % 3 == 0 ? SYNOD_VERDICT_FAILS : SYNOD_VERDICT_HOLDS);
        checks.digests.push_back(std::move(check));
    }
    for (const auto& [name, config] : backends()) {
        CAPTURE(config);
        Backend backend(name, config);
        CHECK(judge(backend, checks).digests == expected);
    }
}

TEST_CASE("an empty batch is done, a missing column and a short batch are refused") {
    for (const auto& [name, config] : backends()) {
        CAPTURE(config);
        Backend backend(name, config);
        CHECK(judge(backend, {}) == Verdicts{});
        synod_check_batch batch{};
        batch.size = sizeof batch;
        CHECK(backend.validate(batch) == SYNOD_OK);
        batch.signatures.n = 1;
        CHECK(backend.validate(batch) == SYNOD_E_INVALID);
        CHECK(std::string(backend.driver().error().where) == "signatures");
        batch.signatures.n = 0;
        batch.targets.n = 1;
        CHECK(backend.validate(batch) == SYNOD_E_INVALID);
        batch.targets.n = 0;
        batch.size = 24;
        CHECK(backend.validate(batch) == SYNOD_E_INVALID);
    }
}

TEST_CASE("the instruction set is configured, named, and refused when it isn't there") {
    CHECK(Backend("simd", R"({"isa":"portable"})").isa() == "portable");
    CHECK(Backend("simd", R"({"simd":false})").isa() == "portable");
    CHECK(Backend("simd", R"({"simd":false,"isa":"avx2"})").isa() == "portable");
    CHECK_FALSE(Backend("simd").isa().empty());
    CHECK(Backend("reference").isa() == "libsodium");
    Backend wrong("simd", R"({"isa":"abacus"})");
    CHECK_FALSE(wrong.created());
    CHECK(wrong.driver().status() == SYNOD_E_CONFIG);
    CHECK(std::string(wrong.driver().error().where) == "isa");
    CHECK(Backend("batch", R"({"isa":"portable"})").isa() == "portable");
    CHECK_FALSE(Backend("batch").isa().empty());
    Backend wrong_too("batch", R"({"isa":"sse2"})");
    CHECK_FALSE(wrong_too.created());
    CHECK(std::string(wrong_too.driver().error().where) == "isa");
}

TEST_CASE("the hash service of all backends agrees") {
    std::vector<Bytes> messages;
    std::vector<synod_bytes> spans;
    for (std::size_t n = 0; n < 600; ++n) {
        messages.emplace_back(n % 2 == 0 ? 119 : n, static_cast<std::uint8_t>(n));
    }
    for (const Bytes& m : messages) {
        spans.push_back({m.data(), m.size()});
    }
    for (const auto& [name, config] : backends()) {
        CAPTURE(config);
        Backend backend(name, config);
        std::vector<Digest> got(spans.size());
        backend.api().sha256d(backend.driver().instance(), spans.data(), spans.size(), got.data()->data());
        std::size_t right = 0;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            right += got[i] == synod::sha256d(messages[i]) ? 1 : 0;
        }
        CHECK(right == messages.size());
    }
}
