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
    SYNOD_LANE_INLINE static void transpose(const std::uint8_t* const* block, Avx512Lane* w) {
        transpose_plain(block, w);
    }
    template <class OutOf>
    SYNOD_LANE_INLINE static void write(const Avx512Lane* state, OutOf out_of) {
        write_plain(state, out_of);
    }
    SYNOD_LANE_INLINE static void leave() { _mm256_zeroupper(); }
};

}  // namespace

const Kernel kKernelAvx512 = {"avx512", Avx512Lane::kLanes, 3, hash_nodes<Avx512Lane>,
                              hash_spans<Avx512Lane>};

}  // namespace synod::simd
