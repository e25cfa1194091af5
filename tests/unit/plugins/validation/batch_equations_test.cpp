// SPDX-License-Identifier: Apache-2.0
//! A batch that fails names exactly the bad signatures, in bounded work; the weights follow from all that is in it.

#include "plugins/validation/batch/equations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>
#include <set>
#include <string>

namespace {

using namespace synod::batch;
using Rng = std::mt19937_64;

constexpr std::size_t kAlone = 4;  // so many are at last proven one by one

struct Signed {
    std::array<std::uint8_t, 32> key;
    std::array<std::uint8_t, 64> signature;
    std::array<std::uint8_t, 8> message;
};

//! Signatures of `keys` signers that all hold.
std::vector<Signed> good(std::size_t n, std::size_t keys) {
    std::vector<std::array<std::uint8_t, 32>> pk(keys);
    std::vector<std::array<std::uint8_t, 64>> sk(keys);
    for (std::size_t i = 0; i < keys; ++i) {
        std::array<std::uint8_t, 32> seed{};
        seed[0] = static_cast<std::uint8_t>(i + 1);
        crypto_sign_seed_keypair(pk[i].data(), sk[i].data(), seed.data());
    }
    std::vector<Signed> out(n);
    for (std::size_t i = 0; i < n; ++i) {
        out[i].key = pk[i % keys];
        std::memcpy(out[i].message.data(), &i, 8);
        crypto_sign_detached(out[i].signature.data(), nullptr, out[i].message.data(), 8, sk[i % keys].data());
    }
    return out;
}

struct Judged {
    std::vector<std::uint8_t> verdicts;
    Work work;
};

Judged judge(const Kernel& kernel, const std::vector<Signed>& checks) {
    static Signers signers;
    static const FixedPoint base = [] {
        std::uint8_t encoding[32];
        std::memset(encoding, 0x66, sizeof encoding);
        encoding[0] = 0x58;
        FixedPoint out;
        REQUIRE(make_fixed(encoding, out));
        return out;
    }();
    std::vector<const std::uint8_t*> keys, signatures;
    std::vector<synod_bytes> messages;
    for (const Signed& c : checks) {
        keys.push_back(c.key.data());
        signatures.push_back(c.signature.data());
        messages.push_back({c.message.data(), c.message.size()});
    }
    Judged out{std::vector<std::uint8_t>(checks.size()), {}};
    const synod_signature_checks columns = {checks.size(), keys.data(), signatures.data(), messages.data(),
                                            out.verdicts.data()};
    out.work = Equations(kernel, signers, base).check(columns, 0, checks.size());
    return out;
}

void spoil(Signed& c, std::size_t how) {
    if (how % 3 == 0) {
        c.message[0] ^= 1;
    } else if (how % 3 == 1) {
        c.signature[32] ^= 1;  // s: still below L
    } else {
        crypto_core_ed25519_add(c.signature.data(), c.signature.data(), c.key.data());  // R: still a point
    }
}

}  // namespace

TEST_CASE("a batch that holds is one sum: a term a signature, two a key, two for the base point") {
    REQUIRE(sodium_init() >= 0);
    for (const std::size_t n : {3, 7, 300}) {
        const Judged got = judge(kKernelPortable, good(n, 5));
        CHECK(got.verdicts == std::vector<std::uint8_t>(n, SYNOD_VERDICT_HOLDS));
        CHECK(got.work.sums == 1);
        CHECK(got.work.terms == n + 2 * std::min<std::size_t>(n, 5) + 2);
    }
}

TEST_CASE("one or two signatures are proven by themselves") {
    REQUIRE(sodium_init() >= 0);
    for (const std::size_t n : {1, 2}) {
        auto checks = good(n, 5);
        Judged got = judge(kKernelPortable, checks);
        CHECK(got.verdicts == std::vector<std::uint8_t>(n, SYNOD_VERDICT_HOLDS));
        CHECK(got.work.sums == n);
        CHECK(got.work.terms == n * (1 + 4 + 4));
        spoil(checks[n - 1], n);
        got = judge(kKernelPortable, checks);
        std::vector<std::uint8_t> expected(n, SYNOD_VERDICT_HOLDS);
        expected[n - 1] = SYNOD_VERDICT_FAILS;
        CHECK(got.verdicts == expected);
        CHECK(got.work.sums == n);
    }
}

TEST_CASE("one bad signature is found wherever it stands, for at most as many terms again") {
    REQUIRE(sodium_init() >= 0);
    for (const std::size_t n : {3, 4, 5, 16, 33, 200}) {
        const auto checks = good(n, 4);
        for (std::size_t bad = 0; bad < n; bad += n < 50 ? 1 : 17) {
            CAPTURE(n);
            CAPTURE(bad);
            auto spoilt = checks;
            spoil(spoilt[bad], bad);
            const Judged got = judge(kKernelPortable, spoilt);
            std::vector<std::uint8_t> expected(n, SYNOD_VERDICT_HOLDS);
            expected[bad] = SYNOD_VERDICT_FAILS;
            REQUIRE(got.verdicts == expected);
            const auto levels = static_cast<std::uint64_t>(std::bit_width(n - 1));
            REQUIRE(got.work.sums <= 1 + levels + kAlone);
            REQUIRE(got.work.terms <= 2 * n + (1 + levels + kAlone) * (2 * 4 + 2));
        }
    }
}

