// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Numbers mod L = 2^252 + c, the order of the base point (RFC 8032 section 5.1). Public data only: none of this takes
//! constant time. No allocation, any thread.

#include <cstdint>

namespace synod::batch {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

//! A number below L, lowest word first.
struct Scalar {
    std::uint64_t l[4];
};

//! The little-endian number in 32 bytes that is known to be below L.
[[nodiscard]] Scalar scalar_below_l(const std::uint8_t* bytes) noexcept;
//! The little-endian number in `n` bytes (32 or 64), mod L.
[[nodiscard]] Scalar scalar_mod_l(const std::uint8_t* bytes, unsigned n) noexcept;
//! L - a, or 0 for 0.
[[nodiscard]] Scalar negated(const Scalar& a) noexcept;

//! A sum of products that is taken mod L only at its end: signed, 448 bits. A product has fewer than 381 bits, so
//! 2^32 of them always fit.
struct ProductSum {
    std::uint64_t l[7] = {};
    void add(Int128 a, const Scalar& b) noexcept;
    [[nodiscard]] Scalar mod_l() const noexcept;
};

//! a = low + 2^128 high with both in [-2^127, 2^127): half the doublings for a point of which 2^128 times is known.
struct Halves {
    Int128 low, high;
};
[[nodiscard]] Halves halves(const Scalar& a) noexcept;

//! a = the sum of 2^(64 i) part[i], the lower three in [-2^63, 2^63).
struct Quarters {
    Int128 part[4];
};
[[nodiscard]] Quarters quarters(const Scalar& a) noexcept;

//! |a| without overflow at the lowest number.
[[nodiscard]] constexpr Uint128 magnitude(Int128 a) noexcept {
    return a < 0 ? Uint128{0} - static_cast<Uint128>(a) : static_cast<Uint128>(a);
}

}  // namespace synod::batch
