// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The lane-parallel double SHA-256 (FIPS 180-4 section 6.2) that each kernel_<isa>.cpp instantiates with its own
//! register type. Everything is in an unnamed namespace and forced inline: a function of one instruction set must
//! never be merged by the linker with its namesake of another. No standard containers for the same reason.
//!
//! V supplies: kLanes, operator + ^ & |, static set(u32), static load(const u32*), store(u32*), rotr<n>(), shr<n>(),
//! static ch(e, f, g), static maj(a, b, c), static transpose(const u8* const*, V*) of a
//! block, static transpose_end(const u8* const*, V*) of the bytes 64 to 80, static write(const V*, out_of_lane),
//! static leave().

#include "kernels.hpp"
#include "padded_block.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

namespace synod::simd {
namespace {

#define SYNOD_LANE_INLINE [[gnu::always_inline]] inline
//! What is called once a block: unrolled in one place of a kernel instead of in each that needs it, since sixty-four
//! rounds are what its compilation spends its time on and a call costs nothing beside them.
#define SYNOD_LANE_CALL [[gnu::noinline]]

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
    const V t1 = (h + kw) + V::ch(e, f, g) + sum1;
    const V sum0 = V::xor3(a.template rotr<2>(), a.template rotr<13>(), a.template rotr<22>());
    d = d + t1;
    h = t1 + (sum0 + V::maj(a, b, c));
}

template <class V>
SYNOD_LANE_INLINE V small_sigma0(V x) {
    return V::xor3(x.template rotr<7>(), x.template rotr<18>(), x.template shr<3>());
}

template <class V>
SYNOD_LANE_INLINE V small_sigma1(V x) {
    return V::xor3(x.template rotr<17>(), x.template rotr<19>(), x.template shr<10>());
}

template <class V, int I, bool Extend>
SYNOD_LANE_INLINE void message_step(V* s, V* w, const std::uint32_t* k) {
    if constexpr (Extend) {
        w[I] = w[I] + small_sigma0(w[(I + 1) & 15]) + w[(I + 9) & 15] + small_sigma1(w[(I + 14) & 15]);
    }
    round_step<V, I>(s, w[I] + V::set(k[I]));
}

template <class V, bool Extend, int... I>
SYNOD_LANE_INLINE void message_rounds(V* s, V* w, const std::uint32_t* k,
                                      std::integer_sequence<int, I...>) {
    (message_step<V, I, Extend>(s, w, k), ...);
}

template <class V>
SYNOD_LANE_CALL void compress(V* state, V* w) {
    using Sixteen = std::make_integer_sequence<int, 16>;
    V s[8];
    for (int i = 0; i < 8; ++i) {
        s[i] = state[i];
    }
    message_rounds<V, false>(s, w, kRound, Sixteen{});
    for (int r = 16; r < 64; r += 16) {
        message_rounds<V, true>(s, w, kRound + r, Sixteen{});
    }
    for (int i = 0; i < 8; ++i) {
        state[i] = state[i] + s[i];
    }
}

//! Round T of a padded block; of the words that are known w holds nothing.
template <class V, class Block, int T>
SYNOD_LANE_INLINE void padded_step(V* s, V* w) {
    constexpr Block kBlock;
    if constexpr (kBlock.known[T]) {
        round_step<V, T>(s, V::set(kRound[T] + kBlock.part[T]));
    } else {
        if constexpr (T >= 16) {
            V word = w[T & 15];
            if constexpr (kBlock.known[T - 16]) {
                word = V::set(kBlock.part[T]);
            } else if constexpr (kBlock.part[T] != 0) {
                word = word + V::set(kBlock.part[T]);
            }
            if constexpr (!kBlock.known[T - 15]) {
                word = word + small_sigma0(w[(T + 1) & 15]);
            }
            if constexpr (!kBlock.known[T - 7]) {
                word = word + w[(T + 9) & 15];
            }
            if constexpr (!kBlock.known[T - 2]) {
                word = word + small_sigma1(w[(T + 14) & 15]);
            }
            w[T & 15] = word;
        }
        round_step<V, T>(s, w[T & 15] + V::set(kRound[T]));
    }
}

template <class V, class Block, int... T>
SYNOD_LANE_INLINE void padded_rounds(V* s, V* w, std::integer_sequence<int, T...>) {
    (padded_step<V, Block, T>(s, w), ...);
}

//! Like compress, for a block of which only the first words are in w.
template <class V, class Block>
SYNOD_LANE_CALL void compress_padded(V* state, V* w) {
    V s[8];
    for (int i = 0; i < 8; ++i) {
        s[i] = state[i];
    }
    padded_rounds<V, Block>(s, w, std::make_integer_sequence<int, 64>{});
    for (int i = 0; i < 8; ++i) {
        state[i] = state[i] + s[i];
    }
}

template <class V>
SYNOD_LANE_INLINE void begin(V* state) {
    for (int i = 0; i < 8; ++i) {
        state[i] = V::set(kInitial[i]);
    }
}

//! The second hash: `state` holds the first digest and is replaced by the digest of its 32 bytes.
template <class V>
SYNOD_LANE_CALL void rehash(V* state) {
    V w[16];
    for (int i = 0; i < 8; ++i) {
        w[i] = state[i];
    }
    begin(state);
    compress_padded<V, DigestBlock>(state, w);
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
        begin(state);
        V::transpose(in, w);
        compress(state, w);
        compress_padded<V, NodePadding>(state, w);
        rehash(state);
        V::write(state, [out](unsigned lane) { return out[lane]; });
    }
    V::leave();
}

