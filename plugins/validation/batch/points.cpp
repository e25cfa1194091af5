// SPDX-License-Identifier: Apache-2.0
#include "points.hpp"

#include "edwards.hpp"
#include "field_portable.hpp"

#include <algorithm>
#include <cstring>

namespace synod::batch {
namespace {

using F = Portable;
using Curve = Edwards<F>;

constexpr unsigned kFixedWidth = 6;     // digits up to 31: kFixedOdd of them are odd and positive
constexpr unsigned kVariableWidth = 5;  // digits up to 15
constexpr unsigned kVariableOdd = 8;
constexpr unsigned kDigits = 129;  // of a magnitude up to 2^127

Curve::Extended loaded(const Point& p) { return {F::splat(p.x), F::splat(p.y), F::splat(p.z), F::splat(p.t)}; }
Curve::Affine loaded(const Niels& p) { return {F::splat(p.plus), F::splat(p.minus), F::splat(p.xy2d)}; }

Point stored(const Curve::Extended& p) {
    Point out = {};
    std::uint64_t* to[1] = {out.x};
    const F::Fe fields[4] = {p.x, p.y, p.z, p.t};
    F::scatter<4>(fields, to, 1);
    return out;
}

//! Writes the affine forms of n points for one division.
void affine(const Curve::Extended* points, unsigned n, Niels* out) {
    std::vector<F::Fe> products(n);
    F::Fe product = F::splat(kOne);
    for (unsigned i = 0; i < n; ++i) {
        products[i] = product;
        product = F::mul(product, points[i].z);
    }
    F::Fe inverse = Curve::inverse(product);
    for (unsigned i = n; i-- > 0;) {
        const F::Fe z = F::mul(inverse, products[i]);
        inverse = F::mul(inverse, points[i].z);
        const F::Fe x = F::mul(points[i].x, z);
        const F::Fe y = F::mul(points[i].y, z);
        const F::Fe fields[3] = {F::add(y, x), F::sub(y, x), F::mul(F::mul(x, y), F::splat(kTwoD))};
        std::uint64_t* to[1] = {out[i].plus};
        F::scatter<3>(fields, to, 1);
    }
}

void odd_multiples(const Curve::Extended& p, unsigned n, Curve::Extended* out) {
    const Curve::Cached twice = Curve::cached(Curve::extended(Curve::twice(p)));
    out[0] = p;
    for (unsigned i = 1; i < n; ++i) {
        out[i] = Curve::extended(Curve::add(out[i - 1], twice, false));
    }
}

//! The digits of k that aren't zero are odd, below 2^(width - 1) in size, and at least `width` apart. Digit i of the
//! term goes to digits[i * stride]. Returns how many there are, leading zeros left out.
unsigned recode(Int128 k, unsigned width, std::int8_t* digits, std::size_t stride) {
    Uint128 m = magnitude(k);
    unsigned n = 0;
    for (unsigned i = 0; m != 0; ++i, m >>= 1) {
        if ((m & 1) == 0) {
            continue;
        }
        int digit = static_cast<int>(m & ((1u << width) - 1));
        if (digit >= 1 << (width - 1)) {
            digit -= 1 << width;
            m += static_cast<unsigned>(-digit);
        } else {
            m -= static_cast<unsigned>(digit);
        }
        digits[i * stride] = static_cast<std::int8_t>(k < 0 ? -digit : digit);
        n = i + 1;
    }
    return n;
}

}  // namespace

bool make_fixed(const std::uint8_t* encoding, FixedPoint& out) {
    std::uint64_t y[5];
    limbs_of(encoding, y);
    Curve::Affine a;
    if (Curve::decode(F::splat(y), encoding[31] >> 7, a) == 0) {
        return false;
    }
    Curve::Extended points[kQuarters * kFixedOdd];
    Curve::Extended base = Curve::extended(a);
    for (unsigned quarter = 0; quarter < kQuarters; ++quarter) {
        odd_multiples(base, kFixedOdd, points + quarter * kFixedOdd);
        for (int i = 0; i < 64; ++i) {
            base = Curve::extended(Curve::twice(base));
        }
    }
    affine(points, kQuarters * kFixedOdd, out.odd[0]);
    return true;
}

Point straus_sum(const std::vector<Term>& terms, const Niels* points) {
    const std::size_t n = terms.size();
    std::vector<std::int8_t> digits(n * kDigits);
    std::vector<Curve::Cached> tables(n * kVariableOdd);
    unsigned top = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const Term& term = terms[i];
        if (term.odd != nullptr) {
            top = std::max(top, recode(term.k, kFixedWidth, &digits[i], n));
            continue;
        }
        top = std::max(top, recode(term.k, kVariableWidth, &digits[i], n));
        Curve::Extended odd[kVariableOdd];
        // A lone signature isn't weighted: one multiple of its R is enough.
        const unsigned count = magnitude(term.k) == 1 ? 1 : kVariableOdd;
        odd_multiples(Curve::extended(loaded(points[term.point])), count, odd);
        for (unsigned j = 0; j < count; ++j) {
            tables[i * kVariableOdd + j] = Curve::cached(odd[j]);
        }
    }
    Curve::Extended sum = Curve::identity();
    for (unsigned at = top; at-- > 0;) {
        Curve::Factors factors = Curve::twice(sum);
        const std::int8_t* row = &digits[at * n];
        for (std::size_t i = 0; i < n; ++i) {
            if (row[i] == 0) {
                continue;
            }
            const bool negative = row[i] < 0;
            const unsigned index = static_cast<unsigned>(negative ? -row[i] : row[i]) / 2;
            sum = Curve::extended(factors);
            if (terms[i].odd != nullptr) {
                const auto mask = static_cast<F::Mask>(negative ? 1 : 0);
                factors = Curve::add(sum, Curve::negated_if(mask, loaded(terms[i].odd[index])), mask);
            } else {
                factors = Curve::add(sum, tables[i * kVariableOdd + index], negative);
            }
        }
        sum = at != 0 ? Curve::projective(factors) : Curve::extended(factors);
    }
    return stored(sum);
}

Point horner(const Point* digits, unsigned n, unsigned shift) noexcept {
    Curve::Extended sum = loaded(digits[n - 1]);
    for (unsigned i = n - 1; i-- > 0;) {
        for (unsigned j = 0; j + 1 < shift; ++j) {
            sum = Curve::projective(Curve::twice(sum));
        }
        sum = Curve::extended(Curve::add(Curve::extended(Curve::twice(sum)), loaded(digits[i])));
    }
    return stored(sum);
}

Point difference(const Point& a, const Point& b) noexcept {
    return stored(Curve::extended(Curve::add(loaded(a), Curve::cached(loaded(b)), true)));
}

bool has_small_order(const Point& a) noexcept {
    Curve::Extended p = loaded(a);
    for (int i = 0; i < 3; ++i) {
        p = Curve::projective(Curve::twice(p));
    }
    return F::is_zero(p.x) != 0 && F::is_zero(F::sub(p.y, p.z)) != 0;
}

}  // namespace synod::batch
