// SPDX-License-Identifier: Apache-2.0
//! 20,000 random and mutated checks: every backend gives the reference's verdicts with every instruction set, in any
//! order, in batches of any size, on one thread or several.

#include "tests/property/validation/random_signatures.hpp"
#include "tests/unit/plugins/validation/backend.hpp"

#include <synod/cpp/sha256.hpp>
#include <synod/extra/ed25519_rule.hpp>

#include <algorithm>
#include <numeric>
#include <random>

namespace {

using namespace synod::validation_test;
namespace rule = synod::ed25519;

constexpr std::size_t kSignatures = 4000;
constexpr std::size_t kDigests = 6000;
constexpr std::size_t kMerkles = 4000;
constexpr std::size_t kTargets = 6000;
//! Signatures that every forced instruction set repeats; hashes are what differs there.
constexpr std::size_t kSignaturesPerIsa = 200;

MerkleCheck merkle(Rng& rng) {
    MerkleCheck c;
    c.leaves.resize(rng() % 4 == 0 ? rng() % 200 : rng() % 12);
    for (Digest& leaf : c.leaves) {
        fill(rng, leaf.data(), leaf.size());
    }
    std::vector<Digest> level = c.leaves;
    while (level.size() > 1) {
        std::vector<Digest> above;
        for (std::size_t i = 0; i < level.size(); i += 2) {
            above.push_back(i + 1 < level.size() ? synod::sha256d({level[i].data(), 64}) : level[i]);
        }
        level = std::move(above);
    }
    if (!level.empty()) {
        c.root = level[0];
    }
    if (rng() % 3 == 0) {
        c.root[rng() % 32] ^= 1;
    }
    return c;
}

Checks random_checks(Rng& rng) {
    Checks checks;
    const std::vector<Signer> who = signers(rng, 7);
    for (std::size_t i = 0; i < kSignatures; ++i) {
        checks.signatures.push_back(signature(rng, who[rng() % who.size()]));
    }
    for (std::size_t i = 0; i < kDigests; ++i) {
        DigestCheck c{random_bytes(rng, rng() % 20 == 0 ? rng() % 3000 : rng() % 300), {}};
        c.digest = synod::sha256d(c.span);
        if (rng() % 3 == 0) {
            c.digest[rng() % 32] ^= 0x10;
        }
        checks.digests.push_back(std::move(c));
    }
    for (std::size_t i = 0; i < kMerkles; ++i) {
        checks.merkles.push_back(merkle(rng));
    }
    for (std::size_t i = 0; i < kTargets; ++i) {
        TargetCheck c{};
        fill(rng, c.header.data(), c.header.size());
        c.target = synod::sha256d(c.header);
        if (rng() % 4 != 0) {
            c.target[rng() % 32] ^= static_cast<std::uint8_t>(1u << (rng() % 8));
        }
        checks.targets.push_back(c);
    }
    return checks;
}

template <class T>
std::vector<T> part(const std::vector<T>& all, std::size_t first, std::size_t n) {
    first = std::min(first, all.size());
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(first);
    return {from, from + static_cast<std::ptrdiff_t>(std::min(n, all.size() - first))};
}

void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

std::size_t count(const Bytes& verdicts, std::uint8_t verdict) {
    return static_cast<std::size_t>(std::count(verdicts.begin(), verdicts.end(), verdict));
}

//! Everything that the tests below compare with, computed once.
struct World {
    Checks checks;
    Verdicts expected;
};

const World& world() {
    static const World made = [] {
        REQUIRE(sodium_init() >= 0);
        Rng rng(20260101);
        World w{random_checks(rng), {}};
        Backend reference("reference");
        w.expected = judge(reference, w.checks);
        return w;
    }();
    return made;
}

}  // namespace

