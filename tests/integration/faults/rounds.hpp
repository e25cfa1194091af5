// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How often a fault is repeated: a few times in the ordinary run, many with SYNOD_LONG=1; and the
//! dice, from SYNOD_SEED or chosen anew and printed.

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>

namespace synod::testing {

inline int rounds(int ordinary, int whole) { return std::getenv("SYNOD_LONG") != nullptr ? whole : ordinary; }

inline std::mt19937_64 dice() {
    const char* given = std::getenv("SYNOD_SEED");
    const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
    MESSAGE("seed " << seed << " (SYNOD_SEED repeats it)");
    return std::mt19937_64(seed);
}

}  // namespace synod::testing
