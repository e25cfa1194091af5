// SPDX-License-Identifier: Apache-2.0
// Transitions: behaviour.md section 2, the right-hand column.
#include "core/sync/core.hpp"

#include <algorithm>
#include <cassert>

namespace synod::sync {

void Core::enter(State to, const std::string& reason) {
    assert(may_move(state_, to) && "an edge that the state table does not have");
    const State from = state_;
    state_ = to;
    reason_ = reason;
    since_ = s_.now;
    s_.progressed();
    level_slots_ = 0;
    s_.peers.authorities_only(to == State::emergency || s_.mode == Mode::emergency);
    if (to == State::discovering) {
        attempts_ = 0;
        next_attempt_ = s_.now + s_.config.discovery_interval;
    } else if (to == State::synced) {
        recoveries_ = 0;
        backoff_ = s_.config.backoff_first;
    }
    if (!active(to)) {
        shut_gate();
    }
    s_.emit(StateChanged{from, to, reason});
}

void Core::shut_gate() {
    const bool was = gate_.open();
    gate_.shut();
    if (was) {
        s_.emit(GateChanged{false, gate_.status(view())});
    }
}

// A few transitions may follow each other at once (a node that starts at the tip); never in a ring.
void Core::evaluate() {
    for (std::size_t i = 0; i < kStateCount && !s_.fatal && evaluate_once(); ++i) {
    }
}

bool Core::evaluate_once() {
    if (headers_.take_adopted()) {
        blocks_.drop_all(false);
    }
    const auto target = s_.target.height();
    if (escape_to_synced()) {
        return true;
    }
    switch (state_) {
        case State::discovering: return discover();
        case State::downloading_headers:
            if (target && ((headers_.skeleton().tip().height >= *target && !headers_.more()) ||
                           headers_.full() || headers_.held())) {
                enter(State::downloading_blocks, "headers verified up to the target");
                return true;
            }
            return false;
        case State::downloading_blocks:
            if (target && behind() <= s_.config.catching_up_blocks) {
                enter(State::catching_up, "near the target");
                return true;
            }
            return false;
        case State::catching_up:
            if (behind() > s_.config.headers_again_blocks) {
                enter(State::downloading_headers, "far behind");
                return true;
            }
            return false;  // otherwise it moves with the slots (on SlotTick)
        case State::synced: {
            if (behind() > s_.config.headers_again_blocks) {
                enter(State::downloading_headers, "far behind");
                return true;
            }
            const Slot lag = now_slot_ > s_.head_slot ? now_slot_ - s_.head_slot : 0;
            const bool missed = behind() > 0 && lag > s_.config.slot_lag_max;
            if (behind() > s_.config.catching_up_blocks || missed) {
                enter(State::catching_up, missed ? "slots pass without us" : "behind");
                return true;
            }
            return false;
        }
        default: return false;
    }
}

bool Core::discover() {
    const auto usable = s_.peers.usable_count(s_.now);
    const bool waited = s_.now - since_ >= s_.config.peer_wait;
    const auto enough = s_.mode == Mode::catchup ? 1U : std::max(1U, s_.config.min_peers);
    if (usable >= enough || (waited && usable > 0)) {
        enter(State::downloading_headers, std::to_string(usable) + " usable peers");
        return true;
    }
    if (s_.now < next_attempt_) {
        return false;
    }
    next_attempt_ = s_.now + s_.config.discovery_interval;
    if (++attempts_ >= s_.config.discovery_attempts) {
        s_.fatal = "no peers";
    }
    return false;
}

// Section 4: a federation that stopped as a whole, or a node that is the quorum, has no tip to wait
// for. Peers are asked first, so that a restored backup learns what its network knows.
bool Core::escape_to_synced() {
    if (!active(state_) || state_ == State::synced || !gate_.escape() ||
        behind() > s_.config.catching_up_blocks || s_.now - since_ < s_.config.peer_wait) {
        return false;
    }
    if (s_.target.best() && behind() > 0) {
        return false;  // a certified block above us is known: fetch that first
    }
    enter(State::synced, "the federation stands at our head");
    return true;
}

void Core::begin_again(const BlockRef& head) {
    headers_.reset(head);
    blocks_.drop_all(false);
}

void Core::fail(const std::string& reason) {
    begin_again(s_.head);
    while (!s_.requests.empty()) {
        s_.cancel(s_.requests.begin()->first);
    }
    stalls_in_row_ = 0;
    if (!may_move(state_, State::failed)) {
        return;
    }
    const bool last = recoveries_ >= s_.config.recoveries_max;
    const Duration wait = backoff_;
    retry_at_ = s_.now + wait;
    backoff_ = std::min<Duration>(backoff_ * 2, s_.config.backoff_max);
    enter(State::failed, reason);
    s_.emit(Failed{reason, s_.head.height, last ? Duration{0} : wait, last, recoveries_});
}

void Core::recover() {
    ++recoveries_;
    recovered_at_ = s_.head.height;
    const std::string why = reason_;
    enter(State::recovering, why);
    s_.emit(Recover{recoveries_, s_.committed, why});
}

void Core::leave_emergency(const std::string& reason) {
    if (alarmed_in_ == State::idle || alarmed_in_ == State::paused) {
        enter(alarmed_in_, reason);
    } else {
        enter(State::discovering, reason);
    }
}

}  // namespace synod::sync
