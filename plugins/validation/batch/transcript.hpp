// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The weights of a batch's equations, drawn from a hash of all that the batch contains. README.md says why that is
//! sound. sodium_init() first; any thread.

#include "hashes.hpp"
#include "scalar.hpp"

#include <cstdint>
#include <vector>

namespace synod::batch {

//! What one signature adds to the hash. The digest is SHA-512(R || A || message), all 64 bytes: R and A have fixed
//! lengths, so it stands for all three. `s` is the signature's scalar.
struct Sealed {
    std::uint8_t digest[64];
    std::uint8_t s[32];
};

//! weights[i], uniform in [-2^127, 2^127). A leaf is the SHA-512 of kPerLeaf signatures and a tag, the seed that of all
//! leaves, the number of signatures and a tag; the seed, a number and a tag hash to four weights. The same batch gives
//! the same weights on every machine and with every kernel. Throws std::bad_alloc.
void draw_weights(const Kernel& kernel, const std::vector<Sealed>& sealed, std::vector<Int128>& weights);

}  // namespace synod::batch
