// SPDX-License-Identifier: Apache-2.0
//! Every hash kernel that this processor can run, against FIPS 180-4's published digests and libsodium.

#include "plugins/validation/common/isa.hpp"
#include "plugins/validation/common/sha256d.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace synod::simd;
using Digest = std::array<std::uint8_t, 32>;
using Bytes = std::vector<std::uint8_t>;

constexpr const char* kIsas[] = {"portable", "sse2", "avx2", "avx512", "sha-ni"};

//! The forced instruction sets that run here, and the automatic choice.
std::vector<std::string> usable() {
    std::vector<std::string> out{"auto"};
    for (const char* isa : kIsas) {
        if (isa_usable(isa)) {
            out.emplace_back(isa);
        } else {
            MESSAGE("skipped: this processor has no ", std::string(isa));
        }
    }
    return out;
}

Digest expected(const Bytes& message) {
    Digest once;
    Digest twice;
    crypto_hash_sha256(once.data(), message.data(), message.size());
    crypto_hash_sha256(twice.data(), once.data(), once.size());
    return twice;
}

Bytes random_bytes(std::mt19937_64& rng, std::size_t n) {
    Bytes out(n);
    std::generate(out.begin(), out.end(), [&] { return static_cast<std::uint8_t>(rng()); });
    out.reserve(n + 1);  // an empty message still has an address
    return out;
}

//! How many of the digests of `messages` are right.
std::size_t right(const Hasher& hasher, const std::vector<Bytes>& messages) {
    std::vector<synod_bytes> spans;
    for (const Bytes& m : messages) {
        spans.push_back({m.data(), m.size()});
    }
    std::vector<Digest> got(messages.size() + 1);
    got.back().fill(0xa5);
    sha256d(hasher, spans.data(), spans.size(), got.data()->data());
    std::size_t n = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        n += got[i] == expected(messages[i]) ? 1 : 0;
    }
    const bool untouched = std::all_of(got.back().begin(), got.back().end(),
                                       [](std::uint8_t b) { return b == 0xa5; });
    return untouched ? n : 0;
}

std::string hex(const Digest& digest) {
    char text[65];
    sodium_bin2hex(text, sizeof text, digest.data(), digest.size());
    return text;
}

}  // namespace

TEST_CASE("the second hash of FIPS 180-4's example messages is right in every kernel") {
    // SHA-256 of SHA-256, for the messages of FIPS 180-4's examples: "", "abc" and 448 bits.
    const std::pair<std::string, std::string> known[] = {
        {"", "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"},
        {"abc", "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "0cffe17f68954dac3a84fb1458bd5ec99209449749b2b308b7cb55812f9563af"}};
    for (const std::string& isa : usable()) {
        CAPTURE(isa);
        const Hasher hasher = choose_hasher(isa);
        for (const auto& [text, digest] : known) {
            Digest got{};
            const synod_bytes span = {reinterpret_cast<const std::uint8_t*>(text.data()),
                                      text.size()};
            sha256d(hasher, &span, 1, got.data());
            CHECK(hex(got) == digest);
        }
    }
}

TEST_CASE("every length from 0 to 300 and every count from 1 to 40 agrees with libsodium") {
    std::mt19937_64 rng(1);
    for (const std::string& isa : usable()) {
        CAPTURE(isa);
        const Hasher hasher = choose_hasher(isa);
        for (std::size_t length = 0; length <= 300; ++length) {
            std::vector<Bytes> messages;
            for (std::size_t i = 0; i < 1 + length % 40; ++i) {
                messages.push_back(random_bytes(rng, length));
            }
            if (right(hasher, messages) != messages.size()) {
                FAIL_CHECK("length " << length);
            }
        }
        for (std::size_t count = 1; count <= 40; ++count) {
            for (const std::size_t length : {std::size_t{64}, std::size_t{80}, std::size_t{119}}) {
                std::vector<Bytes> messages;
                for (std::size_t i = 0; i < count; ++i) {
                    messages.push_back(random_bytes(rng, length));
                }
                CHECK(right(hasher, messages) == count);
            }
        }
    }
}

TEST_CASE("mixtures of lengths, also larger than a window, keep their order") {
    std::mt19937_64 rng(2);
    for (const std::string& isa : usable()) {
        CAPTURE(isa);
        const Hasher hasher = choose_hasher(isa);
        for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{300}, std::size_t{1100}}) {
            std::vector<Bytes> messages;
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t shape = rng() % 8;
                const std::size_t length = shape == 0 ? rng() % 5000 : shape < 4 ? 64 : rng() % 600;
                messages.push_back(random_bytes(rng, length));
            }
            CHECK(right(hasher, messages) == count);
        }
    }
}

TEST_CASE("no spans write nothing") {
    for (const std::string& isa : usable()) {
        CHECK(right(choose_hasher(isa), {}) == 0);
        std::uint8_t out = 7;
        sha256d(choose_hasher(isa), nullptr, 0, &out);
        CHECK(out == 7);
    }
}

TEST_CASE("nodes may be hashed in place from the front") {
    std::mt19937_64 rng(3);
    for (const std::string& isa : usable()) {
        CAPTURE(isa);
        for (std::size_t n = 1; n <= 40; ++n) {
            Bytes level = random_bytes(rng, 64 * n);
            std::vector<Digest> want;
            std::vector<const std::uint8_t*> in;
            std::vector<std::uint8_t*> out;
            for (std::size_t i = 0; i < n; ++i) {
                want.push_back(expected(Bytes(level.begin() + 64 * i, level.begin() + 64 * (i + 1))));
                in.push_back(level.data() + 64 * i);
                out.push_back(level.data() + 32 * i);
            }
            sha256d_nodes(choose_hasher(isa), in.data(), out.data(), n);
            CHECK(std::memcmp(level.data(), want.data(), 32 * n) == 0);
        }
    }
}

TEST_CASE("a forced instruction set is what it says, an unknown one is refused") {
    CHECK(choose_hasher("portable").wide->lanes == 1);
    CHECK(choose_hasher("neon9000").wide == nullptr);
    CHECK(choose_hasher("").wide == nullptr);
    CHECK(choose_hasher("auto").wide != nullptr);
    for (const char* isa : kIsas) {
        const Hasher hasher = choose_hasher(isa);
        CHECK((hasher.wide != nullptr) == isa_usable(isa));
        if (hasher.wide != nullptr) {
            CHECK(std::string(hasher.wide->name) == isa);
        }
    }
}
