// SPDX-License-Identifier: Apache-2.0
//! One lane in plain registers: what runs where nothing better is known, and what finishes odd counts.

#include "lanes.hpp"

namespace synod::simd {
namespace {

struct PlainLane {
    static constexpr unsigned kLanes = 1;
    std::uint32_t v;

    SYNOD_LANE_INLINE static PlainLane set(std::uint32_t x) { return {x}; }
    SYNOD_LANE_INLINE static PlainLane load(const std::uint32_t* p) { return {*p}; }
    SYNOD_LANE_INLINE void store(std::uint32_t* p) const { *p = v; }
    SYNOD_LANE_INLINE PlainLane operator+(PlainLane o) const { return {v + o.v}; }
    template <int N>
    SYNOD_LANE_INLINE PlainLane shr() const {
        return {v >> N};
    }
    template <int N>
    SYNOD_LANE_INLINE PlainLane rotr() const {
        return {rotr32(v, N)};
    }
    SYNOD_LANE_INLINE static PlainLane xor3(PlainLane a, PlainLane b, PlainLane c) {
        return {a.v ^ b.v ^ c.v};
    }
    SYNOD_LANE_INLINE static PlainLane ch(PlainLane e, PlainLane f, PlainLane g) {
        return {g.v ^ (e.v & (f.v ^ g.v))};
    }
    SYNOD_LANE_INLINE static PlainLane maj(PlainLane a, PlainLane b, PlainLane c) {
        return {(a.v & b.v) | (c.v & (a.v | b.v))};
    }
    SYNOD_LANE_INLINE static void transpose(const std::uint8_t* const* block, PlainLane* w) {
        transpose_plain<PlainLane, 16>(block, 0, w);
    }
    SYNOD_LANE_INLINE static void transpose_end(const std::uint8_t* const* message, PlainLane* w) {
        transpose_plain<PlainLane, 4>(message, 64, w);
    }
    template <class OutOf>
    SYNOD_LANE_INLINE static void write(const PlainLane* state, OutOf out_of) {
        write_plain(state, out_of);
    }
    SYNOD_LANE_INLINE static void leave() {}
};

}  // namespace

const Kernel kKernelPortable = {"portable", 1, 1, hash_nodes<PlainLane>, hash_headers<PlainLane>,
                               hash_spans<PlainLane>};

}  // namespace synod::simd
