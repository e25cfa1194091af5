// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How far and how fast (behaviour.md section 3): both percentages, the rate over the last minute,
//! the time left as a range or nothing. Owned by the machine, control thread; bounded memory.

#include <deque>
#include <optional>

#include "core/sync/snapshot.hpp"
#include "core/sync/types.hpp"

namespace synod::sync {

inline constexpr Duration kRateWindow = std::chrono::seconds(60);
inline constexpr Duration kRateSample = std::chrono::seconds(1);
//! Fewer samples than this: the rate is no ground for a prediction.
inline constexpr std::size_t kEtaSamples = 5;
//! A prediction beyond this is a wild number.
inline constexpr double kEtaMaxSeconds = 30.0 * 24 * 3600;
//! Spread of the samples (standard error / mean) beyond which there is no prediction.
inline constexpr double kEtaMaxSpread = 0.5;

class Progress {
  public:
    void begin(Height start, Instant now);
    //! The head and target now; cheap, samples once a second.
    void record(Height head, std::optional<Height> target, Instant now);

    [[nodiscard]] Height start() const { return start_; }
    //! Blocks a second over the last minute; 0 when unknown.
    [[nodiscard]] double rate(Instant now) const;
    //! None when there is no target, too little history, no net progress, or too much spread.
    [[nodiscard]] std::optional<Eta> eta(Height head, std::optional<Height> target,
                                         Instant now) const;
    //! 0..100 of start..target; 100 exactly when synced and nothing else.
    [[nodiscard]] double of_run(Height head, std::optional<Height> target, bool synced) const;
    //! 0..100, verified / target; same rule.
    [[nodiscard]] static double of_all(Height head, std::optional<Height> target, bool synced);

  private:
    struct Sample {
        Instant at{};
        Height head = 0;
        Height target = 0;
    };
    Height start_ = 0;
    std::deque<Sample> samples_;  // at most a minute's worth, one a second
};

}  // namespace synod::sync
