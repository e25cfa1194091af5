// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The newest measurements of one kind and their order statistics. A plain value; one thread.

#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/time.hpp"

namespace synod::app {

inline constexpr std::size_t kRecentTimes = 512;  //!< measurements kept; the oldest goes first

struct TimeSummary {
    double median_ms = 0, p99_ms = 0;  //!< nearest rank
    std::size_t samples = 0;
};

class RecentTimes {
  public:
    void add(Duration took);
    //! Nothing before the first measurement.
    [[nodiscard]] std::optional<TimeSummary> summary() const;

  private:
    std::vector<Duration> ring_;
    std::size_t next_ = 0;
};

}  // namespace synod::app
