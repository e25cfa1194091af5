// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Test helpers: the hash through libsodium and the real proofs, read in place.
#include "plugins/consensus/federation/auxpow/auxpow.hpp"

#include <string>
#include <vector>

namespace synod::federation::test {

Hasher sodium_hasher();

/// A real merge-mined header: the 80 bytes whose hash is the aux block's id, then the proof.
struct RealProof {
    std::string name;
    uint32_t chain_id = 0;
    Hash32 hash{};
    uint32_t bits = 0;
    bool sha256d = true; ///< false: the parent's work is scrypt, so the target can't be judged
    Bytes proof;
};

/// Empty when the vectors are absent; the caller says so and skips.
std::vector<RealProof> real_proofs();
std::vector<RealProof> regtest_proofs();

/// A deterministic generator (xorshift64*), so that a failure can be repeated.
class Rng {
public:
    explicit Rng(uint64_t seed) : state_(seed) {}
    uint64_t operator()() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 2685821657736338717ull;
    }
    uint64_t below(uint64_t n) { return (*this)() % n; }

private:
    uint64_t state_;
};

} // namespace synod::federation::test
