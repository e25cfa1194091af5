// SPDX-License-Identifier: Apache-2.0
#include "core/app/status_metrics.hpp"

#include <algorithm>

#include "core/sync/types.hpp"

namespace synod::app {

namespace {

std::string state_help() {
    std::string out = "state of the sync:";
    for (std::size_t i = 0; i < sync::kStateCount; ++i) {
        out += " " + std::to_string(i) + " " + std::string(sync::name(static_cast<sync::State>(i)));
    }
    return out;
}

template <typename T>
std::int64_t whole(T value) {
    return static_cast<std::int64_t>(value);
}

}  // namespace

void status_metrics(const NodeStatus& s, host::MetricPage& page) {
    const auto gauge = [&](const char* name, const char* help, auto value) {
        page.family(name, SYNOD_METRIC_GAUGE, help).sample(value);
    };
    const auto counter = [&](const char* name, const char* help, std::int64_t value) {
        page.family(name, SYNOD_METRIC_COUNTER, help).sample(value);
    };
    const auto& sync = s.sync;
    static const std::string states = state_help();
    gauge("synod_sync_state", states.c_str(), whole(sync.state));
    gauge("synod_sync_current_height", "newest verified block", whole(sync.head.height));
    if (sync.target) {
        gauge("synod_sync_target_height", "what there is evidence for", whole(*sync.target));
    }
    gauge("synod_sync_final_height", "newest block that merged mining made final", whole(s.final_height));
    gauge("synod_sync_percentage_ratio", "current / target height, 0 to 1", sync.percentage_total / 100);
    gauge("synod_sync_blocks_per_second", "over the last minute", sync.blocks_per_s);
    gauge("synod_sync_gate_open", "1: this node may produce", whole(sync.gate.open));
    counter("synod_sync_stalls_total", "times that the watchdog found no progress", whole(sync.stalls));
    counter("synod_sync_self_faults_total", "failures that were held to be the node's own", whole(s.self_faults));
    gauge("synod_sync_open_requests", "requests to peers without an answer yet", whole(sync.open_requests));
    gauge("synod_sync_window_bytes", "bytes of ranges that are expected or held", whole(sync.window_bytes));
    gauge("synod_chain_committed_height", "newest block that no fork can replace", whole(s.committed_height));
    gauge("synod_chain_blocks_without_pow", "blocks since the last range made final", whole(s.mining.blocks_without_pow));
    gauge("synod_governance_sequence", "newest governance event that a block carries", whole(s.governance.sequence));
    gauge("synod_governance_waiting_events", "events that wait for a block", whole(s.governance.waiting));
    gauge("synod_governance_stream_healthy", "1: nothing is missing and peers say so", whole(s.governance.healthy));
    counter("synod_governance_refused_total", "events that were refused", whole(s.governance.refused));
    gauge("synod_network_partition_severity", "0 none, 1 minor, 2 moderate, 3 severe, 4 critical",
          whole(s.partition.severity));
    counter("synod_network_partitions_total", "partitions that were confirmed", whole(s.partition.confirmed));
    gauge("synod_emergency_active", "1: nothing is produced, and only the federation is asked", whole(s.emergency));
    auto& triggers = page.family("synod_emergency_trigger", SYNOD_METRIC_GAUGE, "1: this trigger is open");
    for (std::size_t i = 0; i < health::kTriggers; ++i) {
        const auto trigger = static_cast<health::Trigger>(i);
        triggers.sample(whole(std::ranges::count(s.emergency_triggers, trigger, &health::Open::trigger)),
                        {{"trigger", std::string(health::name(trigger))}});
    }
    gauge("synod_mining_stage", "0 no merged mining, 1 fine, 2 warning, 3 critical, 4 production halted",
          whole(s.mining.stage));
    gauge("synod_mining_waiting_records", "finality records that wait for a block", whole(s.mining.waiting_records));
    counter("synod_mining_accepted_total", "proofs of miners that were accepted", whole(s.mining.accepted));
    counter("synod_mining_refused_total", "proofs of miners that were refused", whole(s.mining.refused));
    gauge("synod_chain_memory_blocks", "blocks above the committed one, held in memory", whole(s.blocks_in_memory));
    counter("synod_chain_proposed_blocks_total", "blocks that this node proposed", whole(s.blocks_proposed));
    gauge("synod_peers_connected", "links that are up", whole(std::ranges::count(s.peers, true, &PeerStatus::connected)));
    gauge("synod_peers_known_addresses", "addresses to dial", whole(s.known_addresses));
    gauge("synod_peers_banned", "remembered peers that are banned", whole(std::ranges::count_if(s.peers, [](const auto& p) {
              return p.banned_until.has_value();
          })));
    gauge("synod_federation_authorities", "in the authority set", whole(s.authorities));
    gauge("synod_federation_authorities_seen", "heard of lately, this node included", whole(s.authorities_seen));
    const auto times = [&](const std::string& name, const char* help, const std::optional<TimeSummary>& of) {
        if (of) {
            page.family(name, SYNOD_METRIC_GAUGE, help)
                .sample(of->median_ms / 1e3, {{"quantile", "0.5"}})
                .sample(of->p99_ms / 1e3, {{"quantile", "0.99"}});
        }
    };
    times("synod_federation_approval_seconds", "from when a block was proven to when its certificate was",
          s.approval_latency);
    times("synod_federation_proposal_lateness_seconds",
          "from a slot's boundary to this node's block being on its way", s.proposal_lateness);
    gauge("synod_federation_equivocators", "authorities proven to have signed twice for a slot", whole(s.equivocators));
    gauge("synod_federation_governance_sequence", "newest governance event in force", whole(s.governance_sequence));
    if (!s.federation.empty()) {
        page.family("synod_federation_missed_slots_total", SYNOD_METRIC_COUNTER,
                    "slots of an authority that had no block, since the start");
        for (const auto& m : s.federation) {
            page.sample(whole(m.of.missed), {{"authority", std::to_string(m.of.index)}});
        }
        page.family("synod_federation_last_block_height", SYNOD_METRIC_GAUGE, "newest block seen of an authority");
        for (const auto& m : s.federation) {
            page.sample(whole(m.of.last_height), {{"authority", std::to_string(m.of.index)}});
        }
    }
    gauge("synod_checkpoint_height", "newest usable checkpoint, 0: none",
          whole(s.last_checkpoint ? s.last_checkpoint->height : 0));
    counter("synod_checkpoint_created_total", "checkpoints that were made", whole(s.checkpoints.made));
    counter("synod_checkpoint_failed_total", "checkpoints that could not be made", whole(s.checkpoints.failed));
    gauge("synod_node_disk_free_bytes", "free where the chain is stored", whole(s.process.disk_free_bytes));
    gauge("synod_node_disk_floor_bytes", "with less free nothing is produced", whole(s.process.disk_floor_bytes));
    gauge("synod_node_memory_bytes", "resident memory of the process", whole(s.process.memory_bytes));
    page.family("synod_node_cpu_seconds_total", SYNOD_METRIC_COUNTER, "processor time of the process")
        .sample(s.process.cpu_s);
    gauge("synod_health_ratio", "health of the network as this node sees it, 0 to 1", s.health.score);
}

}  // namespace synod::app
