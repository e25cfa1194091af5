// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Everything that the sync machine asks of its driver. The driver carries them out in order, on
//! the control thread. Metadata only.
//!
//! Payload rule: a reply's bytes belong to the driver under its request id from BlocksReceived or
//! HeadersReceived on. They are freed at CancelRequest of that request, at HeadersChecked, and for
//! the requests that a SubmitRange took over at RangeCommitted or DropRange of that range.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/sync/gate.hpp"
#include "core/sync/types.hpp"

namespace synod::sync {

struct RequestHeaders {
    RequestId request = 0;
    PeerId peer = 0;
    Height from = 0;          //!< first height wanted
    std::uint32_t count = 0;  //!< at most 4,096
    Hash parent;              //!< hash of the block at from - 1
    Instant deadline{};       //!< the machine itself ends the request then
};
//! Part of a range. A reply holds 1..count blocks; the rest is asked of the same peer again.
struct RequestBlocks {
    RequestId request = 0;
    PeerId peer = 0;
    RangeId range = 0;
    Height from = 0;
    std::uint32_t count = 0;
    Hash parent;
    std::uint64_t soft_bytes = 0;
    Instant deadline{};
};
//! Forget the request: ignore its reply, free its payload. Harmless for an unknown one.
struct CancelRequest {
    RequestId request = 0;
};
//! Check the headers that came for the request (from `parent`, which is at from - 1).
struct CheckHeaders {
    RequestId request = 0;
    PeerId peer = 0;
    BlockRef parent;
    bool fork = false;  //!< of a walk that began at the committed block
};
//! Process these payloads, in this order: together exactly `count` blocks from `from`. Submissions
//! come in chain order. A range that comes again (after a RangeFailed before it) is processed anew.
struct SubmitRange {
    RangeId range = 0;
    std::uint64_t submission = 0;
    PeerId peer = 0;
    Height from = 0;
    std::uint32_t count = 0;
    Hash parent;
    Hash expected_end;
    std::vector<RequestId> requests;
};
//! Stop processing the range if it is, free its payload. Later reports about it are ignored.
struct DropRange {
    RangeId range = 0;
};
//! Restore: newest good checkpoint, else roll back to the last final block. Ends with RecoveryDone
//! or RecoveryFailed. Every request was cancelled and every range dropped before it.
struct Recover {
    std::uint32_t attempt = 0;  //!< from 1
    BlockRef committed;         //!< never below this
    std::string reason;
};
//! For the misbehaviour ledger.
struct Penalise {
    PeerId peer = 0;
    Offence offence = Offence::invalid_block;
    Height height = 0;
    std::string rule;
};
//! For the liveness ledger; the machine gives the peer no work for so long unless it is the last.
struct CoolDown {
    PeerId peer = 0;
    Duration time{};
    std::string_view reason;  //!< static text
};
struct Disconnect {
    PeerId peer = 0;
    std::string_view reason;  //!< static text
};
//! It refused our head and our committed block. The driver decides what that means.
struct PeerOnOtherChain {
    PeerId peer = 0;
};
//! The same failure came from two peers of different groups: nobody is punished.
struct SelfFaultSuspected {
    RangeId range = 0;  //!< 0 for headers
    Height height = 0;
    std::string rule;
};
struct StateChanged {
    State from = State::idle;
    State to = State::idle;
    std::string reason;
};
//! The watchdog fired: the window was rebuilt. A bug or a dead network; dump is for the log.
struct Stalled {
    std::string reason;
    std::string dump;
};
struct Failed {
    std::string reason;
    Height last_good = 0;
    Duration next_retry{};     //!< until the recovery begins
    bool final = false;        //!< no recovery is left: `run` exits 1, alert
    std::uint32_t recoveries = 0;
};
struct TargetChanged {
    Height height = 0;
};
struct GateChanged {
    bool open = false;
    GateStatus status;
};
//! Answers to commands.
struct Accepted {
    std::string_view command;
    State state = State::idle;
};
struct Refused {
    std::string_view command;
    State state = State::idle;
    std::string reason;
};

using Action =
    std::variant<RequestHeaders, RequestBlocks, CancelRequest, CheckHeaders, SubmitRange, DropRange,
                 Recover, Penalise, CoolDown, Disconnect, PeerOnOtherChain, SelfFaultSuspected,
                 StateChanged, Stalled, Failed, TargetChanged, GateChanged, Accepted, Refused>;

}  // namespace synod::sync
