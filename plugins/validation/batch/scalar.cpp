// SPDX-License-Identifier: Apache-2.0
#include "scalar.hpp"

#include <cstring>

namespace synod::batch {
namespace {

constexpr std::uint64_t kOrder[5] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000, 0};
constexpr std::uint64_t kC[2] = {kOrder[0], kOrder[1]};

//! a += b, over n words; the carry is lost.
void add_words(std::uint64_t* a, const std::uint64_t* b, unsigned n) noexcept {
    unsigned char carry = 0;
    for (unsigned i = 0; i < n; ++i) {
        const Uint128 s = Uint128{a[i]} + b[i] + carry;
        a[i] = static_cast<std::uint64_t>(s);
        carry = static_cast<unsigned char>(s >> 64);
    }
}

void sub_words(std::uint64_t* a, const std::uint64_t* b, unsigned n) noexcept {
    unsigned char borrow = 0;
    for (unsigned i = 0; i < n; ++i) {
        const Uint128 d = Uint128{a[i]} - b[i] - borrow;
        a[i] = static_cast<std::uint64_t>(d);
        borrow = static_cast<unsigned char>(d >> 64) & 1;
    }
}

//! Takes the bits from 252 up out of `x`, which fill up to n words, and leaves c times them there instead. What stayed
//! behind, below 2^252, goes to `low` (5 words).
template <unsigned n>
void fold(std::uint64_t* x, std::uint64_t* low) noexcept {
    std::uint64_t high[n];
    for (unsigned i = 0; i < n; ++i) {
        high[i] = x[i + 3] >> 60 | x[i + 4] << 4;
    }
    std::memcpy(low, x, 32);
    low[3] &= 0x0fffffffffffffff;
    low[4] = 0;
    std::memset(x, 0, 9 * sizeof *x);
    for (unsigned i = 0; i < 2; ++i) {
        std::uint64_t carry = 0;
        for (unsigned j = 0; j < n; ++j) {
            const Uint128 p = Uint128{kC[i]} * high[j] + x[i + j] + carry;
            x[i + j] = static_cast<std::uint64_t>(p);
            carry = static_cast<std::uint64_t>(p >> 64);
        }
        x[i + n] = carry;
    }
}

bool at_least_order(const std::uint64_t* a) noexcept {
    for (int i = 4; i >= 0; --i) {
        if (a[i] != kOrder[i]) {
            return a[i] > kOrder[i];
        }
    }
    return true;
}

//! 2^252 = -c mod L, so x = x0 + 2^252 x1 is x0 - c x1. Three times that leaves x0 - y0 + z0 - w with every one of them
//! below 2^252: 512 bits become 385, then 258, then 131. `x` is 9 words, the last of them 0.
Scalar reduce(std::uint64_t* x) noexcept {
    std::uint64_t sum[5];
    std::uint64_t low[5];
    fold<5>(x, sum);
    add_words(sum, kOrder, 5);
    add_words(sum, kOrder, 5);
    fold<3>(x, low);
    sub_words(sum, low, 5);
    fold<1>(x, low);
    add_words(sum, low, 5);
    sub_words(sum, x, 5);
    while (at_least_order(sum)) {  // at most four times
        sub_words(sum, kOrder, 5);
    }
    Scalar out;
    std::memcpy(out.l, sum, sizeof out.l);
    return out;
}

}  // namespace

Scalar scalar_below_l(const std::uint8_t* bytes) noexcept {
    Scalar out;
    std::memcpy(out.l, bytes, sizeof out.l);
    return out;
}

Scalar scalar_mod_l(const std::uint8_t* bytes, unsigned n) noexcept {
    std::uint64_t x[9] = {};
    std::memcpy(x, bytes, n);
    return reduce(x);
}

Scalar negated(const Scalar& a) noexcept {
    if ((a.l[0] | a.l[1] | a.l[2] | a.l[3]) == 0) {
        return a;
    }
    Scalar out;
    std::memcpy(out.l, kOrder, sizeof out.l);
    sub_words(out.l, a.l, 4);
    return out;
}

void ProductSum::add(Int128 a, const Scalar& b) noexcept {
    const Uint128 m = magnitude(a);
    const std::uint64_t words[2] = {static_cast<std::uint64_t>(m), static_cast<std::uint64_t>(m >> 64)};
    std::uint64_t product[7] = {};
    for (int i = 0; i < 2; ++i) {
        std::uint64_t carry = 0;
        for (int j = 0; j < 4; ++j) {
            const Uint128 p = Uint128{words[i]} * b.l[j] + product[i + j] + carry;
            product[i + j] = static_cast<std::uint64_t>(p);
            carry = static_cast<std::uint64_t>(p >> 64);
        }
        product[i + 4] = carry;
    }
    a < 0 ? sub_words(l, product, 7) : add_words(l, product, 7);
}

Scalar ProductSum::mod_l() const noexcept {
    std::uint64_t x[9] = {};
    const bool negative = l[6] >> 63 != 0;
    if (negative) {
        sub_words(x, l, 7);  // 0 - l
    } else {
        std::memcpy(x, l, sizeof l);
    }
    const Scalar out = reduce(x);
    return negative ? negated(out) : out;
}

Quarters quarters(const Scalar& a) noexcept {
    Quarters out;
    Int128 carry = 0;
    for (int i = 0; i < 4; ++i) {
        const Int128 part = static_cast<Int128>(a.l[i]) + carry;
        carry = i < 3 && part >> 63 != 0 ? 1 : 0;
        out.part[i] = part - (carry << 64);
    }
    return out;
}

Halves halves(const Scalar& a) noexcept {
    const Uint128 low = Uint128{a.l[1]} << 64 | a.l[0];
    const Uint128 high = Uint128{a.l[3]} << 64 | a.l[2];
    const bool borrow = low >> 127 != 0;
    return {static_cast<Int128>(low), static_cast<Int128>(high + (borrow ? 1 : 0))};
}

}  // namespace synod::batch
