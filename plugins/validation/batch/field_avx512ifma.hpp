// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Numbers mod p = 2^255 - 19 in the eight 64-bit lanes of a 512-bit register, multiplied by the 52-bit multipliers of
//! AVX-512 IFMA. Limbs have 51 bits as in memory: the product's upper half then counts twice. Everything here is
//! private to the file that includes it, which alone is compiled for these instructions.
//!
//! Bounds: what a function takes and gives has limbs below 2^51 + 2^15 ("tight"); the multipliers would drop bits from
//! 2^52 up.

#include "transpose_avx512.hpp"

#include <immintrin.h>

#include <cstdint>

namespace synod::batch {
namespace {

struct Ifma {
    static constexpr unsigned kLanes = 8;
    static constexpr long long kMask = (1ll << 51) - 1;
    using Word = __m512i;
    using Mask = __mmask8;  // one bit a lane

    struct Fe {
        Word l[5];
    };

    static Fe splat(const std::uint64_t* limbs) {
        Fe out;
        for (int i = 0; i < 5; ++i) {
            out.l[i] = _mm512_set1_epi64(static_cast<long long>(limbs[i]));
        }
        return out;
    }

    static Fe add(const Fe& a, const Fe& b) {
        Fe out;
        for (int i = 0; i < 5; ++i) {
            out.l[i] = _mm512_add_epi64(a.l[i], b.l[i]);
        }
        return carried(out);
    }
    //! a + 2p - b: no limb goes below zero.
    static Fe sub(const Fe& a, const Fe& b) {
        Fe out;
        for (int i = 0; i < 5; ++i) {
            const Word twice_p = _mm512_set1_epi64(2 * (kMask - (i == 0 ? 18 : 0)));
            out.l[i] = _mm512_add_epi64(a.l[i], _mm512_sub_epi64(twice_p, b.l[i]));
        }
        return carried(out);
    }
    static Fe tight(const Fe& a) { return a; }

    //! The upper halves first: doubled, they are what the lower halves are added to.
    static Fe mul(const Fe& a, const Fe& b) {
        Word column[10];
        for (Word& c : column) {
            c = _mm512_setzero_si512();
        }
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
            for (int j = 0; j < 5; ++j) {
                column[i + j + 1] = _mm512_madd52hi_epu64(column[i + j + 1], a.l[i], b.l[j]);
            }
        }
        for (Word& c : column) {
            c = _mm512_add_epi64(c, c);
        }
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
            for (int j = 0; j < 5; ++j) {
                column[i + j] = _mm512_madd52lo_epu64(column[i + j], a.l[i], b.l[j]);
            }
        }
        return folded(column);
    }
    //! Products of different limbs come twice: they are doubled as soon as nothing else but squares is missing.
    static Fe sq(const Fe& a) {
        Word column[10], low[10];
        for (int k = 0; k < 10; ++k) {
            column[k] = low[k] = _mm512_setzero_si512();
        }
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
            for (int j = i + 1; j < 5; ++j) {
                column[i + j + 1] = _mm512_madd52hi_epu64(column[i + j + 1], a.l[i], a.l[j]);
                low[i + j] = _mm512_madd52lo_epu64(low[i + j], a.l[i], a.l[j]);
            }
        }
        for (int k = 0; k < 10; ++k) {
            column[k] = _mm512_add_epi64(_mm512_add_epi64(column[k], column[k]), low[k]);
        }
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) {
            column[2 * i + 1] = _mm512_madd52hi_epu64(column[2 * i + 1], a.l[i], a.l[i]);
        }
        for (Word& c : column) {
            c = _mm512_add_epi64(c, c);
        }
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) {
            column[2 * i] = _mm512_madd52lo_epu64(column[2 * i], a.l[i], a.l[i]);
        }
        return folded(column);
    }

    static Fe select(Mask take, const Fe& yes, const Fe& no) {
        Fe out;
        for (int i = 0; i < 5; ++i) {
            out.l[i] = _mm512_mask_blend_epi64(take, no.l[i], yes.l[i]);
        }
        return out;
    }
    static Mask is_zero(const Fe& a) {
        const Fe f = below_2_255(a);
        const Word low = _mm512_or_si512(f.l[0], f.l[1]), high = _mm512_or_si512(f.l[2], f.l[3]);
        const Word any = _mm512_or_si512(_mm512_or_si512(low, high), f.l[4]);
        const Word all = _mm512_and_si512(_mm512_and_si512(f.l[1], f.l[2]), _mm512_and_si512(f.l[3], f.l[4]));
        const Mask zero = _mm512_testn_epi64_mask(any, any);
        const Mask p = static_cast<Mask>(_mm512_cmpeq_epi64_mask(f.l[0], _mm512_set1_epi64(kMask - 18)) &
                                         _mm512_cmpeq_epi64_mask(all, _mm512_set1_epi64(kMask)));
        return static_cast<Mask>(zero | p);
    }
    //! Is the number, taken below p, odd?
    static Mask is_odd(const Fe& a) {
        const Fe f = below_2_255(a);
        Word q = _mm512_srli_epi64(_mm512_add_epi64(f.l[0], _mm512_set1_epi64(19)), 51);
        for (int i = 1; i < 5; ++i) {
            q = _mm512_srli_epi64(_mm512_add_epi64(f.l[i], q), 51);
        }
        return _mm512_test_epi64_mask(_mm512_xor_si512(f.l[0], q), _mm512_set1_epi64(1));
    }

    //! `n` numbers of five words each, from where each lane's pointer shows; memory is padded to eight words.
    template <unsigned n>
    static void gather(const std::uint64_t* const* from, Fe* out) {
        constexpr unsigned kBlocks = (5 * n + 7) / 8;
        Word words[8 * kBlocks];
        for (unsigned block = 0; block < kBlocks; ++block) {
            for (unsigned i = 0; i < 8; ++i) {
                words[8 * block + i] = _mm512_load_si512(from[i] + 8 * block);
            }
            transpose(words + 8 * block);
        }
        for (unsigned i = 0; i < 5 * n; ++i) {
            out[i / 5].l[i % 5] = words[i];
        }
    }
    //! Writes the lanes of `lanes` numbers that gather would read; the padding is overwritten with anything.
    template <unsigned n>
    static void scatter(const Fe* in, std::uint64_t* const* to, unsigned lanes) {
        constexpr unsigned kBlocks = (5 * n + 7) / 8;
        Word words[8 * kBlocks];
        for (unsigned i = 0; i < 8 * kBlocks; ++i) {
            words[i] = i < 5 * n ? in[i / 5].l[i % 5] : _mm512_setzero_si512();
        }
        for (unsigned block = 0; block < kBlocks; ++block) {
            transpose(words + 8 * block);
            for (unsigned i = 0; i < lanes; ++i) {
                _mm512_store_si512(to[i] + 8 * block, words[8 * block + i]);
            }
        }
    }

