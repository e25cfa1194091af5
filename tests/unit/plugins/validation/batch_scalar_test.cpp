// SPDX-License-Identifier: Apache-2.0
//! Arithmetic mod L against libsodium's, on random numbers and at the borders.

#include "plugins/validation/batch/scalar.hpp"

#include <synod/extra/ed25519_rule.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <random>

namespace {

using namespace synod::batch;
using Bytes32 = std::array<std::uint8_t, 32>;
using Bytes64 = std::array<std::uint8_t, 64>;
using Rng = std::mt19937_64;

constexpr int kRounds = 20'000;

Bytes32 bytes(const Scalar& a) {
    Bytes32 out;
    std::memcpy(out.data(), a.l, 32);
    return out;
}

Bytes32 reduced(const Bytes64& wide) {
    Bytes32 out;
    crypto_core_ed25519_scalar_reduce(out.data(), wide.data());
    return out;
}

Bytes64 random_wide(Rng& rng) {
    Bytes64 out;
    for (auto& b : out) {
        b = static_cast<std::uint8_t>(rng());
    }
    return out;
}

Scalar random_scalar(Rng& rng) { return scalar_mod_l(random_wide(rng).data(), 64); }

Int128 random_weight(Rng& rng) {
    switch (rng() % 16) {
        case 0:
            return static_cast<Int128>(Uint128{1} << 127);  // the lowest number
        case 1:
            return static_cast<Int128>((Uint128{1} << 127) - 1);
        case 2:
            return 0;
        case 3:
            return -1;
        default:
            return static_cast<Int128>(Uint128{rng()} << 64 | rng());
    }
}

//! A signed number of 128 bits mod L, by libsodium.
Bytes32 signed_mod_l(Int128 a) {
    Bytes64 wide{};
    const Uint128 m = magnitude(a);
    std::memcpy(wide.data(), &m, 16);
    Bytes32 out = reduced(wide);
    if (a < 0) {
        crypto_core_ed25519_scalar_negate(out.data(), out.data());
    }
    return out;
}

}  // namespace

TEST_CASE("64 and 32 bytes are reduced as libsodium does") {
    Rng rng(1);
    for (int i = 0; i < kRounds; ++i) {
        Bytes64 wide = random_wide(rng);
        // Runs of ones and zeros reach the borders of each fold.
        const std::size_t cut = rng() % 65;
        const auto filler = static_cast<std::uint8_t>(rng() % 2 == 0 ? 0 : 0xff);
        if (i % 2 == 0) {
            std::fill(wide.begin() + static_cast<std::ptrdiff_t>(cut), wide.end(), filler);
        } else if (i % 3 == 0) {
            std::fill(wide.begin(), wide.begin() + static_cast<std::ptrdiff_t>(cut), filler);
        }
        REQUIRE(bytes(scalar_mod_l(wide.data(), 64)) == reduced(wide));
        std::fill(wide.begin() + 32, wide.end(), std::uint8_t{0});
        REQUIRE(bytes(scalar_mod_l(wide.data(), 32)) == reduced(wide));
    }
}

TEST_CASE("multiples of L, and their neighbours, are reduced to what they are") {
    for (unsigned times = 0; times < 15; ++times) {
        for (const int off : {-1, 0, 1}) {
            Bytes64 wide{};
            int carry = off;
            for (std::size_t i = 0; i < 33; ++i) {
                carry += static_cast<int>(times) * (i < 32 ? synod::ed25519::kOrder[i] : 0);
                wide[i] = static_cast<std::uint8_t>(carry);
                carry >>= 8;
            }
            if (times != 0 || off >= 0) {
                CHECK(bytes(scalar_mod_l(wide.data(), 64)) == reduced(wide));
            }
        }
    }
}

TEST_CASE("a sum of signed products is what libsodium adds up") {
    Rng rng(2);
    for (int round = 0; round < 300; ++round) {
        ProductSum sum;
        Bytes32 expected{};
        const std::size_t n = rng() % 40;
        for (std::size_t i = 0; i < n; ++i) {
            const Int128 weight = random_weight(rng);
            const Scalar factor = random_scalar(rng);
            sum.add(weight, factor);
            Bytes32 product;
            crypto_core_ed25519_scalar_mul(product.data(), signed_mod_l(weight).data(), bytes(factor).data());
            crypto_core_ed25519_scalar_add(expected.data(), expected.data(), product.data());
        }
        REQUIRE(bytes(sum.mod_l()) == expected);
    }
}

TEST_CASE("the halves and quarters of a number make it whole again, and so does a double negation") {
    Rng rng(3);
    for (int i = 0; i < kRounds; ++i) {
        Scalar a = random_scalar(rng);
        if (i % 8 == 0) {
            a.l[1] = i % 16 == 0 ? 0x8000000000000000 : 0x7fffffffffffffff;  // around the border of `low`
            a.l[0] = i % 3 == 0 ? 0 : ~std::uint64_t{0};
        }
        const Halves half = halves(a);
        Bytes32 whole{};
        Bytes64 two_128{};
        two_128[16] = 1;
        crypto_core_ed25519_scalar_mul(whole.data(), signed_mod_l(half.high).data(), reduced(two_128).data());
        crypto_core_ed25519_scalar_add(whole.data(), whole.data(), signed_mod_l(half.low).data());
        REQUIRE(whole == bytes(a));
        const Quarters quarter = quarters(a);
        whole.fill(0);
        for (std::size_t q = 0; q < 4; ++q) {
            Bytes32 shifted, part;
            Bytes64 power{};
            power[8 * q] = 1;
            crypto_core_ed25519_scalar_mul(part.data(), signed_mod_l(quarter.part[q]).data(), reduced(power).data());
            crypto_core_ed25519_scalar_add(shifted.data(), whole.data(), part.data());
            whole = shifted;
            REQUIRE(magnitude(quarter.part[q]) <= Uint128{1} << 63);
        }
        REQUIRE(whole == bytes(a));
        REQUIRE(bytes(scalar_below_l(bytes(a).data())) == bytes(a));
        Bytes32 minus;
        crypto_core_ed25519_scalar_negate(minus.data(), bytes(a).data());
        REQUIRE(bytes(negated(a)) == minus);
        REQUIRE(bytes(negated(negated(a))) == bytes(a));
    }
    CHECK(bytes(negated(Scalar{})) == Bytes32{});
}
