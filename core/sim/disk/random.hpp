// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The disk's own dice (SplitMix64): the same seed, the same throws, on every machine. The standard
//! library's distributions differ between libraries, so none is used. Pure.

#include <cstdint>

namespace synod::sim {

class DiskRandom {
  public:
    explicit DiskRandom(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t x = state_;
        x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31U);
    }
    //! [0, bound); 0 for a bound of 0.
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    //! True once in `n` throws on average; never for 0.
    bool one_in(std::uint64_t n) { return n > 0 && below(n) == 0; }

  private:
    std::uint64_t state_;
};

}  // namespace synod::sim
