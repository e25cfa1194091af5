// SPDX-License-Identifier: Apache-2.0
//! Settings that move: clamped, tried, taken back, remembered.
#include "core/sync/tuning.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace synod;
using namespace synod::sync;
using namespace std::chrono_literals;

namespace {

constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
constexpr auto kHighest = std::numeric_limits<std::int64_t>::max();

std::vector<std::int64_t> all(const Tuning& tuning, std::int64_t value) {
    return std::vector<std::int64_t>(tuning.knobs().size(), value);
}

std::vector<std::int64_t> values(const Tuning& tuning) {
    std::vector<std::int64_t> out;
    for (const auto& k : tuning.knobs()) {
        out.push_back(k.value);
    }
    return out;
}

}  // namespace

TEST_CASE("tuning: whatever is proposed stays within bounds, step and largest change") {
    for (const auto extreme : {kLowest, kHighest, std::int64_t{0}, std::int64_t{-1}}) {
        Tuning tuning({}, TuneLevel::aggressive, {});
        for (int i = 0; i < 300; ++i) {
            const auto before = values(tuning);
            const bool changed = tuning.propose(all(tuning, extreme), 1).has_value();
            for (std::size_t k = 0; k < before.size(); ++k) {
                const auto& knob = tuning.knobs()[k];
                CHECK(knob.value >= knob.min);
                CHECK(knob.value <= knob.max);
                CHECK(std::abs(knob.value - before[k]) <= knob.max_delta);
                CHECK((knob.value - before[k]) % knob.step == 0);
            }
            if (changed) {
                CHECK(tuning.judge(0).kept);
            }
        }
        for (const auto& knob : tuning.knobs()) {
            const auto end = extreme == kHighest ? knob.max : knob.min;
            CHECK(std::abs(knob.value - end) < knob.step);
        }
    }
}

TEST_CASE("tuning: a trial that is worse by more than 5 % is taken back and remembered") {
    Tuning tuning({}, TuneLevel::balanced, {});
    const auto start = values(tuning);
    const auto tried = tuning.propose(all(tuning, kHighest), 0.5);
    REQUIRE(tried);
    CHECK(*tried->parallel_downloads == 20);
    CHECK(*tried->batch_blocks == 256);
    const auto higher = values(tuning);
    const auto trial = tuning.judge(0.53);
    CHECK_FALSE(trial.kept);
    REQUIRE(trial.back);
    CHECK(*trial.back->parallel_downloads == 16);
    CHECK(*trial.back->window_bytes == SyncConfig{}.window_bytes);
    CHECK(values(tuning) == start);
    for (std::uint32_t i = 1; i < kRememberedDecisions; ++i) {
        CHECK_FALSE(tuning.propose(higher, 0.5));  // the same again: not so soon
    }
    CHECK(tuning.propose(higher, 0.5));
}

TEST_CASE("tuning: a trial that is no worse is kept") {
    Tuning tuning({}, TuneLevel::balanced, {});
    REQUIRE(tuning.propose(all(tuning, kHighest), 0.5));
    const auto higher = values(tuning);
    const auto trial = tuning.judge(0.52);
    CHECK(trial.kept);
    CHECK_FALSE(trial.back);
    CHECK(values(tuning) == higher);
    CHECK_FALSE(tuning.trial_open());
}

TEST_CASE("tuning: the levels scale the largest change") {
    const Tuning small({}, TuneLevel::conservative, {});
    const Tuning normal({}, TuneLevel::balanced, {});
    const Tuning large({}, TuneLevel::aggressive, {});
    for (std::size_t i = 0; i < normal.knobs().size(); ++i) {
        CHECK(small.knobs()[i].max_delta * 2 == normal.knobs()[i].max_delta);
        CHECK(large.knobs()[i].max_delta == normal.knobs()[i].max_delta * 2);
    }
    CHECK_FALSE(Tuning({}, TuneLevel::disabled, {}).enabled());
    CHECK(tune_level("aggressive") == TuneLevel::aggressive);
    CHECK_FALSE(tune_level("wild"));
}

TEST_CASE("tuning: the cost is what misses the targets") {
    const Tuning tuning({}, TuneLevel::balanced, {10'000, 50ms, 1'000'000'000});
    Measured good;
    good.blocks_per_s = 12'000;
    CHECK(tuning.cost(good, true) == 0);
    auto slow = good;
    slow.blocks_per_s = 5'000;
    CHECK(tuning.cost(slow, true) == doctest::Approx(.5));
    auto late = good;
    late.latency_p99 = 100ms;
    CHECK(tuning.cost(late, true) == 0);
    CHECK(tuning.cost(late, false) == doctest::Approx(1));
    auto big = good;
    big.memory_bytes = 1'500'000'000;
    CHECK(tuning.cost(big, true) == doctest::Approx(.5));
    auto failing = good;
    failing.error_rate = .25;
    CHECK(tuning.cost(failing, true) == doctest::Approx(.25));
    const auto signals = tuning.signals(slow, true);
    CHECK(signals[SYNOD_SIG_THROUGHPUT_BPS] == 5'000);
    CHECK(signals[SYNOD_SIG_TARGET_BPS] == 10'000);
    CHECK(signals[SYNOD_SIG_TARGET_LATENCY_US] == 0);
    CHECK(tuning.signals(slow, false)[SYNOD_SIG_TARGET_LATENCY_US] == 50'000);
}
