// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The one rule by which an Ed25519 signature holds (<synod/validation.h>): [8](sB - R - hA) = O, s < L, R the
//! canonical encoding of a curve point, A canonical and of prime order, h = SHA-512(R || A || message) mod L.
//! Header-only on libsodium (1.0.18 or later), which the including plugin links; call sodium_init() first. Pure
//! functions, any thread, no allocation. Encodings: RFC 8032 section 5.1; why the cofactored equation: Chalkias,
//! Garillot, Nikolaenko, "Taming the many EdDSAs", SSR 2020.
#include <synod/abi.h>

#include <sodium.h>

#include <cstdint>
#include <cstring>

namespace synod::ed25519 {

/// L, the order of the base point, little-endian.
inline constexpr uint8_t kOrder[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                       0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
inline constexpr uint8_t kIdentity[32] = {1};

/// Is the little-endian number `a` below `b`? Both 32 bytes. Not constant-time: everything here is public.
inline bool below(const uint8_t* a, const uint8_t* b) noexcept {
    for (int i = 31; i >= 0; --i) {
        if (a[i] != b[i]) {
            return a[i] < b[i];
        }
    }
    return false;
}

/// Is this the one encoding of its point, if it is a point at all: y < 2^255 - 19, and no sign on x = 0 (y = 1 or -1)?
/// libsodium decodes without the second condition, and without either in crypto_core_ed25519_add.
inline bool canonical(const uint8_t* point) noexcept {
    uint8_t p[32];
    std::memset(p, 0xff, sizeof p);
    p[0] = 0xed;
    p[31] = 0x7f;
    uint8_t y[32];
    std::memcpy(y, point, 32);
    y[31] &= 0x7f;
    if (!below(y, p)) {
        return false;
    }
    p[0] = 0xec;
    const bool x_is_zero = std::memcmp(y, kIdentity, 32) == 0 || std::memcmp(y, p, 32) == 0;
    return !(x_is_zero && (point[31] & 0x80) != 0);
}

/// May this be a signer's key: canonical, on the curve, of prime order? The identity is refused: it has order 1, and
/// anyone could sign for it. About three scalar multiplications, so callers keep the answer.
inline bool key_is_valid(const uint8_t* key) noexcept {
    if (!canonical(key) || crypto_core_ed25519_is_valid_point(key) != 1) {
        return false;
    }
    // Up to 1.0.20 that test only looks at the x of [L]A, so it lets A = P + T pass where T = (0, -1) has order 2
    // (CVE-2025-69277). L - 1 is even: [L - 1]A = -P, and that is -A if and only if T isn't there.
    uint8_t minus_one[32];
    std::memcpy(minus_one, kOrder, 32);
    minus_one[0] -= 1;
    uint8_t product[32];
    if (crypto_scalarmult_ed25519_noclamp(product, minus_one, key) != 0) {
        return false;
    }
    product[31] ^= 0x80; // x isn't 0: points of small order were refused above
    return std::memcmp(product, key, 32) == 0;
}

/// The equation itself, for a key that key_is_valid accepts and any `h` below L. False too when s >= L or R is no
/// canonical point.
inline bool equation_holds(const uint8_t* key, const uint8_t* signature, const uint8_t* h) noexcept {
    const uint8_t* r = signature;
    const uint8_t* s = signature + 32;
    if (!below(s, kOrder) || !canonical(r)) {
        return false;
    }
    // The multiplications refuse a zero scalar because the result is O; of a prime-order point nothing else gives O.
    uint8_t sum[32];
    std::memcpy(sum, kIdentity, 32);
    if (sodium_is_zero(s, 32) == 0 && crypto_scalarmult_ed25519_base_noclamp(sum, s) != 0) {
        return false;
    }
    uint8_t ha[32];
    std::memcpy(ha, kIdentity, 32);
    if (sodium_is_zero(h, 32) == 0 && crypto_scalarmult_ed25519_noclamp(ha, h, key) != 0) {
        return false;
    }
    // add and sub decode every curve point, small orders included, and fail on what is none: R is checked here.
    if (crypto_core_ed25519_sub(sum, sum, ha) != 0 || crypto_core_ed25519_sub(sum, sum, r) != 0) {
        return false;
    }
    for (int doubling = 0; doubling < 3; ++doubling) {
        if (crypto_core_ed25519_add(sum, sum, sum) != 0) {
            return false;
        }
    }
    return std::memcmp(sum, kIdentity, 32) == 0;
}

/// SHA-512(R || A || message) mod L.
inline void challenge(const uint8_t* key, const uint8_t* signature, synod_bytes message, uint8_t* h) noexcept {
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, signature, 32);
    crypto_hash_sha512_update(&state, key, 32);
    if (message.n != 0) {
        crypto_hash_sha512_update(&state, message.p, message.n);
    }
    uint8_t wide[64];
    crypto_hash_sha512_final(&state, wide);
    crypto_core_ed25519_scalar_reduce(h, wide);
}

/// Does the signature hold, for a key that key_is_valid accepts?
/// crypto_sign_verify_detached demands s < L and that the encoding of sB - hA, which it computes canonically, equals
/// R byte for byte: R is then a canonical point and sB - hA - R = O, so eight times that is O too. Its yes is ours.
/// Its no may be a point that differs by a small order, or an R that it refuses for its small order: those are
/// decided by the equation.
inline bool holds(const uint8_t* key, const uint8_t* signature, synod_bytes message) noexcept {
    static constexpr uint8_t kNothing = 0;
    const uint8_t* text = message.n != 0 ? message.p : &kNothing;
    if (crypto_sign_verify_detached(signature, text, message.n, key) == 0) {
        return true;
    }
    if (!below(signature + 32, kOrder) || !canonical(signature)) {
        return false;
    }
    uint8_t h[32];
    challenge(key, signature, message, h);
    return equation_holds(key, signature, h);
}

} // namespace synod::ed25519
