// SPDX-License-Identifier: Apache-2.0
// What each event does, once the state table has let it through.
#include "core/sync/core.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/planted.hpp"

namespace synod::sync {
namespace {

//! Blocks of progress after which earlier recoveries no longer count against the run.
constexpr Height kForgiven = 10'000;
constexpr double kWeightLeast = 1e-6;  // so that every peer keeps a chance
constexpr double kWeightMost = 1e6;

}  // namespace

void Core::on(const Start& event) {
    if (event.from && *event.from > s_.head.height) {
        s_.emit(Refused{"start", state_, "from is above the head: blocks can't be skipped"});
        return;
    }
    if (event.target && *event.target < s_.head.height) {
        s_.emit(Refused{"start", state_, "target is below the head: nothing to fetch"});
        return;
    }
    s_.mode = event.mode;
    s_.target.cap(event.target);
    recoveries_ = 0;
    backoff_ = s_.config.backoff_first;
    stalls_in_row_ = 0;
    begin_again(s_.head);
    progress_.begin(event.from.value_or(s_.head.height), s_.now);
    enter(State::discovering, "started");
}

void Core::on(const Pause& event) {
    paused_in_ = state_;
    enter(State::paused, event.reason.empty() ? "operator" : event.reason);
}

void Core::on(const Resume&) {
    if (state_ == State::emergency) {
        leave_emergency("operator");
        return;
    }
    enter(paused_in_, "resumed");
}

void Core::on(const Stop& event) {
    headers_.reset(s_.head);
    blocks_.drop_all(event.graceful);
    enter(State::idle, event.reason.empty() ? "stopped" : event.reason);
}

void Core::on(const SlotTick& event) {
    now_slot_ = std::max(now_slot_, event.slot);
    if (state_ == State::catching_up) {
        const bool level = s_.target.height() && behind() == 0 && !headers_.more() && !headers_.held();
        level_slots_ = level ? level_slots_ + 1 : 0;
        if (level_slots_ >= 2) {
            enter(State::synced, "nothing behind for two slots");
        }
    }
    if (gate_.slot(view())) {
        s_.emit(GateChanged{gate_.open(), gate_.status(view())});
    }
}

void Core::on(const PeerUp& event) { s_.peers.add(event.peer, event.is_authority, event.group); }

void Core::on(const PeerDown& event) {
    std::vector<RequestId> gone;
    for (const auto& [id, request] : s_.requests) {
        if (request.peer == event.peer && !request.checking) {
            gone.push_back(id);
        }
    }
    for (const RequestId id : gone) {
        end_failed(id, RequestFailure::disconnected, 0);
    }
    blocks_.release_peer(event.peer);
    s_.peers.remove(event.peer);
}

void Core::on(const PeerClaim& event) {
    if (Peer* peer = s_.peers.find(event.peer); peer != nullptr) {
        if (event.height > peer->claim) {
            peer->lacks_until = s_.now;  // it says that it has more now
        }
        peer->claim = event.height;
    }
}

void Core::on(const PeerScores& event) {
    for (const auto& [id, weight] : event.scores) {
        if (Peer* peer = s_.peers.find(id); peer != nullptr) {
            peer->weight = std::isfinite(weight) ? std::clamp(weight, kWeightLeast, kWeightMost)
                                                 : kWeightLeast;
        }
    }
}

void Core::on(const EvidenceVerified& event) {
    const BlockRef block{event.height, event.hash};
    if (!s_.target.best() || !SYNOD_PLANTED("target_frozen")) {
        s_.target.evidence(block, event.slot);
    }
    if (Peer* peer = s_.peers.find(event.peer); peer != nullptr) {
        peer->claim = std::max(peer->claim, event.height);
        peer->proven = std::max(peer->proven, event.height);
        peer->lacks_until = s_.now;
    }
    const bool other = event.height == s_.head.height && event.hash != s_.head.hash;
    if (other && event.slot >= s_.head_slot && running()) {
        headers_.suspect_fork(event.peer);
    }
}

void Core::on(const HeadersReceived& event) {
    HeadersReceived counted = event;
    counted.bytes = std::min(event.bytes, kReplyBytesMax);
    headers_.on_received(counted);
}

void Core::on(const HeadersChecked& event) {
    const Height before = headers_.skeleton().tip().height;
    headers_.on_checked(event, blocks_.allocated());
    if (headers_.skeleton().tip().height > before) {
        stalls_in_row_ = 0;
    }
}

void Core::on(const BlocksReceived& event) {
    BlocksReceived counted = event;
    counted.bytes = std::min(event.bytes, kReplyBytesMax);
    blocks_.on_blocks(counted);
    if (const auto strayed = std::exchange(s_.strayed, std::nullopt)) {
        headers_.suspect_fork(*strayed);
    }
}

void Core::on(const RequestFailed& event) {
    end_failed(event.request, event.why, event.retry_ms);
}

void Core::on(const RangeChecked& event) { blocks_.on_checked(event); }
void Core::on(const RangeFailed& event) {
    blocks_.on_range_failed(event);
    if (std::exchange(s_.overtaken, false)) {
        begin_again(s_.head);
    }
}

void Core::on(const RangeCommitted& event) {
    const auto end = blocks_.on_committed(event);
    if (!end) {
        return;
    }
    stalls_in_row_ = 0;
    if (end->height > s_.head.height) {
        s_.head = *end;  // its slot follows with HeadChanged
    }
    blocks_.covered(s_.head);
    if (s_.head.height >= recovered_at_ + kForgiven) {
        recoveries_ = 0;
        backoff_ = s_.config.backoff_first;
    }
}

void Core::on(const HeadChanged& event) {
    const BlockRef head{event.height, event.hash};
    s_.head = head;
    s_.head_slot = event.slot;
    const Skeleton& chain = headers_.skeleton();
    const auto known = chain.at(head.height);
    // A step back below what is done, or another block where ours was: the window is void.
    if (head.height < chain.base().height || (known && known->hash != head.hash)) {
        begin_again(head);
        return;
    }
    blocks_.covered(head);
}

void Core::on(const CommittedChanged& event) {
    s_.committed = {event.height, event.hash};
    for (auto& [id, peer] : s_.peers.all()) {
        peer.fork_refusals = 0;  // it may still agree with the new one
    }
}

void Core::on(const StoreFault& event) { s_.fatal = "store fault: " + event.message; }
void Core::on(const ChainFault& event) { s_.fatal = "chain fault: " + event.message; }

void Core::on(const RecoveryDone& event) {
    s_.head = {event.height, event.hash};
    s_.head_slot = event.slot;
    if (s_.committed.height > event.height) {
        s_.committed = s_.head;
    }
    begin_again(s_.head);
    progress_.begin(s_.head.height, s_.now);
    enter(State::discovering, "recovered at height " + std::to_string(event.height));
}

void Core::on(const RecoveryFailed& event) { s_.fatal = "recovery failed: " + event.message; }

void Core::on(const EmergencyEntered& event) {
    still_ = event.still || (still_ && state_ == State::emergency);
    if (still_) {
        headers_.reset(s_.head);
        blocks_.drop_all(false);
    }
    if (state_ == State::emergency) {
        reason_ = event.reason;
        return;
    }
    alarmed_in_ = state_;
    enter(State::emergency, event.reason);
    for (const auto& [id, peer] : s_.peers.all()) {
        if (!peer.is_authority) {
            blocks_.release_peer(id);
        }
    }
}

void Core::on(const EmergencyCleared&) { leave_emergency("all triggers clear"); }

void Core::on(const GateInputs& event) { gate_.set_inputs(event); }

void Core::on(const Tune& event) {
    if (event.slot) {
        s_.config.slot = *event.slot;
        gate_.set_slot(*event.slot);
    }
    SyncConfig& c = s_.config;
    c.batch_blocks = std::clamp(event.batch_blocks.value_or(c.batch_blocks), 16U,
                                std::max(16U, c.batch_blocks_max));
    c.peer_requests_max = std::clamp(event.peer_requests_max.value_or(c.peer_requests_max), 1U, 64U);
    s_.peers.requests_max(c.peer_requests_max);
    c.parallel_downloads =
        std::clamp(event.parallel_downloads.value_or(c.parallel_downloads), 1U, 256U);
    c.window_bytes = std::clamp<std::uint64_t>(event.window_bytes.value_or(c.window_bytes),
                                               1ULL << 20, 1ULL << 30);
    c.workers = std::clamp(event.workers.value_or(c.workers), 1U, 256U);
}

}  // namespace synod::sync
