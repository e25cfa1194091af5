// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Points of edwards25519 in as many lanes as the field type F has. The formulas are the complete ones of Hisil, Wong,
//! Carter and Dawson, "Twisted Edwards curves revisited", ASIACRYPT 2008: right for every pair of curve points, those
//! of small order included. Private to the file that includes it.

#include "curve.hpp"

namespace synod::batch {
namespace {

constexpr std::uint64_t kOne[5] = {1};
constexpr std::uint64_t kTwo[5] = {2};
constexpr std::uint64_t kZero[5] = {0};
//! d = -121665/121666, and 2d.
constexpr std::uint64_t kD[5] = {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff};
constexpr std::uint64_t kTwoD[5] = {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977,
                                    0x2406d9dc56dff};
//! A square root of -1: 2^((p - 1) / 4).
constexpr std::uint64_t kRootOfMinusOne[5] = {0x61b274a0ea0b0, 0xd5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e,
                                              0x2b8324804fc1d};

template <class F>
struct Edwards {
    using Fe = typename F::Fe;
    using Mask = typename F::Mask;
    struct Extended {
        Fe x, y, z, t;
    };
    struct Affine {
        Fe plus, minus, xy2d;
    };
    //! A point made ready to be added, not affine: Y + X, Y - X, 2Z, 2dT.
    struct Cached {
        Fe plus, minus, z2, t2d;
    };
    //! The four factors in which every formula ends: X = EF, Y = GH, T = EH, Z = FG.
    struct Factors {
        Fe e, f, g, h;
    };

    static Extended identity() { return {F::splat(kZero), F::splat(kOne), F::splat(kOne), F::splat(kZero)}; }

    static Extended extended(const Factors& k) {
        return {F::mul(k.e, k.f), F::mul(k.g, k.h), F::mul(k.f, k.g), F::mul(k.e, k.h)};
    }
    //! Without T: enough for what is doubled next.
    static Extended projective(const Factors& k) {
        return {F::mul(k.e, k.f), F::mul(k.g, k.h), F::mul(k.f, k.g), F::splat(kZero)};
    }

    //! A negated point has y + x and y - x exchanged, and -2dxy: that only exchanges F and G.
    static Affine negated_if(Mask negative, const Affine& q) {
        return {F::select(negative, q.minus, q.plus), F::select(negative, q.plus, q.minus), q.xy2d};
    }
    //! p + q, or p - q in the lanes of `negative`, where q has been through negated_if.
    static Factors add(const Extended& p, const Affine& q, Mask negative) {
        const Fe a = F::mul(F::sub(p.y, p.x), q.minus);
        const Fe b = F::mul(F::add(p.y, p.x), q.plus);
        const Fe c = F::mul(p.t, q.xy2d);
        const Fe d = F::add(p.z, p.z);
        const Fe f = F::sub(d, c);
        const Fe g = F::add(d, c);
        return {F::sub(b, a), F::select(negative, g, f), F::select(negative, f, g), F::add(b, a)};
    }
    static Factors add(const Extended& p, const Cached& q, bool negative) {
        const Fe a = F::mul(F::sub(p.y, p.x), negative ? q.plus : q.minus);
        const Fe b = F::mul(F::add(p.y, p.x), negative ? q.minus : q.plus);
        const Fe c = F::mul(p.t, q.t2d);
        const Fe d = F::mul(p.z, q.z2);
        const Fe f = F::sub(d, c);
        const Fe g = F::add(d, c);
        return {F::sub(b, a), negative ? g : f, negative ? f : g, F::add(b, a)};
    }
    static Factors add(const Extended& p, const Extended& q) {
        const Fe a = F::mul(F::sub(p.y, p.x), F::sub(q.y, q.x));
        const Fe b = F::mul(F::add(p.y, p.x), F::add(q.y, q.x));
        const Fe c = F::mul(F::mul(p.t, q.t), F::splat(kTwoD));
        const Fe z = F::mul(p.z, q.z);
        const Fe d = F::add(z, z);
        return {F::sub(b, a), F::sub(d, c), F::add(d, c), F::add(b, a)};
    }
    static Factors twice(const Extended& p) {
        const Fe a = F::sq(p.x);
        const Fe b = F::sq(p.y);
        const Fe z = F::sq(p.z);
        const Fe h = F::add(a, b);
        const Fe e = F::sub(F::sq(F::add(p.x, p.y)), h);
        return {e, F::sub(F::add(F::add(z, z), a), b), F::sub(b, a), h};
    }

