// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Single points of edwards25519, in plain registers on every processor: what is needed around a sum of many. Variable
//! time, for public data alone. Any thread.

#include "curve.hpp"
#include "scalar.hpp"

#include <cstdint>
#include <vector>

namespace synod::batch {

inline constexpr unsigned kFixedOdd = 16;  // multiples 1, 3 ... 31
inline constexpr unsigned kQuarters = 4;

//! What is worth knowing in advance of a point that comes again and again, a signer's key or the base point: odd
//! multiples of it and of 2^64, 2^128 and 2^192 times it. 8 KiB.
struct FixedPoint {
    Niels odd[kQuarters][kFixedOdd];
};

//! Decodes and precomputes. False when the encoding is no curve point, by Kernel::decode's rules.
bool make_fixed(const std::uint8_t* encoding, FixedPoint& out);

//! One term of a sum: k times a point. `odd`, when not null, are its kFixedOdd odd multiples.
struct Term {
    Int128 k;
    std::uint32_t point;
    const Niels* odd;
};

//! The sum of k * points[point] by Straus' method: all terms share the doublings. Good for few terms.
[[nodiscard]] Point straus_sum(const std::vector<Term>& terms, const Niels* points);

//! The sum of 2^(i * shift) * digits[i] for n digits.
[[nodiscard]] Point horner(const Point* digits, unsigned n, unsigned shift) noexcept;

[[nodiscard]] Point difference(const Point& a, const Point& b) noexcept;

//! Is [8]a the neutral element?
[[nodiscard]] bool has_small_order(const Point& a) noexcept;

}  // namespace synod::batch
