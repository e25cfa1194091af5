// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the sync machine tells about itself: a copy, safe to hand to any thread.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/sync/gate.hpp"
#include "core/sync/types.hpp"

namespace synod::sync {

//! Seconds left, as a range.
struct Eta {
    double low_s = 0;
    double high_s = 0;
};

struct PeerLoad {
    PeerId peer = 0;
    bool is_authority = false;
    Height claim = 0;
    double weight = 1;
    std::uint32_t open_requests = 0;
    std::uint64_t open_bytes = 0;  //!< expected of them
    std::uint32_t request_limit = 0;
    Duration rtt{};              //!< smoothed time of a reply; 0 until measured
    double goodput = 0;          //!< bytes/s, smoothed; 0 until measured
    std::uint64_t bytes = 0;     //!< payload received
    std::uint64_t blocks = 0;    //!< blocks of committed ranges
    std::uint32_t timeouts = 0;
    std::uint32_t stalls = 0;
    bool cooling = false;
    bool distrusted = false;     //!< a range of its failed and blame is open
    bool other_chain = false;
};

struct Snapshot {
    State state = State::idle;
    Mode mode = Mode::fast;
    std::string reason;                 //!< why it is in this state
    BlockRef head;                      //!< verified
    Slot head_slot = 0;
    BlockRef committed;
    Height start = 0;                   //!< height at Start
    std::optional<Height> target;       //!< none before any evidence
    Height best_claim = 0;              //!< a hint
    Height skeleton_tip = 0;            //!< verified headers reach here
    Height behind = 0;
    double percentage = 0;              //!< 0..100, of start..target; 100 exactly when Synced
    double percentage_total = 0;        //!< 0..100, verified / target
    double blocks_per_s = 0;            //!< over the last 60 s
    std::optional<Eta> eta;             //!< none rather than wild
    std::uint32_t peers = 0;
    std::uint32_t usable_peers = 0;
    std::uint32_t open_requests = 0;
    std::uint32_t ranges = 0;           //!< in the window
    std::uint32_t processing = 0;       //!< submitted, not committed
    std::uint64_t window_bytes = 0;     //!< expected or held
    std::uint32_t batch_blocks = 0;     //!< the batch size now
    std::uint32_t anchors = 0;
    Duration stall_timeout{};
    std::uint32_t recoveries = 0;
    std::uint64_t stalls = 0;           //!< watchdog rounds ever
    GateStatus gate;
    std::vector<PeerLoad> peer_loads;
};

}  // namespace synod::sync
