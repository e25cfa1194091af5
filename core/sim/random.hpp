// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The simulation's dice (SplitMix64, Steele et al., OOPSLA 2014): the same seed, the same throws, on
//! every machine. The standard library's distributions differ between libraries, so none is used.
//! Each part draws from a stream of its own, so that one more throw here moves nothing there. Pure.

#include <cmath>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace synod::sim {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        auto x = state_;
        x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31U);
    }
    //! [0, bound); 0 for a bound of 0.
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    //! [low, high], whole nanoseconds. Precondition: low <= high.
    Duration between(Duration low, Duration high) {
        return low + Duration(static_cast<Duration::rep>(
                         below(static_cast<std::uint64_t>((high - low).count()) + 1)));
    }
    //! True with the probability `parts_per_million` / 1,000,000.
    bool chance(std::uint32_t parts_per_million) { return below(1'000'000) < parts_per_million; }
    //! True once in `n` throws on average; never for 0.
    bool one_in(std::uint64_t n) { return n > 0 && below(n) == 0; }
    //! A stream of its own for a part of the world.
    [[nodiscard]] Random stream(std::string_view part, std::uint64_t number = 0) const {
        auto mixed = state_ ^ (number * 0xd6e8feb86659fd93ULL);
        for (const char c : part) {
            mixed = (mixed ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
        }
        Random out(mixed);
        out.next();
        return out;
    }
    //! For seeds and keys of whoever wants bytes.
    void fill(std::span<std::uint8_t> out) {
        for (auto& byte : out) {
            byte = static_cast<std::uint8_t>(next());
        }
    }

  private:
    std::uint64_t state_;
};

}  // namespace synod::sim
