// SPDX-License-Identifier: Apache-2.0
//! Double SHA-256 in sixteen lanes. AVX-512 rotates and combines three operands in one instruction each, which is
//! what xsimd 8.1 can't say; the rest is the same as everywhere.

#include "lanes.hpp"

#include <immintrin.h>

namespace synod::simd {
namespace {

struct Avx512Lane {
    static constexpr unsigned kLanes = 16;
    __m512i v;

    SYNOD_LANE_INLINE static Avx512Lane set(std::uint32_t x) {
        return {_mm512_set1_epi32(static_cast<int>(x))};
    }
    SYNOD_LANE_INLINE static Avx512Lane load(const std::uint32_t* p) {
        return {_mm512_load_si512(p)};
    }
    SYNOD_LANE_INLINE void store(std::uint32_t* p) const { _mm512_store_si512(p, v); }
    SYNOD_LANE_INLINE Avx512Lane operator+(Avx512Lane o) const {
        return {_mm512_add_epi32(v, o.v)};
    }
    template <int N>
    SYNOD_LANE_INLINE Avx512Lane shr() const {
        return {_mm512_srli_epi32(v, N)};
    }
    template <int N>
    SYNOD_LANE_INLINE Avx512Lane rotr() const {
        return {_mm512_ror_epi32(v, N)};
    }
    // The constants are the functions' truth tables, indexed by the bits a b c.
    SYNOD_LANE_INLINE static Avx512Lane xor3(Avx512Lane a, Avx512Lane b, Avx512Lane c) {
        return {_mm512_ternarylogic_epi32(a.v, b.v, c.v, 0x96)};
    }
    SYNOD_LANE_INLINE static Avx512Lane ch(Avx512Lane e, Avx512Lane f, Avx512Lane g) {
        return {_mm512_ternarylogic_epi32(e.v, f.v, g.v, 0xca)};
    }
    SYNOD_LANE_INLINE static Avx512Lane maj(Avx512Lane a, Avx512Lane b, Avx512Lane c) {
        return {_mm512_ternarylogic_epi32(a.v, b.v, c.v, 0xe8)};
    }
    //! Each 32-bit word between memory's big-endian order and the register's.
    SYNOD_LANE_INLINE static __m512i swap_bytes(__m512i x) {
        return _mm512_shuffle_epi8(
            x, _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203)));
    }
    //! Four rows of four words exchanged with their columns, in each 128-bit part by itself.
    SYNOD_LANE_INLINE static void turn_quarters(__m512i* r) {
        const __m512i a = _mm512_unpacklo_epi32(r[0], r[1]), b = _mm512_unpackhi_epi32(r[0], r[1]);
        const __m512i c = _mm512_unpacklo_epi32(r[2], r[3]), d = _mm512_unpackhi_epi32(r[2], r[3]);
        r[0] = _mm512_unpacklo_epi64(a, c);
        r[1] = _mm512_unpackhi_epi64(a, c);
        r[2] = _mm512_unpacklo_epi64(b, d);
        r[3] = _mm512_unpackhi_epi64(b, d);
    }
    SYNOD_LANE_INLINE static void transpose(const std::uint8_t* const* block, Avx512Lane* w) {
        __m512i r[16];
        for (int lane = 0; lane < 16; ++lane) {
            r[lane] = swap_bytes(_mm512_loadu_si512(block[lane]));
        }
        for (int four = 0; four < 16; four += 4) {
            turn_quarters(r + four);
        }
        // Part p of r[4g + k] now is word 4p + k of the lanes 4g to 4g + 3: the parts change places.
        for (int k = 0; k < 4; ++k) {
            const __m512i a = _mm512_shuffle_i32x4(r[k], r[4 + k], 0x44);
            const __m512i b = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0x44);
            const __m512i c = _mm512_shuffle_i32x4(r[k], r[4 + k], 0xee);
            const __m512i d = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0xee);
            w[k].v = _mm512_shuffle_i32x4(a, b, 0x88);
            w[4 + k].v = _mm512_shuffle_i32x4(a, b, 0xdd);
            w[8 + k].v = _mm512_shuffle_i32x4(c, d, 0x88);
            w[12 + k].v = _mm512_shuffle_i32x4(c, d, 0xdd);
        }
    }
    SYNOD_LANE_INLINE static void transpose_end(const std::uint8_t* const* message, Avx512Lane* w) {
        const auto end_of = [message](int lane) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(message[lane] + 64));
        };
        __m512i r[4];
        for (int k = 0; k < 4; ++k) {
            __m512i row = _mm512_castsi128_si512(end_of(k));
            row = _mm512_inserti32x4(row, end_of(4 + k), 1);
            row = _mm512_inserti32x4(row, end_of(8 + k), 2);
            r[k] = swap_bytes(_mm512_inserti32x4(row, end_of(12 + k), 3));
        }
        turn_quarters(r);
        for (int k = 0; k < 4; ++k) {
            w[k].v = r[k];
        }
    }
    template <class OutOf>
    SYNOD_LANE_INLINE static void write(const Avx512Lane* state, OutOf out_of) {
        __m512i r[8];
        for (int i = 0; i < 8; ++i) {
            r[i] = swap_bytes(state[i].v);
        }
        turn_quarters(r);
        turn_quarters(r + 4);
        // Part p of r[k] is the first half of the digest of lane 4p + k, that of r[4 + k] the second.
        const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        const __m512i high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
        for (unsigned k = 0; k < 4; ++k) {
            const __m512i first = _mm512_permutex2var_epi64(r[k], low, r[4 + k]);
            const __m512i second = _mm512_permutex2var_epi64(r[k], high, r[4 + k]);
            const auto put = [&](unsigned lane, __m256i digest) {
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out_of(lane)), digest);
            };
            put(k, _mm512_castsi512_si256(first));
            put(4 + k, _mm512_extracti64x4_epi64(first, 1));
            put(8 + k, _mm512_castsi512_si256(second));
            put(12 + k, _mm512_extracti64x4_epi64(second, 1));
        }
    }
    SYNOD_LANE_INLINE static void leave() { _mm256_zeroupper(); }
};

}  // namespace

const Kernel kKernelAvx512 = {"avx512", Avx512Lane::kLanes, 3, hash_nodes<Avx512Lane>,
                              hash_headers<Avx512Lane>, hash_spans<Avx512Lane>};

}  // namespace synod::simd
