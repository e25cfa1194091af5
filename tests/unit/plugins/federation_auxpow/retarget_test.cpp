// SPDX-License-Identifier: Apache-2.0
//! ASERT over thousands of records whose times are drawn as mining draws them: exponential, with the mean that target
//! and hash rate give. No clock; the same draws on every run.
#include <doctest/doctest.h>

#include <cmath>

#include "plugins/consensus/federation/auxpow/asert.hpp"

using namespace synod::federation;

namespace {

constexpr uint32_t kFirstBits = 0x1b0404cb;
constexpr uint32_t kEasiestBits = 0x1d00ffff;
constexpr int kRecords = 2'000;    // under one hash rate
constexpr int kSettled = 500;      // the last of them that are judged
constexpr double kTolerance = 0.05; // of the aim

/// SplitMix64 (Steele, Lea and Flood 2014), as a number in (0, 1].
class Draw {
public:
    explicit Draw(uint64_t seed) : state_(seed) {}
    double operator()() {
        uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        return (static_cast<double>(z >> 11) + 1) / 9007199254740992.0;
    }

private:
    uint64_t state_;
};

/// log2 of the target.
double log2_of(uint32_t bits) {
    return std::log2(static_cast<double>(bits & 0xffffff)) + 8.0 * (static_cast<double>(bits >> 24) - 3);
}

AsertParams params() {
    AsertParams out;
    out.easiest = *target_from_bits(kEasiestBits);
    return out;
}

/// Mines records and retargets after each; `rate` is relative to what kFirstBits suits.
class Miner {
public:
    explicit Miner(uint64_t seed) : draw_(seed) {}
    /// Seconds that one record took.
    uint64_t mine(double rate) {
        const double mean = kAsertAimS * std::exp2(log2_of(kFirstBits) - log2_of(last_.bits)) / rate;
        const auto took = static_cast<uint64_t>(std::llround(-mean * std::log(draw_())));
        last_.previous_time_s = last_.time_s;
        last_.time_s += took;
        const auto bits = next_bits(last_, params());
        REQUIRE(bits);
        last_.bits = *bits;
        return took;
    }
    uint32_t bits() const { return last_.bits; }

private:
    Draw draw_;
    ParentRecord last_{kFirstBits, 1'700'000'000, 1'700'000'000 - kAsertAimS};
};

} // namespace

TEST_CASE("ASERT brings records back to the aim after every jump of the hash rate") {
    for (const uint64_t seed : {1, 2, 3, 4, 5}) {
        Miner miner(seed);
        for (const double rate : {1.0, 8.0, 0.4, 1.2, 100.0, 1.0}) {
            CAPTURE(seed);
            CAPTURE(rate);
            double settled = 0, first = 0;
            for (int i = 0; i < kRecords; ++i) {
                const auto took = static_cast<double>(miner.mine(rate));
                first += i < 10 ? took / 10 : 0;
                settled += i >= kRecords - kSettled ? took / kSettled : 0;
            }
            CHECK(settled > kAsertAimS * (1 - kTolerance));
            CHECK(settled < kAsertAimS * (1 + kTolerance));
            // The difficulty is what the rate asks for, to half a doubling.
            CHECK(std::abs(log2_of(kFirstBits) - log2_of(miner.bits()) - std::log2(rate)) < 0.5);
            if (rate == 8.0 || rate == 100.0) {
                CHECK(first < kAsertAimS / 3.0);
            }
        }
    }
}

TEST_CASE("ASERT never makes the target easier than the limit, however long nobody mines") {
    ParentRecord last{kFirstBits, 1'700'000'000, 1'700'000'000 - kAsertAimS};
    for (int i = 0; i < 200; ++i) {
        last.previous_time_s = last.time_s;
        last.time_s += 86'400;
        const auto bits = next_bits(last, params());
        REQUIRE(bits);
        REQUIRE(*target_from_bits(*bits) <= *target_from_bits(kEasiestBits));
        last.bits = *bits;
    }
    CHECK(last.bits == kEasiestBits);
}
