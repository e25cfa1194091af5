// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Lanes of 32 bits in an xsimd register, for the kernels whose instruction set has no rotation. Each including file
//! is compiled for its own instruction set; the unnamed namespace keeps them apart.

#include "lanes.hpp"

#include <xsimd/xsimd.hpp>

namespace synod::simd {
namespace {

template <class Arch>
struct XsimdLane {
    using Register = xsimd::batch<std::uint32_t, Arch>;
    static constexpr unsigned kLanes = Register::size;
    Register v;

    SYNOD_LANE_INLINE static XsimdLane set(std::uint32_t x) { return {Register(x)}; }
    SYNOD_LANE_INLINE static XsimdLane load(const std::uint32_t* p) {
        return {Register::load_aligned(p)};
    }
    SYNOD_LANE_INLINE void store(std::uint32_t* p) const { v.store_aligned(p); }
    SYNOD_LANE_INLINE XsimdLane operator+(XsimdLane o) const { return {v + o.v}; }
    template <int N>
    SYNOD_LANE_INLINE XsimdLane shr() const {
        return {v >> N};
    }
    template <int N>
    SYNOD_LANE_INLINE XsimdLane rotr() const {
        return {(v >> N) | (v << (32 - N))};
    }
    SYNOD_LANE_INLINE static XsimdLane xor3(XsimdLane a, XsimdLane b, XsimdLane c) {
        return {a.v ^ b.v ^ c.v};
    }
    SYNOD_LANE_INLINE static XsimdLane ch(XsimdLane e, XsimdLane f, XsimdLane g) {
        return {g.v ^ (e.v & (f.v ^ g.v))};
    }
    SYNOD_LANE_INLINE static XsimdLane maj(XsimdLane a, XsimdLane b, XsimdLane c) {
        return {(a.v & b.v) | (c.v & (a.v | b.v))};
    }
    SYNOD_LANE_INLINE static void transpose(const std::uint8_t* const* block, XsimdLane* w) {
        transpose_plain<XsimdLane, 16>(block, 0, w);
    }
    SYNOD_LANE_INLINE static void transpose_end(const std::uint8_t* const* message, XsimdLane* w) {
        transpose_plain<XsimdLane, 4>(message, 64, w);
    }
    template <class OutOf>
    SYNOD_LANE_INLINE static void write(const XsimdLane* state, OutOf out_of) {
        write_plain(state, out_of);
    }
    SYNOD_LANE_INLINE static void leave() {
#if defined(__AVX__)
        // Without it SHA-NI and SSE code that runs next pays for the dirty upper halves.
        _mm256_zeroupper();
#endif
    }
};

}  // namespace
}  // namespace synod::simd
