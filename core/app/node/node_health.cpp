// SPDX-License-Identifier: Apache-2.0
//! Node's view of its network's health, measured from its links.
#include "core/app/node/node.hpp"

#include <algorithm>

#include "core/base/codec.hpp"
#include "core/base/planted.hpp"

namespace synod::app {

namespace {

constexpr Duration kJudgedLately = std::chrono::minutes(1);  // how a peer answered then says how it answers now
constexpr std::size_t kHealthyPeers = 10;  // links that count as enough where more are configured

}  // namespace

std::uint32_t Node::authorities_seen(Instant now) const {
    std::uint32_t seen = duties_->authority() ? 1 : 0;
    for (const auto& [id, link] : links_.peers) {
        if (link.is_authority() && now - link.last_heard <= config_.consensus_timeout) {
            ++seen;
        }
    }
    return seen;
}

health::HealthInputs Node::health_inputs(Instant now) {
    health::HealthInputs in;
    in.peers = static_cast<std::uint32_t>(links_.peers.size());
    // Who was convicted is shut out for good: it is neither a peer nor an authority that is missing. Else those that
    // a federation bears would stop it wherever lines are slow.
    const auto guilty = guilty_authorities();
    in.peers_wanted = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(config_.peers.size() - std::min<std::size_t>(config_.peers.size(), guilty), 1, kHealthyPeers));
    double latency_ms = 0, bandwidth = 0, reliability = 0;
    std::size_t timed = 0, judged = 0;
    for (const auto& [id, link] : links_.peers) {
        const auto& performance = ranker_.of(link.info.identity);
        if (link.rtt.count() > 0) {
            latency_ms += static_cast<double>(link.rtt.count()) / 1e6;
            ++timed;
        }
        // At the tip nothing is asked for, so what was bad would stay bad for ever.
        const auto when = met_.at(id).judged;
        if (when && (now - *when <= kJudgedLately || SYNOD_PLANTED("judged_for_ever"))) {
            reliability += performance.reliability();
            bandwidth += performance.goodput_bps();
            ++judged;
        }
    }
    if (timed > 0) {
        in.mean_latency_ms = latency_ms / static_cast<double>(timed);
    }
    if (judged > 0) {
        best_bandwidth_ = std::max(best_bandwidth_, bandwidth);
        in.reliability = reliability / static_cast<double>(judged);
        in.bandwidth_bps = bandwidth;
        in.best_bandwidth_bps = best_bandwidth_;
    }
    const auto state = driver_->machine().state();
    in.downloading = state == sync::State::downloading_blocks;
    in.authorities_seen = authorities_seen(now);
    in.authorities = keeper_->info().authorities - guilty;
    in.partition = partition_.severity();
    return in;
}

void Node::watch_health(Instant now) {
    if (const auto due = monitor_.update(health_inputs(now), now)) {
        const auto parts_per_million = static_cast<std::uint32_t>(due->score * 1e6);
        publish(bus::Topic::kHealth, synod::Writer().put(parts_per_million).take());
    }
}

}  // namespace synod::app
