// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Numbers mod p = 2^255 - 19 in one lane of plain 64-bit registers: five limbs of 51 bits (Bernstein, Duif, Lange,
//! Schwabe, Yang, "High-speed high-security signatures", 2011, section 3). Everything here is private to the file that
//! includes it, which may be compiled for any instruction set.
//!
//! Bounds: mul and sq take limbs below 2^54 and give limbs below 2^51 + 2^13 ("tight"); add and sub take limbs below
//! 2^53 - 76 and don't carry.

#include <cstdint>

namespace synod::batch {
namespace {

struct Portable {
    static constexpr unsigned kLanes = 1;
    static constexpr std::uint64_t kMask = (std::uint64_t{1} << 51) - 1;
    __extension__ using Wide = unsigned __int128;
    using Mask = std::uint8_t;  // one bit a lane

    struct Fe {
        std::uint64_t l[5];
    };

    static Fe splat(const std::uint64_t* limbs) { return {{limbs[0], limbs[1], limbs[2], limbs[3], limbs[4]}}; }

    static Fe add(const Fe& a, const Fe& b) {
        return {{a.l[0] + b.l[0], a.l[1] + b.l[1], a.l[2] + b.l[2], a.l[3] + b.l[3], a.l[4] + b.l[4]}};
    }
    //! a + 4p - b: no limb goes below zero.
    static Fe sub(const Fe& a, const Fe& b) {
        constexpr std::uint64_t kLow = 4 * (kMask - 18);
        constexpr std::uint64_t kHigh = 4 * kMask;
        return {{a.l[0] + kLow - b.l[0], a.l[1] + kHigh - b.l[1], a.l[2] + kHigh - b.l[2], a.l[3] + kHigh - b.l[3],
                 a.l[4] + kHigh - b.l[4]}};
    }
    //! The same number with tight limbs.
    static Fe tight(const Fe& a) {
        const std::uint64_t c0 = a.l[0] >> 51, c1 = a.l[1] >> 51, c2 = a.l[2] >> 51, c3 = a.l[3] >> 51,
                            c4 = a.l[4] >> 51;
        return {{(a.l[0] & kMask) + 19 * c4, (a.l[1] & kMask) + c0, (a.l[2] & kMask) + c1, (a.l[3] & kMask) + c2,
                 (a.l[4] & kMask) + c3}};
    }

    static Fe mul(const Fe& a, const Fe& b) {
        const std::uint64_t b1 = 19 * b.l[1], b2 = 19 * b.l[2], b3 = 19 * b.l[3], b4 = 19 * b.l[4];
        const auto m = [](std::uint64_t x, std::uint64_t y) { return Wide{x} * y; };
        const auto& x = a.l;
        const auto& y = b.l;
        return carried(m(x[0], y[0]) + m(x[4], b1) + m(x[3], b2) + m(x[2], b3) + m(x[1], b4),
                       m(x[1], y[0]) + m(x[0], y[1]) + m(x[4], b2) + m(x[3], b3) + m(x[2], b4),
                       m(x[2], y[0]) + m(x[1], y[1]) + m(x[0], y[2]) + m(x[4], b3) + m(x[3], b4),
                       m(x[3], y[0]) + m(x[2], y[1]) + m(x[1], y[2]) + m(x[0], y[3]) + m(x[4], b4),
                       m(x[4], y[0]) + m(x[3], y[1]) + m(x[2], y[2]) + m(x[1], y[3]) + m(x[0], y[4]));
    }
    static Fe sq(const Fe& a) {
        const auto m = [](std::uint64_t x, std::uint64_t y) { return Wide{x} * y; };
        const auto& x = a.l;
        const std::uint64_t d0 = 2 * x[0], d1 = 2 * x[1], x3 = 19 * x[3], x4 = 19 * x[4];
        return carried(m(x[0], x[0]) + m(d1, x4) + m(2 * x[2], x3), m(d0, x[1]) + m(2 * x[2], x4) + m(x[3], x3),
                       m(d0, x[2]) + m(x[1], x[1]) + m(2 * x[3], x4), m(d0, x[3]) + m(d1, x[2]) + m(x[4], x4),
                       m(d0, x[4]) + m(d1, x[3]) + m(x[2], x[2]));
    }

    static Fe select(Mask take, const Fe& yes, const Fe& no) {
        const std::uint64_t m = std::uint64_t{0} - (take & 1);
        Fe out;
        for (int i = 0; i < 5; ++i) {
            out.l[i] = no.l[i] ^ (m & (yes.l[i] ^ no.l[i]));
        }
        return out;
    }
    static Mask is_zero(const Fe& a) {
        const Fe f = below_2_255(a);
        const bool zero = (f.l[0] | f.l[1] | f.l[2] | f.l[3] | f.l[4]) == 0;
        const bool p = f.l[0] == kMask - 18 && (f.l[1] & f.l[2] & f.l[3] & f.l[4]) == kMask;
        return zero || p ? 1 : 0;
    }
    //! Is the number, taken below p, odd?
    static Mask is_odd(const Fe& a) {
        const Fe f = below_2_255(a);
        std::uint64_t q = (f.l[0] + 19) >> 51;
        for (int i = 1; i < 5; ++i) {
            q = (f.l[i] + q) >> 51;
        }
        return static_cast<Mask>((f.l[0] ^ q) & 1);
    }

    //! `n` numbers of five words each, from where each lane's pointer shows; memory is padded to eight words.
    template <unsigned n>
    static void gather(const std::uint64_t* const* from, Fe* out) {
        for (unsigned i = 0; i < n; ++i) {
            out[i] = splat(from[0] + 5 * i);
        }
    }
    //! Writes the lanes of `lanes` numbers that gather would read; the padding is overwritten with anything.
    template <unsigned n>
    static void scatter(const Fe* in, std::uint64_t* const* to, unsigned /*lanes*/) {
        for (unsigned i = 0; i < n; ++i) {
            const Fe t = tight(in[i]);
            for (int j = 0; j < 5; ++j) {
                to[0][5 * i + j] = t.l[j];
            }
        }
    }

private:
    static Fe carried(Wide c0, Wide c1, Wide c2, Wide c3, Wide c4) {
        c1 += static_cast<std::uint64_t>(c0 >> 51);
        c2 += static_cast<std::uint64_t>(c1 >> 51);
        c3 += static_cast<std::uint64_t>(c2 >> 51);
        c4 += static_cast<std::uint64_t>(c3 >> 51);
        const auto low = [](Wide c) { return static_cast<std::uint64_t>(c) & kMask; };
        const std::uint64_t l0 = low(c0) + 19 * static_cast<std::uint64_t>(c4 >> 51);
        return {{l0 & kMask, low(c1) + (l0 >> 51), low(c2), low(c3), low(c4)}};
    }
    //! Every limb below 2^51. Two rounds: a carry out of the top in the second leaves the lowest limb tiny.
    static Fe below_2_255(Fe f) {
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 4; ++i) {
                f.l[i + 1] += f.l[i] >> 51;
                f.l[i] &= kMask;
            }
            f.l[0] += 19 * (f.l[4] >> 51);
            f.l[4] &= kMask;
        }
        return f;
    }
};

}  // namespace
}  // namespace synod::batch
