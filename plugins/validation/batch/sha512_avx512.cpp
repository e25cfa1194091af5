// SPDX-License-Identifier: Apache-2.0
//! SHA-512 (FIPS 180-4) of eight messages at a time; compiled for its instruction set alone and called only where the
//! processor has it.

#include "kernels.hpp"
#include "transpose_avx512.hpp"

#include <immintrin.h>

namespace synod::batch {
namespace {

using Word = __m512i;  // one 64-bit word of each message

constexpr unsigned kLanes = 8;
constexpr unsigned kRounds = 80;

constexpr std::uint64_t kInitial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
    0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
constexpr std::uint64_t kRound[kRounds] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

Word splat(std::uint64_t word) { return _mm512_set1_epi64(static_cast<long long>(word)); }
Word add(Word a, Word b) { return _mm512_add_epi64(a, b); }
Word xor3(Word a, Word b, Word c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
Word choose(Word a, Word b, Word c) { return _mm512_ternarylogic_epi64(a, b, c, 0xca); }
Word majority(Word a, Word b, Word c) { return _mm512_ternarylogic_epi64(a, b, c, 0xe8); }

template <int r1, int r2, int r3>
Word big_sigma(Word x) {
    return xor3(_mm512_ror_epi64(x, r1), _mm512_ror_epi64(x, r2), _mm512_ror_epi64(x, r3));
}
template <int r1, int r2, int shift>
Word small_sigma(Word x) {
    return xor3(_mm512_ror_epi64(x, r1), _mm512_ror_epi64(x, r2), _mm512_srli_epi64(x, shift));
}

//! The sixteen big-endian words of one block of each message.
void load(const std::uint8_t* const* blocks, Word* w) {
    const Word swap = _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    for (unsigned half = 0; half < 2; ++half) {
        for (unsigned i = 0; i < kLanes; ++i) {
            w[8 * half + i] = _mm512_shuffle_epi8(_mm512_loadu_si512(blocks[i] + 64 * half), swap);
        }
        transpose(w + 8 * half);
    }
}

void compress(Word* state, Word* w) {
    Word a = state[0], b = state[1], c = state[2], d = state[3];
    Word e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned round = 0; round < kRounds; round += 16) {
#pragma GCC unroll 16
        for (unsigned i = 0; i < 16; ++i) {
            if (round != 0) {
                w[i] = add(add(w[i], small_sigma<19, 61, 6>(w[(i + 14) % 16])),
                           add(w[(i + 9) % 16], small_sigma<1, 8, 7>(w[(i + 1) % 16])));
            }
            const Word t1 = add(add(add(h, splat(kRound[round + i])), add(w[i], choose(e, f, g))),
                                big_sigma<14, 18, 41>(e));
            const Word t2 = add(big_sigma<28, 34, 39>(a), majority(a, b, c));
            h = g;
            g = f;
            f = e;
            e = add(d, t1);
            d = c;
            c = b;
            b = a;
            a = add(t1, t2);
        }
    }
    const Word out[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; ++i) {
        state[i] = add(state[i], out[i]);
    }
}

}  // namespace

void sha512_avx512(const HashLane* lanes, std::uint64_t n) {
    for (std::uint64_t at = 0; at < n; at += kLanes) {
        const unsigned here = n - at < kLanes ? static_cast<unsigned>(n - at) : kLanes;
        std::uint32_t longest = 0;
        for (unsigned i = 0; i < here; ++i) {
            longest = lanes[at + i].count > longest ? lanes[at + i].count : longest;
        }
        Word state[8];
        for (int i = 0; i < 8; ++i) {
            state[i] = splat(kInitial[i]);
        }
        for (std::uint32_t k = 0; k < longest; ++k) {
            const std::uint8_t* blocks[kLanes];
            __mmask8 running = 0;
            for (unsigned i = 0; i < kLanes; ++i) {
                const HashLane& lane = lanes[at + (i < here ? i : 0)];
                const bool runs = i < here && k < lane.count;
                running = static_cast<__mmask8>(running | (runs ? 1u << i : 0u));
                blocks[i] = lane.blocks[runs ? k : 0];
            }
            Word w[16];
            load(blocks, w);
            Word next[8];
            for (int i = 0; i < 8; ++i) {
                next[i] = state[i];
            }
            compress(next, w);
            for (int i = 0; i < 8; ++i) {
                state[i] = _mm512_mask_mov_epi64(state[i], running, next[i]);
            }
        }
        const Word swap = _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
        transpose(state);
        for (unsigned i = 0; i < here; ++i) {
            _mm512_storeu_si512(lanes[at + i].out, _mm512_shuffle_epi8(state[i], swap));
        }
    }
}

}  // namespace synod::batch
