// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Which settings may move while syncing, how far, and whether a move was good (behaviour.md section
//! 10). Sits between the machine's Tune event and an optimizer plugin: proposals are clamped to
//! bounds, step and largest change, tried, measured, and taken back when they made things worse. Plain
//! values on the control thread; measurements are passed in.

#include <synod/optimizer.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/sync/config.hpp"
#include "core/sync/events.hpp"

namespace synod::sync {

//! A trial that costs this much more than before is taken back.
inline constexpr double kWorseRatio = 1.05;
//! Decisions for which a value that was taken back isn't tried again.
inline constexpr std::uint32_t kRememberedDecisions = 12;

enum class TuneLevel : std::uint8_t { disabled, conservative, balanced, aggressive };
std::optional<TuneLevel> tune_level(std::string_view name);

struct TuneTargets {
    double blocks_per_s = 10'000;
    Duration latency = std::chrono::milliseconds(50);  //!< of a block at the tip
    std::uint64_t memory_bytes = 1'000'000'000;
};

//! What one interval showed.
struct Measured {
    double blocks_per_s = 0;
    Duration latency_p50{}, latency_p99{};  //!< from submission to stored
    std::uint32_t queue_depth = 0;          //!< ranges in processing
    double window_use = 0;                  //!< 0..1
    double goodput_bps = 0;                 //!< bytes/s and peer
    double error_rate = 0;                  //!< 0..1 of the requests that ended
    double cpu = 0;                         //!< 0..1 of all cores
    std::uint64_t memory_bytes = 0;
};

using Signals = std::array<std::int64_t, SYNOD_SIG_COUNT>;

struct Trial {
    bool kept = false;
    double cost_before = 0, cost_after = 0;
    std::optional<Tune> back;  //!< not kept: what restores the settings before
};

class Tuning {
  public:
    //! The manifest's values are where it starts and what it may always come back to.
    Tuning(const SyncConfig& config, TuneLevel level, TuneTargets targets);

    [[nodiscard]] bool enabled() const { return level_ != TuneLevel::disabled; }
    [[nodiscard]] const std::vector<synod_knob>& knobs() const { return knobs_; }
    //! `bulk`: many blocks are fetched at once, so that a single one's latency has no target.
    [[nodiscard]] Signals signals(const Measured& measured, bool bulk) const;
    //! 0 is perfect: shortfall of throughput, latency and memory over their targets, errors.
    [[nodiscard]] double cost(const Measured& measured, bool bulk) const;

    //! Takes one proposal a knob, in the order of knobs(), and begins a trial. Nothing when nothing
    //! changes. Precondition: no trial is open.
    std::optional<Tune> propose(std::span<const std::int64_t> proposed, double cost_now);
    [[nodiscard]] bool trial_open() const { return before_.has_value(); }
    //! Ends the trial. Precondition: one is open.
    Trial judge(double cost_now);
    //! Ends the trial without a verdict: the work that it was measured by is over.
    void abandon() { before_.reset(); }

  private:
    struct Before {
        std::vector<std::int64_t> values;
        double cost = 0;
    };
    struct Refused {
        std::int64_t value = 0;
        std::uint32_t until = 0;  // decision
    };
    [[nodiscard]] std::int64_t clamped(const synod_knob& knob, std::int64_t wanted) const;
    [[nodiscard]] Tune as_tune() const;

    const TuneLevel level_;
    const TuneTargets targets_;
    std::vector<synod_knob> knobs_;
    std::optional<Before> before_;
    std::map<std::uint32_t, Refused> refused_;  // one a knob
    std::uint32_t decisions_ = 0;
};

}  // namespace synod::sync
