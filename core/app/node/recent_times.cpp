// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/recent_times.hpp"

#include <algorithm>

namespace synod::app {

void RecentTimes::add(Duration took) {
    if (ring_.size() < kRecentTimes) {
        ring_.push_back(took);
        return;
    }
    ring_[next_] = took;
    next_ = (next_ + 1) % kRecentTimes;
}

std::optional<TimeSummary> RecentTimes::summary() const {
    if (ring_.empty()) {
        return std::nullopt;
    }
    auto sorted = ring_;
    std::ranges::sort(sorted);
    const auto at = [&](std::size_t percent) {
        const auto rank = (sorted.size() * percent + 99) / 100;
        return to_milliseconds(sorted[rank - 1]);
    };
    return TimeSummary{at(50), at(99), sorted.size()};
}

}  // namespace synod::app
