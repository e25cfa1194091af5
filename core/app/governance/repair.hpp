// SPDX-License-Identifier: Apache-2.0
#pragma once
//! When to ask for events that are missing: at once, then after 1 s, doubling to 60 s, with jitter so that nodes that
//! miss the same don't ask together. A plain value that is told the time; control thread.

#include <algorithm>

#include "core/base/time.hpp"

namespace synod::app {

inline constexpr Duration kRepairFirst = std::chrono::seconds(1);
inline constexpr Duration kRepairMost = std::chrono::seconds(60);
inline constexpr std::uint64_t kRepairJitterPercent = 25;  //!< of the wait, up or down

class Repair {
  public:
    explicit Repair(std::uint64_t seed) : random_(seed | 1) {}

    [[nodiscard]] bool due(Instant now) const { return now >= at_; }
    //! It was asked for: when it is due again.
    void asked(Instant now) {
        at_ = now + jittered(wait_);
        wait_ = std::min<Duration>(wait_ * 2, kRepairMost);
    }
    //! Something came: the next gap is asked for at once.
    void progressed() {
        wait_ = kRepairFirst;
        at_ = {};
    }
    [[nodiscard]] Duration wait() const { return wait_; }

  private:
    Duration jittered(Duration wait) {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        const auto percent = 100 - kRepairJitterPercent + random_ % (2 * kRepairJitterPercent + 1);
        return wait * percent / 100;
    }

    std::uint64_t random_;
    Duration wait_ = kRepairFirst;
    Instant at_{};
};

}  // namespace synod::app