private:
    static Word times_19(Word a) {
        return _mm512_add_epi64(_mm512_add_epi64(a, _mm512_slli_epi64(a, 1)), _mm512_slli_epi64(a, 4));
    }
    //! One carry from each limb to the next, all at once, for limbs below 2^61.
    static Fe carried(const Fe& a) {
        const Word mask = _mm512_set1_epi64(kMask);
        Word carry[5];
        Fe out;
        for (int i = 0; i < 5; ++i) {
            carry[i] = _mm512_srli_epi64(a.l[i], 51);
            out.l[i] = _mm512_and_si512(a.l[i], mask);
        }
        out.l[0] = _mm512_madd52lo_epu64(out.l[0], carry[4], _mm512_set1_epi64(19));
        for (int i = 1; i < 5; ++i) {
            out.l[i] = _mm512_add_epi64(out.l[i], carry[i - 1]);
        }
        return out;
    }
    //! Ten columns of a product, each below 2^56: the upper five count 19 times in the lower.
    static Fe folded(const Word* columns) {
        Fe out;
        for (int i = 0; i < 5; ++i) {
            out.l[i] = _mm512_add_epi64(columns[i], times_19(columns[i + 5]));
        }
        return carried(out);
    }
    //! Every limb below 2^51. Two rounds: a carry out of the top in the second leaves the lowest limb tiny.
    static Fe below_2_255(Fe f) {
        const Word mask = _mm512_set1_epi64(kMask);
        for (int round = 0; round < 2; ++round) {
            for (int i = 0; i < 4; ++i) {
                f.l[i + 1] = _mm512_add_epi64(f.l[i + 1], _mm512_srli_epi64(f.l[i], 51));
                f.l[i] = _mm512_and_si512(f.l[i], mask);
            }
            f.l[0] = _mm512_madd52lo_epu64(f.l[0], _mm512_srli_epi64(f.l[4], 51), _mm512_set1_epi64(19));
            f.l[4] = _mm512_and_si512(f.l[4], mask);
        }
        return f;
    }
};

}  // namespace
}  // namespace synod::batch