TEST_CASE("the reference follows the bare equation, and both verdicts are common") {
    const World& w = world();
    std::size_t same = 0;
    for (std::size_t i = 0; i < kSignatures; ++i) {
        const SignatureCheck& c = w.checks.signatures[i];
        std::uint8_t h[32];
        rule::challenge(c.key.data(), c.signature.data(), {c.message.data(), c.message.size()}, h);
        const bool holds =
            rule::key_is_valid(c.key.data()) && rule::equation_holds(c.key.data(), c.signature.data(), h);
        same += w.expected.signatures[i] == (holds ? SYNOD_VERDICT_HOLDS : SYNOD_VERDICT_FAILS) ? 1 : 0;
    }
    CHECK(same == kSignatures);
    for (const Bytes* v : {&w.expected.signatures, &w.expected.digests, &w.expected.merkles, &w.expected.targets}) {
        CHECK(count(*v, SYNOD_VERDICT_HOLDS) > v->size() / 5);
        CHECK(count(*v, SYNOD_VERDICT_FAILS) > v->size() / 5);
    }
}

TEST_CASE("every instruction set gives the reference's verdicts") {
    const World& w = world();
    Backend automatic("simd");
    CHECK(judge(automatic, w.checks) == w.expected);
    Checks fewer = w.checks;
    fewer.signatures.resize(kSignaturesPerIsa);
    Verdicts expected = w.expected;
    expected.signatures.resize(kSignaturesPerIsa);
    for (const std::string& config : simd_configs()) {
        CAPTURE(config);
        Backend backend("simd", config);
        CHECK(judge(backend, fewer) == expected);
    }
    for (const std::string& config : batch_configs()) {
        CAPTURE(config);
        Backend backend("batch", config);
        CHECK(judge(backend, w.checks) == w.expected);
    }
}

TEST_CASE("threads, order and the cut into batches change nothing") {
    const World& w = world();
    for (const char* name : {"simd", "batch"}) {
        CAPTURE(name);
        Backend threads(name, "{}", synod::testing::Parallel::Threads);
        CHECK(judge(threads, w.checks) == w.expected);

        Rng rng(5);
        Verdicts pieces;
        for (std::size_t at = 0; at < kDigests;) {
            const std::size_t n = 1 + rng() % 700;
            const Verdicts v = judge(threads, {part(w.checks.signatures, at, n), part(w.checks.digests, at, n),
                                               part(w.checks.merkles, at, n), part(w.checks.targets, at, n)});
            append(pieces.signatures, v.signatures);
            append(pieces.digests, v.digests);
            append(pieces.merkles, v.merkles);
            append(pieces.targets, v.targets);
            at += n;
        }
        CHECK(pieces == w.expected);

        Checks shuffled;
        Verdicts expected;
        std::vector<std::size_t> order(kMerkles);
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::shuffle(order.begin(), order.end(), rng);
        for (const std::size_t i : order) {
            shuffled.signatures.push_back(w.checks.signatures[i]);
            shuffled.digests.push_back(w.checks.digests[i]);
            shuffled.merkles.push_back(w.checks.merkles[i]);
            shuffled.targets.push_back(w.checks.targets[i]);
            expected.signatures.push_back(w.expected.signatures[i]);
            expected.digests.push_back(w.expected.digests[i]);
            expected.merkles.push_back(w.expected.merkles[i]);
            expected.targets.push_back(w.expected.targets[i]);
        }
        CHECK(judge(threads, shuffled) == expected);
    }
}

TEST_CASE("more keys than the cache holds change nothing") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(6);
    Checks checks;
    const std::vector<Signer> many = signers(rng, 1100);
    for (std::size_t i = 0; i < many.size() + 50; ++i) {
        checks.signatures.push_back(signature(rng, many[i % many.size()]));
    }
    Backend reference("reference");
    const Verdicts expected = judge(reference, checks);
    for (const char* name : {"simd", "batch"}) {
        CAPTURE(name);
        Backend backend(name, "{}", synod::testing::Parallel::Threads);
        CHECK(judge(backend, checks) == expected);
    }
}
