// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a node tells of itself: one snapshot feeds the terminal, the control door, the metrics and the
//! tests. Plain values; built on the control thread, read anywhere.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/app/checkpoint/info.hpp"
#include "core/app/governance/governance.hpp"
#include "core/app/mining/mining.hpp"
#include "core/app/node/attendance.hpp"
#include "core/app/node/recent_times.hpp"
#include "core/app/node/tuner.hpp"
#include "core/app/plugin_faults.hpp"
#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/health/emergency.hpp"
#include "core/health/monitor.hpp"
#include "core/peers/misbehaviour.hpp"
#include "core/sync/snapshot.hpp"

namespace synod::app {

//! A peer as `peers` shows it, connected or remembered.
struct PeerStatus {
    std::uint64_t id = 0;
    PublicKey identity;
    std::string address;
    std::uint16_t port = 0;
    std::string tier;  //!< federation, miner or regular
    bool connected = false, outbound = false;
    std::string left_because;  //!< not connected: the link's end as a reason code
    std::uint64_t height = 0;  //!< its own word
    double latency_ms = 0;
    std::uint32_t in_flight = 0;  //!< open requests
    double goodput = 0;           //!< bytes/s
    std::uint64_t blocks = 0;     //!< of stored ranges
    std::uint32_t timeouts = 0, stalls = 0;
    bool other_chain = false;  //!< it refused our head and our committed block
    std::optional<double> score;  //!< the scoring plugin's
    std::string score_terms;      //!< a JSON object; may be empty
    double misbehaviour = 0;      //!< points, 0..100
    std::optional<UnixMs> banned_until;
    std::vector<peers::Offence> offences;
    std::string cool_down_reason;   //!< why it was put aside last; empty: it answers
    double cool_down_left_s = 0;    //!< 0: over
    std::uint32_t cool_downs = 0;   //!< since its last useful answer
};

struct NodeStatus {
    std::string name;
    sync::Snapshot sync;
    std::uint64_t final_height = 0;
    Hash head_hash;
    std::uint64_t committed_height = 0;
    std::uint64_t unverified_blocks = 0;  //!< mode optimistic: stored on a certificate's word so far
    bool authority = false;
    std::uint64_t blocks_proposed = 0;
    MiningStatus mining;
    GovernanceStatus governance;
    bool emergency = false;
    std::vector<health::Open> emergency_triggers;  //!< open ones; one of an emergency may be over already
    std::uint32_t authority_set = 0;  //!< changes so far of who the authorities are and how they sign
    std::uint32_t authorities_seen = 0, authorities = 0, quorum = 0;
    struct Member {
        Attendant of;
        bool seen = false;  //!< heard of within the consensus time-out; true for this node
    };
    std::vector<Member> federation;  //!< by index, as far as known
    std::optional<TimeSummary> approval_latency, proposal_lateness;
    std::uint64_t governance_sequence = 0;
    std::size_t equivocators = 0;  //!< authorities that are proven to have signed twice for a slot, ever
    health::HealthReport health;
    struct Partition {
        health::PartitionSeverity severity = health::PartitionSeverity::kNone;  //!< kNone: none is confirmed
        std::optional<double> lasts_s;  //!< since it was suspected; nothing: none is
        std::string signs;
        std::uint64_t confirmed = 0;    //!< so many since the start
    } partition;
    std::uint64_t self_faults = 0;  //!< times that a failure was held to be our own
    std::size_t blocks_in_memory = 0;
    std::size_t known_addresses = 0;
    std::string scoring_problem;
    std::vector<PluginFault> plugin_faults;  //!< newest last
    TunerStatus tuning;
    std::optional<CheckpointInfo> last_checkpoint;
    CheckpointFigures checkpoints;
    struct Process {
        std::uint64_t disk_free_bytes = 0, disk_floor_bytes = 0;  //!< below the floor nothing is produced
        std::uint64_t memory_bytes = 0;                           //!< resident
        double cpu_s = 0;                                         //!< of all threads
    } process;
    std::optional<std::string> stalled;
    std::vector<PeerStatus> peers;
    std::uint16_t port = 0;
    std::optional<std::uint16_t> mining_port;  //!< nothing: no door for mining software
};

}  // namespace synod::app
