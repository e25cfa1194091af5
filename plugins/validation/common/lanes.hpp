// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The lane-parallel double SHA-256 (FIPS 180-4 section 6.2) that each kernel_<isa>.cpp instantiates with its own
//! register type. Everything is in an unnamed namespace and forced inline: a function of one instruction set must
//! never be merged by the linker with its namesake of another. No standard containers for the same reason.
//!
//! V supplies: kLanes, operator + ^ & |, static set(u32), static load(const u32*), store(u32*), rotr<n>(), shr<n>(),
//! static ch(e, f, g), static maj(a, b, c), static transpose(const u8* const*, V*),
//! static write(const V*, out_of_lane), static leave().

#include "kernels.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

namespace synod::simd {
namespace {

#define SYNOD_LANE_INLINE [[gnu::always_inline]] inline

struct Schedule {
    std::uint32_t v[64];
};

constexpr Schedule kRound = {{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2}};

constexpr std::uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
constexpr std::uint32_t kPadWord = 0x80000000;

constexpr std::uint32_t rotr32(std::uint32_t x, int n) {
    return (x >> n) | (x << (32 - n));
}

//! Round constants plus message schedule of the block that pads a 64-byte message: it is always the same.
constexpr Schedule node_padding() {
    Schedule w{};
    w.v[0] = kPadWord;
    w.v[15] = 512;
    for (int i = 16; i < 64; ++i) {
        const std::uint32_t a = w.v[i - 15];
        const std::uint32_t b = w.v[i - 2];
        const std::uint32_t s0 = rotr32(a, 7) ^ rotr32(a, 18) ^ (a >> 3);
        const std::uint32_t s1 = rotr32(b, 17) ^ rotr32(b, 19) ^ (b >> 10);
        w.v[i] = w.v[i - 16] + s0 + w.v[i - 7] + s1;
    }
    for (int i = 0; i < 64; ++i) {
        w.v[i] += kRound.v[i];
    }
    return w;
}
constexpr Schedule kNodePadding = node_padding();

//! One round; the eight working variables stay where they are and the index turns instead.
template <class V, int I>
SYNOD_LANE_INLINE void round_step(V* s, V kw) {
    V& a = s[(0 - I) & 7];
    V& b = s[(1 - I) & 7];
    V& c = s[(2 - I) & 7];
    V& d = s[(3 - I) & 7];
    V& e = s[(4 - I) & 7];
    V& f = s[(5 - I) & 7];
    V& g = s[(6 - I) & 7];
    V& h = s[(7 - I) & 7];
    const V sum1 = V::xor3(e.template rotr<6>(), e.template rotr<11>(), e.template rotr<25>());
    const V t1 = h + sum1 + V::ch(e, f, g) + kw;
    const V sum0 = V::xor3(a.template rotr<2>(), a.template rotr<13>(), a.template rotr<22>());
    d = d + t1;
    h = t1 + sum0 + V::maj(a, b, c);
}

template <class V, int I, bool Extend>
SYNOD_LANE_INLINE void message_step(V* s, V* w, const std::uint32_t* k) {
    if constexpr (Extend) {
        const V a = w[(I + 1) & 15];
        const V b = w[(I + 14) & 15];
        const V s0 = V::xor3(a.template rotr<7>(), a.template rotr<18>(), a.template shr<3>());
        const V s1 = V::xor3(b.template rotr<17>(), b.template rotr<19>(), b.template shr<10>());
        w[I] = w[I] + s0 + w[(I + 9) & 15] + s1;
    }
    round_step<V, I>(s, w[I] + V::set(k[I]));
}

template <class V, bool Extend, int... I>
SYNOD_LANE_INLINE void message_rounds(V* s, V* w, const std::uint32_t* k,
                                      std::integer_sequence<int, I...>) {
    (message_step<V, I, Extend>(s, w, k), ...);
}

template <class V, int... I>
SYNOD_LANE_INLINE void constant_rounds(V* s, const std::uint32_t* kw,
                                       std::integer_sequence<int, I...>) {
    (round_step<V, I>(s, V::set(kw[I])), ...);
}

template <class V>
SYNOD_LANE_INLINE void compress(V* state, V* w) {
    using Sixteen = std::make_integer_sequence<int, 16>;
    V s[8];
    for (int i = 0; i < 8; ++i) {
        s[i] = state[i];
    }
    message_rounds<V, false>(s, w, kRound.v, Sixteen{});
    for (int r = 16; r < 64; r += 16) {
        message_rounds<V, true>(s, w, kRound.v + r, Sixteen{});
    }
    for (int i = 0; i < 8; ++i) {
        state[i] = state[i] + s[i];
    }
}

template <class V>
SYNOD_LANE_INLINE void compress_node_padding(V* state) {
    V s[8];
    for (int i = 0; i < 8; ++i) {
        s[i] = state[i];
    }
    for (int r = 0; r < 64; r += 16) {
        constant_rounds<V>(s, kNodePadding.v + r, std::make_integer_sequence<int, 16>{});
    }
    for (int i = 0; i < 8; ++i) {
        state[i] = state[i] + s[i];
    }
}

//! The second hash: `state` holds the first digest and is replaced by the digest of its 32 bytes.
template <class V>
SYNOD_LANE_INLINE void rehash(V* state) {
    V w[16];
    for (int i = 0; i < 8; ++i) {
        w[i] = state[i];
        state[i] = V::set(kInitial[i]);
    }
    w[8] = V::set(kPadWord);
    for (int i = 9; i < 15; ++i) {
        w[i] = V::set(0);
    }
    w[15] = V::set(256);
    compress(state, w);
}

SYNOD_LANE_INLINE std::uint32_t read_be32(const std::uint8_t* p) {
    std::uint32_t v;
    std::memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

//! Digests from words by plain stores; the kernels with wide registers bring their own.
template <class V, class OutOf>
SYNOD_LANE_INLINE void write_plain(const V* state, OutOf out_of) {
    alignas(64) std::uint32_t words[8][V::kLanes];
    for (int i = 0; i < 8; ++i) {
        state[i].store(words[i]);
    }
    for (unsigned lane = 0; lane < V::kLanes; ++lane) {
        std::uint8_t* out = out_of(lane);
        for (int i = 0; i < 8; ++i) {
            const std::uint32_t v = __builtin_bswap32(words[i][lane]);
            std::memcpy(out + 4 * i, &v, 4);
        }
    }
}

template <class V>
void hash_nodes(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t groups) {
    for (std::uint64_t g = 0; g < groups; ++g, in += V::kLanes, out += V::kLanes) {
        V state[8];
        V w[16];
        for (int i = 0; i < 8; ++i) {
            state[i] = V::set(kInitial[i]);
        }
        V::transpose(in, w);
        compress(state, w);
        compress_node_padding(state);
        rehash(state);
        V::write(state, [out](unsigned lane) { return out[lane]; });
    }
    V::leave();
}

//! Keeps the columns of the lanes whose last block was `done`, so that longer lanes can run on.
template <class V>
SYNOD_LANE_INLINE void keep_finished(const Lane* lanes, std::uint64_t done, const V* state,
                                     std::uint32_t (*kept)[V::kLanes]) {
    alignas(64) std::uint32_t now[8][V::kLanes];
    for (int i = 0; i < 8; ++i) {
        state[i].store(now[i]);
    }
    for (unsigned lane = 0; lane < V::kLanes; ++lane) {
        if (lanes[lane].blocks == done) {
            for (int i = 0; i < 8; ++i) {
                kept[i][lane] = now[i][lane];
            }
        }
    }
}

template <class V>
SYNOD_LANE_INLINE void hash_span_group(const Lane* lanes) {
    std::uint64_t longest = 0;
    for (unsigned lane = 0; lane < V::kLanes; ++lane) {
        longest = lanes[lane].blocks > longest ? lanes[lane].blocks : longest;
    }
    V state[8];
    for (int i = 0; i < 8; ++i) {
        state[i] = V::set(kInitial[i]);
    }
    alignas(64) std::uint32_t kept[8][V::kLanes] = {};
    for (std::uint64_t b = 0; b < longest; ++b) {
        const std::uint8_t* block[V::kLanes];
        bool finishes = false;
        for (unsigned lane = 0; lane < V::kLanes; ++lane) {
            const Lane& l = lanes[lane];
            // A lane that is done reads its last tail block again; what it computes is never used.
            const std::uint64_t at = b < l.blocks ? b : l.blocks - 1;
            block[lane] = at < l.full ? l.data + 64 * at : l.tail + 64 * (at - l.full);
            finishes = finishes || l.blocks == b + 1;
        }
        V w[16];
        V::transpose(block, w);
        compress(state, w);
        if (finishes) {
            keep_finished(lanes, b + 1, state, kept);
        }
    }
    for (int i = 0; i < 8; ++i) {
        state[i] = V::load(kept[i]);
    }
    rehash(state);
    V::write(state, [lanes](unsigned lane) { return lanes[lane].out; });
}

template <class V>
void hash_spans(const Lane* lanes, std::uint64_t groups) {
    for (std::uint64_t g = 0; g < groups; ++g) {
        hash_span_group<V>(lanes + g * V::kLanes);
    }
    V::leave();
}

//! Blocks to words by plain loads; the kernels with wide registers bring their own.
template <class V>
SYNOD_LANE_INLINE void transpose_plain(const std::uint8_t* const* block, V* w) {
    alignas(64) std::uint32_t words[16][V::kLanes];
    for (unsigned lane = 0; lane < V::kLanes; ++lane) {
        for (int i = 0; i < 16; ++i) {
            words[i][lane] = read_be32(block[lane] + 4 * i);
        }
    }
    for (int i = 0; i < 16; ++i) {
        w[i] = V::load(words[i]);
    }
}

}  // namespace
}  // namespace synod::simd
