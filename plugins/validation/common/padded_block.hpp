// SPDX-License-Identifier: Apache-2.0
#pragma once
//! SHA-256's constants, and the last blocks of messages of a fixed length (FIPS 180-4 sections 4.1.2, 5.1.1, 5.3.3 and
//! 6.2.2). Of such a block the words from `First` on are padding, known when this is compiled, and with them a part
//! of its message schedule. In an unnamed namespace for the reason that lanes.hpp gives.

#include <cstdint>

namespace synod::simd {
namespace {

constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr std::uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
constexpr std::uint32_t kPadWord = 0x80000000;

constexpr std::uint32_t rotr32(std::uint32_t x, int n) {
    return (x >> n) | (x << (32 - n));
}

constexpr std::uint32_t sigma0(std::uint32_t x) {
    return rotr32(x, 7) ^ rotr32(x, 18) ^ (x >> 3);
}
constexpr std::uint32_t sigma1(std::uint32_t x) {
    return rotr32(x, 17) ^ rotr32(x, 19) ^ (x >> 10);
}

//! A block whose first `First` words are data and whose others pad a message of `Bytes` bytes.
template <int First, std::uint32_t Bytes>
struct PaddedBlock {
    bool known[64] = {};
    //! A known word; of another one the sum of what its known inputs add to it.
    std::uint32_t part[64] = {};

    constexpr PaddedBlock() {
        for (int t = First; t < 16; ++t) {
            known[t] = true;
            part[t] = t == First ? kPadWord : t == 15 ? 8 * Bytes : 0;
        }
        for (int t = 16; t < 64; ++t) {
            known[t] = known[t - 16] && known[t - 15] && known[t - 7] && known[t - 2];
            part[t] = (known[t - 16] ? part[t - 16] : 0) + (known[t - 15] ? sigma0(part[t - 15]) : 0) +
                      (known[t - 7] ? part[t - 7] : 0) + (known[t - 2] ? sigma1(part[t - 2]) : 0);
        }
    }
};

using NodePadding = PaddedBlock<0, 64>;    //!< after the two digests of an inner node
using HeaderEnd = PaddedBlock<4, 80>;      //!< the last 16 bytes of a Bitcoin header
using DigestBlock = PaddedBlock<8, 32>;    //!< a digest that is hashed again

}  // namespace
}  // namespace synod::simd
