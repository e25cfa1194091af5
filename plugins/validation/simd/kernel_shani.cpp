// SPDX-License-Identifier: Apache-2.0
//! Double SHA-256 of one message at a time with the SHA extensions: finishes what doesn't fill a wide register.

#include "lanes.hpp"

#include <immintrin.h>

namespace synod::simd {
namespace {

//! The working variables in the order that sha256rnds2 wants: A B E F and C D G H, high to low.
struct Halves {
    __m128i abef;
    __m128i cdgh;
};

//! Both words' order is that of memory: w[0] in the lowest lane of m[0].
SYNOD_LANE_INLINE void sha_compress(Halves& state, __m128i* m) {
    Halves s = state;
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
        __m128i kw = _mm_add_epi32(
            m[i & 3], _mm_loadu_si128(reinterpret_cast<const __m128i*>(kRound.v + 4 * i)));
        s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, kw);
        kw = _mm_shuffle_epi32(kw, 0x0e);
        s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, kw);
        if (i < 12) {
            // W[t..t+3] from W[t-16..t-13], W[t-15..t-12], W[t-7..t-4] and W[t-4..t-1].
            const __m128i minus7 = _mm_alignr_epi8(m[(i + 3) & 3], m[(i + 2) & 3], 4);
            const __m128i sum =
                _mm_add_epi32(_mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]), minus7);
            m[i & 3] = _mm_sha256msg2_epu32(sum, m[(i + 3) & 3]);
        }
    }
    state.abef = _mm_add_epi32(state.abef, s.abef);
    state.cdgh = _mm_add_epi32(state.cdgh, s.cdgh);
}

SYNOD_LANE_INLINE __m128i swap_bytes(__m128i x) {
    return _mm_shuffle_epi8(x, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

SYNOD_LANE_INLINE Halves initial() {
    return {_mm_setr_epi32(static_cast<int>(kInitial[5]), static_cast<int>(kInitial[4]),
                           static_cast<int>(kInitial[1]), static_cast<int>(kInitial[0])),
            _mm_setr_epi32(static_cast<int>(kInitial[7]), static_cast<int>(kInitial[6]),
                           static_cast<int>(kInitial[3]), static_cast<int>(kInitial[2]))};
}

//! The digest's words in order: A B C D and E F G H, A in the lowest lane.
SYNOD_LANE_INLINE void in_order(const Halves& s, __m128i* abcd, __m128i* efgh) {
    const __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b);  // low to high: A B E F
    const __m128i hgdc = _mm_shuffle_epi32(s.cdgh, 0x1b);  // low to high: C D G H
    *abcd = _mm_unpacklo_epi64(feba, hgdc);
    *efgh = _mm_unpackhi_epi64(feba, hgdc);
}

SYNOD_LANE_INLINE void absorb(Halves& state, const std::uint8_t* block) {
    __m128i m[4];
    for (int i = 0; i < 4; ++i) {
        m[i] = swap_bytes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i)));
    }
    sha_compress(state, m);
}

//! Ends the first hash, runs the second over its digest and writes that.
SYNOD_LANE_INLINE void finish(const Halves& first, std::uint8_t* out) {
    __m128i m[4];
    in_order(first, &m[0], &m[1]);
    m[2] = _mm_setr_epi32(static_cast<int>(kPadWord), 0, 0, 0);
    m[3] = _mm_setr_epi32(0, 0, 0, 256);
    Halves second = initial();
    sha_compress(second, m);
    __m128i abcd;
    __m128i efgh;
    in_order(second, &abcd, &efgh);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), swap_bytes(abcd));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16), swap_bytes(efgh));
}

void sha_nodes(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t groups) {
    alignas(16) std::uint8_t padding[64] = {0x80};
    padding[62] = 2;  // 512 bits, big-endian
    for (std::uint64_t i = 0; i < groups; ++i) {
        Halves state = initial();
        absorb(state, in[i]);
        absorb(state, padding);
        finish(state, out[i]);
    }
}

void sha_spans(const Lane* lanes, std::uint64_t groups) {
    for (std::uint64_t i = 0; i < groups; ++i) {
        const Lane& l = lanes[i];
        Halves state = initial();
        for (std::uint64_t b = 0; b < l.blocks; ++b) {
            absorb(state, b < l.full ? l.data + 64 * b : l.tail + 64 * (b - l.full));
        }
        finish(state, l.out);
    }
}

}  // namespace

const Kernel kKernelShaNi = {"sha-ni", 1, 1, sha_nodes, sha_spans};

}  // namespace synod::simd
