// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Test support: signatures that hold, nearly hold, or are odd in every way in which verifiers have differed.

#include "tests/unit/plugins/validation/backend.hpp"

#include <synod/extra/ed25519_rule.hpp>

#include <algorithm>
#include <cstring>
#include <random>

namespace synod::validation_test {

using Rng = std::mt19937_64;

//! Canonical and non-canonical encodings of points of small order, and of none.
inline constexpr std::uint8_t kOddPoints[][3] = {
    // first byte, the 30 in the middle, last byte
    {0x01, 0x00, 0x00}, {0x01, 0x00, 0x80}, {0x00, 0x00, 0x00}, {0x00, 0x00, 0x80}, {0xec, 0xff, 0x7f},
    {0xec, 0xff, 0xff}, {0xed, 0xff, 0x7f}, {0xed, 0xff, 0xff}, {0xee, 0xff, 0x7f}, {0xee, 0xff, 0xff},
    {0xff, 0xff, 0xff}, {0x02, 0x00, 0x00}};

inline void fill(Rng& rng, std::uint8_t* out, std::size_t n) {
    std::generate(out, out + n, [&] { return static_cast<std::uint8_t>(rng()); });
}

inline Bytes random_bytes(Rng& rng, std::size_t n) {
    Bytes out(n);
    fill(rng, out.data(), n);
    out.reserve(n + 1);
    return out;
}

inline void odd_point(Rng& rng, std::uint8_t* out) {
    const auto& shape = kOddPoints[rng() % std::size(kOddPoints)];
    std::memset(out, shape[1], 32);
    out[0] = shape[0];
    out[31] = shape[2];
}

inline void add_order(std::uint8_t* s) {
    unsigned carry = 0;
    for (int i = 0; i < 32; ++i) {
        carry += s[i] + ed25519::kOrder[i];
        s[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
}

struct Signer {
    Digest scalar{}, key{};
};

inline std::vector<Signer> signers(Rng& rng, std::size_t n) {
    std::vector<Signer> out(n);
    for (Signer& s : out) {
        std::uint8_t wide[64];
        fill(rng, wide, sizeof wide);
        crypto_core_ed25519_scalar_reduce(s.scalar.data(), wide);
        REQUIRE(crypto_scalarmult_ed25519_base_noclamp(s.key.data(), s.scalar.data()) == 0);
    }
    return out;
}

//! The y of the four points of order 8, which are these two with either sign of x.
inline constexpr std::uint8_t kOrder8[2][32] = {
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}};

//! Adds a point of small order, of order 8 as often as of a lower one, unless what was drawn is no point.
inline void poison(Rng& rng, std::uint8_t* point) {
    std::uint8_t small[32];
    if (rng() % 2 == 0) {
        std::memcpy(small, kOrder8[rng() % 2], 32);
        small[31] ^= static_cast<std::uint8_t>((rng() % 2) << 7);
    } else {
        do {
            odd_point(rng, small);
        } while (!ed25519::canonical(small));
    }
    std::uint8_t sum[32];
    if (crypto_core_ed25519_add(sum, point, small) == 0) {
        std::memcpy(point, sum, 32);
    }
}

//! Every way of `signature` below: 0 to 8 are odd or broken, the others hold.
inline constexpr std::uint64_t kWays = 12;
inline constexpr std::uint64_t kSound = 11;

//! A signature over R and key as they are after poisoning, then perhaps broken.
inline SignatureCheck signature(Rng& rng, const Signer& signer, std::uint64_t how) {
    SignatureCheck c{signer.key, {}, random_bytes(rng, rng() % 200)};
    std::uint8_t wide[64];
    std::uint8_t nonce[32];
    fill(rng, wide, sizeof wide);
    crypto_core_ed25519_scalar_reduce(nonce, wide);
    std::uint8_t* r = c.signature.data();
    REQUIRE(crypto_scalarmult_ed25519_base_noclamp(r, nonce) == 0);
    if (how == 0) {
        poison(rng, r);
    } else if (how == 1) {
        poison(rng, c.key.data());
    } else if (how == 2) {
        std::memset(nonce, 0, 32);
        odd_point(rng, r);
    } else if (how == 3) {
        odd_point(rng, c.key.data());
    }
    std::uint8_t h[32];
    ed25519::challenge(c.key.data(), r, {c.message.data(), c.message.size()}, h);
    crypto_core_ed25519_scalar_mul(h, h, signer.scalar.data());
    crypto_core_ed25519_scalar_add(r + 32, h, nonce);
    if (how == 4) {
        add_order(r + 32);
    } else if (how == 5) {
        r[rng() % 64] ^= static_cast<std::uint8_t>(1u << (rng() % 8));
    } else if (how == 6) {
        c.key[rng() % 32] ^= static_cast<std::uint8_t>(1u << (rng() % 8));
    } else if (how == 7) {
        c.message.push_back(0);
    } else if (how == 8) {
        fill(rng, r, 64);
    }
    return c;
}

inline SignatureCheck signature(Rng& rng, const Signer& signer) { return signature(rng, signer, rng() % kWays); }
inline SignatureCheck sound_signature(Rng& rng, const Signer& signer) { return signature(rng, signer, kSound); }

}  // namespace synod::validation_test
