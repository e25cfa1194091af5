// SPDX-License-Identifier: Apache-2.0
#include "core/health/monitor.hpp"

#include <algorithm>
#include <cmath>

namespace synod::health {

namespace {

//! NaN is a failed measurement, not a good one.
double ratio(double value) { return std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0); }

double bandwidth_term(const HealthInputs& in) {
    if (!in.downloading || !in.bandwidth_bps || !in.best_bandwidth_bps ||
        !(*in.best_bandwidth_bps > 0)) {
        return 1;
    }
    return ratio(*in.bandwidth_bps / *in.best_bandwidth_bps);
}

double score_of(const HealthInputs& in, const HealthTerms& t) {
    if (in.peers == 0) {
        return 0;
    }
    return ratio(kWeightPeers * t.peers + kWeightLatency * t.latency + kWeightBandwidth * t.bandwidth +
                 kWeightReliability * t.reliability + kWeightFederation * t.federation - t.penalty);
}

}  // namespace

std::string_view name(PartitionSeverity severity) {
    constexpr std::string_view kNames[] = {"none", "minor", "moderate", "severe", "critical"};
    return kNames[static_cast<std::size_t>(severity)];
}

HealthTerms terms_of(const HealthInputs& in) {
    HealthTerms out;
    out.peers = ratio(static_cast<double>(in.peers) / std::max<std::uint32_t>(1, in.peers_wanted));
    out.latency = in.mean_latency_ms ? ratio(1 - *in.mean_latency_ms / kWorstLatencyMs) : 1;
    out.bandwidth = bandwidth_term(in);
    out.reliability = in.reliability ? ratio(*in.reliability) : 1;
    out.federation = in.authorities == 0 ? 0
                                         : ratio(static_cast<double>(in.authorities_seen) /
                                                 static_cast<double>(in.authorities));
    out.penalty = kPenaltyPerSeverity * static_cast<double>(in.partition);
    return out;
}

double assess(const HealthInputs& in) { return score_of(in, terms_of(in)); }

std::optional<HealthReport> Monitor::update(const HealthInputs& in, Instant now) {
    const auto terms = terms_of(in);
    current_ = {score_of(in, terms), terms, now};
    if (reported_ && now - reported_->at < every_ &&
        std::abs(current_.score - reported_->score) <= change_) {
        return std::nullopt;
    }
    reported_ = current_;
    return current_;
}

}  // namespace synod::health