    static Cached cached(const Extended& p) {
        return {F::tight(F::add(p.y, p.x)), F::tight(F::sub(p.y, p.x)), F::tight(F::add(p.z, p.z)),
                F::mul(p.t, F::splat(kTwoD))};
    }
    //! The affine point with x = X/2 and so on: Z = 4 spares the division, and T = X/2 * Y/2 all but one product.
    static Extended extended(const Affine& q) {
        const Fe x = F::tight(F::sub(q.plus, q.minus));
        const Fe y = F::tight(F::add(q.plus, q.minus));
        const Fe two = F::splat(kTwo);
        return {F::add(x, x), F::add(y, y), F::add(two, two), F::mul(x, y)};
    }

    static Fe squared(Fe a, int times) {
        for (int i = 0; i < times; ++i) {
            a = F::sq(a);
        }
        return a;
    }
    struct Powers {
        Fe eleven, long_run;  // a^11, a^(2^250 - 1)
    };
    static Powers powers(const Fe& a) {
        const Fe a2 = F::sq(a);
        const Fe a9 = F::mul(squared(a2, 2), a);
        const Fe a11 = F::mul(a9, a2);
        const Fe r5 = F::mul(F::sq(a11), a9);  // a^(2^5 - 1), and so on
        const Fe r10 = F::mul(squared(r5, 5), r5);
        const Fe r20 = F::mul(squared(r10, 10), r10);
        const Fe r40 = F::mul(squared(r20, 20), r20);
        const Fe r50 = F::mul(squared(r40, 10), r10);
        const Fe r100 = F::mul(squared(r50, 50), r50);
        const Fe r200 = F::mul(squared(r100, 100), r100);
        return {a11, F::mul(squared(r200, 50), r50)};
    }
    //! a^((p - 5) / 8) = a^(2^252 - 3).
    static Fe root_power(const Fe& a) { return F::mul(squared(powers(a).long_run, 2), a); }
    //! a^(p - 2) = a^(2^255 - 21): 1/a, and 0 for 0.
    static Fe inverse(const Fe& a) {
        const Powers p = powers(a);
        return F::mul(squared(p.long_run, 5), p.eleven);
    }

    //! x from y and the sign of x (RFC 8032 section 5.1.3). Returns the lanes in which there is one.
    static Mask decode(const Fe& y, Mask sign, Affine& out) {
        const Fe one = F::splat(kOne);
        const Fe yy = F::sq(y);
        const Fe u = F::tight(F::sub(yy, one));
        const Fe v = F::tight(F::add(F::mul(yy, F::splat(kD)), one));
        const Fe v3 = F::mul(F::sq(v), v);
        const Fe uv3 = F::mul(u, v3);
        Fe x = F::mul(uv3, root_power(F::mul(uv3, F::mul(v3, v))));
        const Fe check = F::mul(F::sq(x), v);
        const Mask root = F::is_zero(F::sub(check, u));
        const Mask twisted = F::is_zero(F::add(check, u));
        x = F::select(root, x, F::mul(x, F::splat(kRootOfMinusOne)));
        const Mask flip = static_cast<Mask>(F::is_odd(x) ^ sign);
        x = F::select(flip, F::tight(F::sub(F::splat(kZero), x)), x);
        out = {F::add(y, x), F::sub(y, x), F::mul(F::mul(x, y), F::splat(kTwoD))};
        return static_cast<Mask>(root | twisted);
    }
};

//! The five limbs of the number below 2^255 that 32 bytes hold, little-endian; bit 255 is left out.
inline void limbs_of(const std::uint8_t* bytes, std::uint64_t* l) {
    constexpr std::uint64_t kMask = (std::uint64_t{1} << 51) - 1;
    std::uint64_t w[4];
    __builtin_memcpy(w, bytes, 32);
    l[0] = w[0] & kMask;
    l[1] = (w[0] >> 51 | w[1] << 13) & kMask;
    l[2] = (w[1] >> 38 | w[2] << 26) & kMask;
    l[3] = (w[2] >> 25 | w[3] << 39) & kMask;
    l[4] = (w[3] >> 12) & kMask;
}

}  // namespace
}  // namespace synod::batch
