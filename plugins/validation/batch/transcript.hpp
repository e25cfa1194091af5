// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The weights of a batch's equations, drawn from a hash of all that the batch contains. README.md says why that is
//! sound. sodium_init() first; any thread.

#include "scalar.hpp"

#include <cstdint>
#include <vector>

namespace synod::batch {

//! What one signature adds to the hash. The digest is SHA-512(R || A || message), all 64 bytes: R and A have fixed
//! lengths, so it stands for all three. `s` are the 32 bytes of the signature's scalar.
struct Sealed {
    std::uint8_t digest[64];
    const std::uint8_t* s;
};

//! weights[i], uniform in [-2^127, 2^127): four of them are one SHA-512 of the batch's seed and their number, and the
//! seed is SHA-512 of everything in `sealed`, in order. The same batch gives the same weights on every machine.
void draw_weights(const std::vector<Sealed>& sealed, std::vector<Int128>& weights);

}  // namespace synod::batch
