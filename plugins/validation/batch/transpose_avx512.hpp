// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Eight rows of eight words exchanged with their columns. Private to the file that includes it.

#include <immintrin.h>

namespace synod::batch {
namespace {

//! Word i of register j becomes word j of register i.
inline void transpose(__m512i* r) {
    __m512i pair[8];
    for (int i = 0; i < 4; ++i) {
        pair[i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        pair[4 + i] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    for (int odd = 0; odd < 2; ++odd) {
        const __m512i* p = pair + 4 * odd;
        const __m512i a = _mm512_shuffle_i64x2(p[0], p[1], 0x88), b = _mm512_shuffle_i64x2(p[2], p[3], 0x88);
        const __m512i c = _mm512_shuffle_i64x2(p[0], p[1], 0xdd), d = _mm512_shuffle_i64x2(p[2], p[3], 0xdd);
        r[odd] = _mm512_shuffle_i64x2(a, b, 0x88);
        r[4 + odd] = _mm512_shuffle_i64x2(a, b, 0xdd);
        r[2 + odd] = _mm512_shuffle_i64x2(c, d, 0x88);
        r[6 + odd] = _mm512_shuffle_i64x2(c, d, 0xdd);
    }
}

}  // namespace
}  // namespace synod::batch