TEST_CASE("any number of bad signatures is found, in at most twice as many sums as checks") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(21);
    constexpr std::size_t kChecks = 150;
    const auto checks = good(kChecks, 3);
    for (const std::size_t bad : {2, 10, 75, 149, 150}) {
        CAPTURE(bad);
        std::vector<std::size_t> order(kChecks);
        for (std::size_t i = 0; i < kChecks; ++i) {
            order[i] = i;
        }
        std::shuffle(order.begin(), order.end(), rng);
        auto spoilt = checks;
        std::vector<std::uint8_t> expected(kChecks, SYNOD_VERDICT_HOLDS);
        for (std::size_t i = 0; i < bad; ++i) {
            spoil(spoilt[order[i]], i);
            expected[order[i]] = SYNOD_VERDICT_FAILS;
        }
        const Judged got = judge(kKernelPortable, spoilt);
        CHECK(got.verdicts == expected);
        CHECK(got.work.sums <= 2 * kChecks);
        const auto levels = static_cast<std::uint64_t>(std::bit_width(kChecks - 1));
        CHECK(got.work.terms <= kChecks + kChecks / 2 * levels + got.work.sums * (2 * 3 + 2));
    }
}

TEST_CASE("two errors that cancel in an unweighted sum are found") {
    REQUIRE(sodium_init() >= 0);
    auto checks = good(4, 1);
    // s1 + 1 and s2 - 1: the plain sum of the equations still holds.
    std::uint8_t one[32] = {1};
    crypto_core_ed25519_scalar_add(checks[0].signature.data() + 32, checks[0].signature.data() + 32, one);
    crypto_core_ed25519_scalar_sub(checks[1].signature.data() + 32, checks[1].signature.data() + 32, one);
    CHECK(judge(kKernelPortable, checks).verdicts ==
          std::vector<std::uint8_t>{SYNOD_VERDICT_FAILS, SYNOD_VERDICT_FAILS, SYNOD_VERDICT_HOLDS, SYNOD_VERDICT_HOLDS});
}

TEST_CASE("what fails without an equation leaves the others alone") {
    REQUIRE(sodium_init() >= 0);
    auto checks = good(40, 4);
    std::memset(checks[3].signature.data() + 32, 0xff, 32);  // s >= L
    checks[11].signature[0] = 2;                             // y = 2 is on no point
    std::memset(checks[11].signature.data() + 1, 0, 31);
    checks[20].key = {1};  // the neutral element is no key
    std::memset(checks[39].signature.data(), 0xff, 32);  // y >= p
    const Judged got = judge(kKernelPortable, checks);
    std::vector<std::uint8_t> expected(40, SYNOD_VERDICT_HOLDS);
    for (const std::size_t bad : {3, 11, 20, 39}) {
        expected[bad] = SYNOD_VERDICT_FAILS;
    }
    CHECK(got.verdicts == expected);
    CHECK(got.work.sums == 1);
}

TEST_CASE("weights differ by index and follow from every byte of every signature") {
    REQUIRE(sodium_init() >= 0);
    constexpr std::size_t kChecks = 19;  // more than a leaf
    // All alike: only the index tells them apart.
    std::vector<Sealed> sealed(kChecks);
    std::memset(sealed.data(), 0x5a, kChecks * sizeof(Sealed));
    const auto drawn = [&](const Kernel& kernel) {
        std::vector<Int128> out;
        draw_weights(kernel, sealed, out);
        return out;
    };
    const std::vector<Int128> weights = drawn(kKernelPortable);
    CHECK(weights == drawn(kKernelPortable));
    CHECK(weights == drawn(*choose_kernel("auto")));
    std::set<Uint128> seen;
    bool high = false, negative = false;
    for (const Int128 w : weights) {
        seen.insert(static_cast<Uint128>(w));
        high = high || magnitude(w) >> 120 != 0;
        negative = negative || w < 0;
    }
    CHECK(seen.size() == kChecks);
    CHECK(high);
    CHECK(negative);

    const auto all_change = [&] {
        const std::vector<Int128> other = drawn(kKernelPortable);
        REQUIRE(other.size() == sealed.size());
        bool change = true;
        for (std::size_t i = 0; i < std::min(kChecks, sealed.size()); ++i) {
            change = change && other[i] != weights[i];
        }
        return change;
    };
    for (std::size_t i = 0; i < kChecks; ++i) {
        for (std::uint8_t& byte : sealed[i].digest) {
            byte ^= 0x80;
            REQUIRE(all_change());
            byte ^= 0x80;
        }
        for (std::uint8_t& byte : sealed[i].s) {
            byte ^= 1;
            REQUIRE(all_change());
            byte ^= 1;
        }
    }
    // One more or one less, exchanged entries, and exchanged leaves.
    sealed.push_back(sealed.back());
    CHECK(all_change());
    sealed.resize(kChecks - 1);
    CHECK(all_change());
    sealed.resize(kChecks, sealed[0]);
    for (const std::size_t other : {1, 17}) {
        sealed[0].digest[0] ^= 1;
        const auto before = drawn(kKernelPortable);
        std::swap(sealed[0], sealed[other]);
        CHECK(before != drawn(kKernelPortable));
        sealed[other].digest[0] ^= 1;
    }
}
