// SPDX-License-Identifier: Apache-2.0
#include "transcript.hpp"

#include <sodium.h>

#include <cstring>

namespace synod::batch {
namespace {

//! Sets these hashes apart from every other use of SHA-512.
constexpr unsigned char kSeedDomain[] = "synod batch seed 1";
constexpr unsigned char kWeightDomain[] = "synod batch weights 1";
constexpr std::size_t kPerHash = 4;

void little_endian(std::uint64_t n, std::uint8_t* out) noexcept {
    for (int i = 0; i < 8; ++i) {
        out[i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
}

}  // namespace

void draw_weights(const std::vector<Sealed>& sealed, std::vector<Int128>& weights) {
    const std::size_t n = sealed.size();
    std::uint8_t number[8];
    std::uint8_t seed[64];
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, kSeedDomain, sizeof kSeedDomain);
    little_endian(n, number);
    crypto_hash_sha512_update(&state, number, sizeof number);
    for (const Sealed& one : sealed) {
        crypto_hash_sha512_update(&state, one.digest, sizeof one.digest);
        crypto_hash_sha512_update(&state, one.s, 32);
    }
    crypto_hash_sha512_final(&state, seed);

    weights.resize(n);
    for (std::size_t i = 0; i < n; i += kPerHash) {
        std::uint8_t block[sizeof kWeightDomain + sizeof seed + sizeof number];
        std::memcpy(block, kWeightDomain, sizeof kWeightDomain);
        std::memcpy(block + sizeof kWeightDomain, seed, sizeof seed);
        little_endian(i / kPerHash, block + sizeof kWeightDomain + sizeof seed);
        std::uint8_t out[64];
        crypto_hash_sha512(out, block, sizeof block);
        for (std::size_t j = 0; j < kPerHash && i + j < n; ++j) {
            std::memcpy(&weights[i + j], out + 16 * j, 16);
        }
    }
}

}  // namespace synod::batch
