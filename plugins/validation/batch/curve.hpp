// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How points of edwards25519 (RFC 8032 section 5.1: -x^2 + y^2 = 1 + d x^2 y^2 over p = 2^255 - 19) lie in memory.
//! A number mod p is five limbs of 51 bits, lowest first, each below 2^51 + 2^15: what every kernel reads and writes.

#include <cstdint>

namespace synod::batch {

//! An affine point made ready to be added to another: y + x, y - x, 2dxy. 128 bytes, two cache lines.
struct alignas(64) Niels {
    std::uint64_t plus[5], minus[5], xy2d[5];
    std::uint64_t unused;
};

//! A point in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z (Hisil, Wong, Carter, Dawson, ASIACRYPT 2008).
struct alignas(64) Point {
    std::uint64_t x[5], y[5], z[5], t[5];
    std::uint64_t unused[4];
};

inline constexpr Niels kNielsIdentity = {{1}, {1}, {0}, 0};
inline constexpr Point kIdentity = {{0}, {1}, {1}, {0}, {0}};

}  // namespace synod::batch
