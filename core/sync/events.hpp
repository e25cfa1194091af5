// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Everything that may happen to the sync machine. Metadata only: payloads stay with the driver,
//! under the request's id. Built by the driver (or the simulator) on the control thread.

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/sync/gate.hpp"
#include "core/sync/types.hpp"

namespace synod::sync {

// Commands. Each is answered by Accepted or Refused in the same step.
//! `from`, when given, must not be above the head (history below it is never fetched again).
//! `target` caps how far to go; the network's tip otherwise.
struct Start {
    Mode mode = Mode::fast;
    std::optional<Height> target;
    std::optional<Height> from;
};
struct Pause {
    std::string reason;
};
struct Resume {};
//! Graceful: ranges that were submitted may still commit. Otherwise they are dropped too.
struct Stop {
    bool graceful = true;
    std::string reason;
};

//! Drives deadlines, stall detection and the watchdog; every ~100 ms.
struct Tick {};
//! A slot of the chain began; after GateInputs of that slot.
struct SlotTick {
    Slot slot = 0;
};

// Peers.
struct PeerUp {
    PeerId peer = 0;
    bool is_authority = false;
    std::uint64_t group = 0;  //!< network group (/16, /32 for IPv6); same group, same blame
};
struct PeerDown {
    PeerId peer = 0;
};
//! A bare number in a status message: whom to ask, nothing more.
struct PeerClaim {
    PeerId peer = 0;
    Height height = 0;
};
//! Weights for the weighted-random choice, from the scoring plugin; > 0, any scale. Peers that are
//! not in it keep theirs (1 at first).
struct PeerScores {
    std::vector<std::pair<PeerId, double>> scores;
};
//! The driver verified a quorum certificate, or one signed head from >= threshold authorities.
struct EvidenceVerified {
    PeerId peer = 0;
    Height height = 0;
    Hash hash;
    Slot slot = 0;
};

// Replies. For a request that the machine doesn't know (any more) they are ignored: the driver may
// free the payload.
struct HeadersReceived {
    RequestId request = 0;
    ReplyResult result = ReplyResult::ok;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
};
//! Answer to CheckHeaders. ok: `anchors` holds {height, hash} for every height divisible by
//! kAnchorStride in the reply plus its last, ascending; `count` may be less than was asked.
struct HeadersChecked {
    RequestId request = 0;
    bool ok = false;
    std::uint32_t count = 0;
    Height last_height = 0;
    Hash last_hash;
    Slot last_slot = 0;
    std::vector<Anchor> anchors;
    std::string rule;         //!< not ok: the first rule broken, e.g. "header.parent_link"
    Height height = 0;        //!< not ok: where
    bool self_fault = false;  //!< not ok: our own failure (memory, disk); costs nobody
    //! Not ok, and nobody's fault: only a state nearer to the request's parent can judge them. The walk waits there
    //! for the blocks.
    bool later = false;
};
struct BlocksReceived {
    RequestId request = 0;
    ReplyResult result = ReplyResult::ok;
    std::uint32_t count = 0;  //!< blocks in it, contiguous from the request's `from`
    std::uint64_t bytes = 0;
    Hash last_hash;           //!< hash of the last block in it: parent of the continuation
};
struct RequestFailed {
    RequestId request = 0;
    RequestFailure why = RequestFailure::timeout;
    std::uint32_t retry_ms = 0;  //!< busy: ask again after this many milliseconds
};

// Ranges. `submission` echoes SubmitRange::submission; results of an older one are ignored.
//! Every block's proofs hold (commit follows).
struct RangeChecked {
    RangeId range = 0;
    std::uint64_t submission = 0;
};
//! Also for bytes that don't lead from the range's parent to its end. The driver then discards the
//! speculative work of all later submitted ranges, keeps their payload, and awaits SubmitRange.
struct RangeFailed {
    RangeId range = 0;
    std::uint64_t submission = 0;
    std::string rule;
    Height height = 0;
    bool self_fault = false;
};
//! Durable. In order. Frees the payload. height/hash: the range's last block.
struct RangeCommitted {
    RangeId range = 0;
    Height height = 0;
    Hash hash;
};
//! The verified head moved (range commit, pushed block, reorganisation, restore).
struct HeadChanged {
    Height height = 0;
    Hash hash;
    Slot slot = 0;
};
//! The consensus' committed (irreversible) block moved.
struct CommittedChanged {
    Height height = 0;
    Hash hash;
};

// Faults and recovery.
struct StoreFault {
    std::string message;
};
struct ChainFault {
    std::string message;
};
//! Answer to Recover: from where to continue.
struct RecoveryDone {
    Height height = 0;
    Hash hash;
    Slot slot = 0;
};
struct RecoveryFailed {
    std::string message;
};
//! Also of one that goes on: a node that was still following may have to stand still.
struct EmergencyEntered {
    std::string reason;
    bool still = false;  //!< nothing can be proven: nothing is fetched until it is cleared
};
struct EmergencyCleared {};

//! Knobs that the operator or an optimizer moves while running; clamped to sane bounds.
struct Tune {
    std::optional<std::uint32_t> batch_blocks;
    std::optional<std::uint32_t> peer_requests_max;
    std::optional<std::uint32_t> parallel_downloads;
    std::optional<std::uint64_t> window_bytes;
    std::optional<std::uint32_t> workers;
    std::optional<Duration> slot;  //!< the chain's slot length changed
};

using Event =
    std::variant<Start, Pause, Resume, Stop, Tick, SlotTick, PeerUp, PeerDown, PeerClaim,
                 PeerScores, EvidenceVerified, HeadersReceived, HeadersChecked, BlocksReceived,
                 RequestFailed, RangeChecked, RangeFailed, RangeCommitted, HeadChanged,
                 CommittedChanged, StoreFault, ChainFault, RecoveryDone, RecoveryFailed,
                 EmergencyEntered, EmergencyCleared, GateInputs, Tune>;

}  // namespace synod::sync