//! Messages of 80 bytes: a whole block and four words.
template <class V>
void hash_headers(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t groups) {
    for (std::uint64_t g = 0; g < groups; ++g, in += V::kLanes, out += V::kLanes) {
        V state[8];
        V w[16];
        begin(state);
        V::transpose(in, w);
        compress(state, w);
        V::transpose_end(in, w);
        compress_padded<V, HeaderEnd>(state, w);
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

//! Lanes that all have `full` blocks of data and `blocks` in all: none waits for another.
template <class V>
SYNOD_LANE_INLINE void hash_even_group(const Lane* lanes) {
    V state[8];
    begin(state);
    const std::uint64_t full = lanes[0].full, blocks = lanes[0].blocks;
    for (std::uint64_t b = 0; b < blocks; ++b) {
        const std::uint8_t* block[V::kLanes];
        for (unsigned lane = 0; lane < V::kLanes; ++lane) {
            block[lane] = b < full ? lanes[lane].data + 64 * b : lanes[lane].tail + 64 * (b - full);
        }
        V w[16];
        V::transpose(block, w);
        compress(state, w);
    }
    rehash(state);
    V::write(state, [lanes](unsigned lane) { return lanes[lane].out; });
}

template <class V>
SYNOD_LANE_INLINE bool even(const Lane* lanes) {
    std::uint64_t difference = 0;
    for (unsigned lane = 1; lane < V::kLanes; ++lane) {
        difference |= (lanes[lane].full ^ lanes[0].full) | (lanes[lane].blocks ^ lanes[0].blocks);
    }
    return difference == 0;
}

template <class V>
SYNOD_LANE_INLINE void hash_uneven_group(const Lane* lanes) {
    std::uint64_t longest = 0;
    for (unsigned lane = 0; lane < V::kLanes; ++lane) {
        longest = lanes[lane].blocks > longest ? lanes[lane].blocks : longest;
    }
    V state[8];
    begin(state);
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
    for (std::uint64_t g = 0; g < groups; ++g, lanes += V::kLanes) {
        if (even<V>(lanes)) {
            hash_even_group<V>(lanes);
        } else {
            hash_uneven_group<V>(lanes);
        }
    }
    V::leave();
}

//! Words of each lane's bytes from `offset` on by plain loads; the kernels with wide registers bring their own.
template <class V, int Words>
SYNOD_LANE_INLINE void transpose_plain(const std::uint8_t* const* block, int offset, V* w) {
    alignas(64) std::uint32_t words[Words][V::kLanes];
    for (unsigned lane = 0; lane < V::kLanes; ++lane) {
        for (int i = 0; i < Words; ++i) {
            words[i][lane] = read_be32(block[lane] + offset + 4 * i);
        }
    }
    for (int i = 0; i < Words; ++i) {
        w[i] = V::load(words[i]);
    }
}

}  // namespace
}  // namespace synod::simd
