// SPDX-License-Identifier: Apache-2.0
//! Double SHA-256 in eight lanes; compiled for its instruction set alone and called only where the processor has it.
//! xsimd computes; the transposition of eight messages into words, and of words into digests, is by intrinsics.

#include "xsimd_lane.hpp"

#include <immintrin.h>

namespace synod::simd {
namespace {

//! Turns eight rows of eight words into columns.
SYNOD_LANE_INLINE void transpose8(__m256i* r) {
    __m256i t[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    __m256i u[8];
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; ++i) {
        r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}

SYNOD_LANE_INLINE __m256i swap_words(__m256i x) {
    return _mm256_shuffle_epi8(x, _mm256_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203,
                                                    0x0c0d0e0f08090a0b, 0x0405060700010203));
}

struct Avx2Lane : XsimdLane<xsimd::avx2> {
    using Base = XsimdLane<xsimd::avx2>;
    Avx2Lane() = default;
    SYNOD_LANE_INLINE Avx2Lane(Base b) : Base(b) {}  // NOLINT: the base's operators answer with a Base

    SYNOD_LANE_INLINE static Avx2Lane raw(__m256i x) { return Base{Register(x)}; }

    SYNOD_LANE_INLINE static void transpose(const std::uint8_t* const* block, Avx2Lane* w) {
        for (int half = 0; half < 2; ++half) {
            __m256i r[8];
            for (int lane = 0; lane < 8; ++lane) {
                r[lane] = swap_words(_mm256_loadu_si256(
                    reinterpret_cast<const __m256i*>(block[lane] + 32 * half)));
            }
            transpose8(r);
            for (int i = 0; i < 8; ++i) {
                w[8 * half + i] = raw(r[i]);
            }
        }
    }

    SYNOD_LANE_INLINE static void transpose_end(const std::uint8_t* const* message, Avx2Lane* w) {
        transpose_plain<Avx2Lane, 4>(message, 64, w);
    }

    template <class OutOf>
    SYNOD_LANE_INLINE static void write(const Avx2Lane* state, OutOf out_of) {
        __m256i r[8];
        for (int i = 0; i < 8; ++i) {
            r[i] = state[i].v;
        }
        transpose8(r);
        for (unsigned lane = 0; lane < 8; ++lane) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out_of(lane)), swap_words(r[lane]));
        }
    }
};

}  // namespace

const Kernel kKernelAvx2 = {"avx2", Avx2Lane::kLanes, 4, hash_nodes<Avx2Lane>, hash_headers<Avx2Lane>,
                            hash_spans<Avx2Lane>};

}  // namespace synod::simd
