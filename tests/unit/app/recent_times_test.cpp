// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/recent_times.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::app;
using std::chrono::milliseconds;

TEST_CASE("recent times: median and p99 by nearest rank, whatever the order") {
    RecentTimes times;
    CHECK_FALSE(times.summary());
    times.add(milliseconds(7));
    CHECK(times.summary()->median_ms == 7);
    CHECK(times.summary()->p99_ms == 7);
    RecentTimes hundred;
    for (int i = 100; i >= 1; --i) {
        hundred.add(milliseconds(i));
    }
    CHECK(hundred.summary()->median_ms == 50);
    CHECK(hundred.summary()->p99_ms == 99);
    CHECK(hundred.summary()->samples == 100);
}

TEST_CASE("recent times: only the newest count") {
    RecentTimes times;
    for (std::size_t i = 0; i < kRecentTimes; ++i) {
        times.add(milliseconds(1'000));
    }
    for (std::size_t i = 0; i < kRecentTimes; ++i) {
        times.add(milliseconds(2));
    }
    CHECK(times.summary()->p99_ms == 2);
    CHECK(times.summary()->samples == kRecentTimes);
}
