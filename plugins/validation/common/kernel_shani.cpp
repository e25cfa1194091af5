// SPDX-License-Identifier: Apache-2.0
//! Double SHA-256 with the SHA extensions, two messages in step: the fastest below AVX-512, and what finishes the
//! messages that don't fill a wide register.

#include "lanes.hpp"

#include <immintrin.h>

namespace synod::simd {
namespace {

//! The working variables in the order that sha256rnds2 wants: A B E F and C D G H, high to low.
struct Halves {
    __m128i abef;
    __m128i cdgh;
};

//! N messages in step: one alone would wait for sha256rnds2's latency half of the time. The words' order is that of
//! memory: w[0] in the lowest lane of m[0].
template <int N>
SYNOD_LANE_INLINE void sha_compress(Halves* state, __m128i (*m)[4]) {
    Halves s[N];
    for (int n = 0; n < N; ++n) {
        s[n] = state[n];
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
        const __m128i k = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kRound + 4 * i));
        __m128i kw[N];
        for (int n = 0; n < N; ++n) {
            kw[n] = _mm_add_epi32(m[n][i & 3], k);
            s[n].cdgh = _mm_sha256rnds2_epu32(s[n].cdgh, s[n].abef, kw[n]);
        }
        for (int n = 0; n < N; ++n) {
            s[n].abef = _mm_sha256rnds2_epu32(s[n].abef, s[n].cdgh, _mm_shuffle_epi32(kw[n], 0x0e));
        }
        for (int n = 0; n < N && i < 12; ++n) {
            // W[t..t+3] from W[t-16..t-13], W[t-15..t-12], W[t-7..t-4] and W[t-4..t-1].
            __m128i* w = m[n];
            const __m128i minus7 = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
            const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]), minus7);
            w[i & 3] = _mm_sha256msg2_epu32(sum, w[(i + 3) & 3]);
        }
    }
    for (int n = 0; n < N; ++n) {
        state[n].abef = _mm_add_epi32(state[n].abef, s[n].abef);
        state[n].cdgh = _mm_add_epi32(state[n].cdgh, s[n].cdgh);
    }
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

template <int N>
SYNOD_LANE_INLINE void absorb(Halves* state, const std::uint8_t* const* block) {
    __m128i m[N][4];
    for (int n = 0; n < N; ++n) {
        for (int i = 0; i < 4; ++i) {
            m[n][i] = swap_bytes(
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(block[n] + 16 * i)));
        }
    }
    sha_compress<N>(state, m);
}

//! Ends the first hash, runs the second over its digest and writes that.
template <int N>
SYNOD_LANE_INLINE void finish(const Halves* first, std::uint8_t* const* out) {
    __m128i m[N][4];
    Halves second[N];
    for (int n = 0; n < N; ++n) {
        in_order(first[n], &m[n][0], &m[n][1]);
        m[n][2] = _mm_setr_epi32(static_cast<int>(kPadWord), 0, 0, 0);
        m[n][3] = _mm_setr_epi32(0, 0, 0, 256);
        second[n] = initial();
    }
    sha_compress<N>(second, m);
    for (int n = 0; n < N; ++n) {
        __m128i abcd;
        __m128i efgh;
        in_order(second[n], &abcd, &efgh);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out[n]), swap_bytes(abcd));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out[n] + 16), swap_bytes(efgh));
    }
}

//! The block that pads a message of 64 bytes; its length in bits is big-endian at the end.
alignas(16) constexpr std::uint8_t kPadding[64] = {
    0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0};

template <int N>
SYNOD_LANE_INLINE void nodes_in_step(const std::uint8_t* const* in, std::uint8_t* const* out) {
    Halves state[N];
    const std::uint8_t* padding[N];
    for (int n = 0; n < N; ++n) {
        state[n] = initial();
        padding[n] = kPadding;
    }
    absorb<N>(state, in);
    absorb<N>(state, padding);
    finish<N>(state, out);
}

template <int N>
SYNOD_LANE_INLINE void headers_in_step(const std::uint8_t* const* in, std::uint8_t* const* out) {
    Halves state[N];
    __m128i m[N][4];
    for (int n = 0; n < N; ++n) {
        state[n] = initial();
        m[n][0] = swap_bytes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in[n] + 64)));
        m[n][1] = _mm_setr_epi32(static_cast<int>(kPadWord), 0, 0, 0);
        m[n][2] = _mm_setzero_si128();
        m[n][3] = _mm_setr_epi32(0, 0, 0, 8 * 80);
    }
    absorb<N>(state, in);
    sha_compress<N>(state, m);
    finish<N>(state, out);
}

//! Two messages in step as long as there are two.
template <class Two, class One>
SYNOD_LANE_INLINE void in_pairs(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t n, Two two,
                                One one) {
    std::uint64_t i = 0;
    for (; i + 2 <= n; i += 2) {
        two(in + i, out + i);
    }
    if (i < n) {
        one(in + i, out + i);
    }
}

void sha_nodes(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t groups) {
    in_pairs(in, out, groups, nodes_in_step<2>, nodes_in_step<1>);
}

void sha_headers(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t groups) {
    in_pairs(in, out, groups, headers_in_step<2>, headers_in_step<1>);
}

SYNOD_LANE_INLINE const std::uint8_t* block_of(const Lane& l, std::uint64_t b) {
    return b < l.full ? l.data + 64 * b : l.tail + 64 * (b - l.full);
}

SYNOD_LANE_INLINE void absorb_rest(Halves* state, const Lane& l, std::uint64_t from) {
    for (std::uint64_t b = from; b < l.blocks; ++b) {
        const std::uint8_t* block = block_of(l, b);
        absorb<1>(state, &block);
    }
}

void sha_spans(const Lane* lanes, std::uint64_t groups) {
    std::uint64_t i = 0;
    for (; i + 2 <= groups; i += 2) {
        const Lane& first = lanes[i];
        const Lane& second = lanes[i + 1];
        Halves state[2] = {initial(), initial()};
        const std::uint64_t common = first.blocks < second.blocks ? first.blocks : second.blocks;
        for (std::uint64_t b = 0; b < common; ++b) {
            const std::uint8_t* block[2] = {block_of(first, b), block_of(second, b)};
            absorb<2>(state, block);
        }
        absorb_rest(&state[0], first, common);
        absorb_rest(&state[1], second, common);
        std::uint8_t* const out[2] = {first.out, second.out};
        finish<2>(state, out);
    }
    if (i < groups) {
        Halves state = initial();
        absorb_rest(&state, lanes[i], 0);
        finish<1>(&state, &lanes[i].out);
    }
}

}  // namespace

const Kernel kKernelShaNi = {"sha-ni", 1, 1, sha_nodes, sha_headers, sha_spans};

}  // namespace synod::simd
