// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Roots of many Merkle trees at once, level by level over all of them, so that small trees fill lanes together.

#include "sha256d.hpp"

#include <synod/validation.h>

#include <cstdint>

namespace synod::simd {

//! Writes the verdicts of checks [first, last). Holds half a byte of scratch for each byte of leaves while it runs;
//! throws std::bad_alloc when there is none. Any thread.
void check_merkles(const Hasher& hasher, const synod_merkle_checks& checks, std::uint64_t first,
                   std::uint64_t last);

}  // namespace synod::simd
