// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How well the network serves this node, as one number in 0..1 (behaviour.md section 9). Plain
//! values on the control thread; time and measurements are passed in. It never connects, publishes
//! or decides what follows from the number: the caller publishes a report and asks the gate.

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"

namespace synod::health {

// Weights of the terms; they sum to 1.
inline constexpr double kWeightPeers = .25;
inline constexpr double kWeightLatency = .20;
inline constexpr double kWeightBandwidth = .15;
inline constexpr double kWeightReliability = .15;
inline constexpr double kWeightFederation = .25;
inline constexpr double kPenaltyPerSeverity = .15;  // for an open partition

inline constexpr double kWorstLatencyMs = 1'000;  // a mean round trip from here on counts as 0
inline constexpr Duration kAssessEvery = std::chrono::seconds(30);
inline constexpr double kReportChange = .1;  // a larger step is reported at once

//! Authorities out of reach, as behaviour.md section 9 grades them: partition.hpp has the rule. The
//! value multiplies the penalty.
enum class PartitionSeverity : std::uint8_t {
    kNone = 0,
    kMinor = 1,
    kModerate = 2,
    kSevere = 3,
    kCritical = 4,
};
std::string_view name(PartitionSeverity severity);

//! What was measured. An absent value is one that nothing has measured yet: it counts as full,
//! since a node that has just connected has no evidence against its network.
struct HealthInputs {
    std::uint32_t peers = 0;
    std::uint32_t peers_wanted = 50;  //!< 0 is taken as 1
    std::optional<double> mean_latency_ms;
    std::optional<double> bandwidth_bps;       //!< bytes a second, all peers together, moving
    std::optional<double> best_bandwidth_bps;  //!< the best observed; the measure of the one above
    std::optional<double> reliability;         //!< ratio of requests answered well, 0..1
    bool downloading = false;  //!< an idle link says nothing about bandwidth: it counts as full
    std::uint32_t authorities_seen = 0;  //!< within the consensus time-out, this node included
    std::uint32_t authorities = 0;       //!< in force; 0 gives no credit for reach
    PartitionSeverity partition = PartitionSeverity::kNone;
};

//! Each 0..1 before its weight, except `penalty`, which is what is taken off the sum.
struct HealthTerms {
    double peers = 0;
    double latency = 0;
    double bandwidth = 0;
    double reliability = 0;
    double federation = 0;
    double penalty = 0;
    bool operator==(const HealthTerms&) const = default;
};

struct HealthReport {
    double score = 0;  //!< 0..1; 0 with no peers whatever the terms say
    HealthTerms terms;
    Instant at{};
};

//! The terms alone. Values that aren't numbers, or lie outside their range, are clamped.
HealthTerms terms_of(const HealthInputs& in);
//! The score, 0..1. Pure.
double assess(const HealthInputs& in);

//! Decides when a report is due: every `every`, and at once when the score moved by more than
//! `change` since the last report. The first call always reports.
class Monitor {
  public:
    explicit Monitor(Duration every = kAssessEvery, double change = kReportChange)
        : every_(every), change_(change) {}

    //! Call as often as measurements change. A report when one is due, otherwise nothing.
    std::optional<HealthReport> update(const HealthInputs& in, Instant now);
    //! The last assessment, reported or not.
    [[nodiscard]] const HealthReport& current() const { return current_; }

  private:
    const Duration every_;
    const double change_;
    HealthReport current_;
    std::optional<HealthReport> reported_;
};

}  // namespace synod::health
