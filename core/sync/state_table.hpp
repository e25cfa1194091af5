// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The table of behaviour.md section 2 as data: what every event means in every state, and which
//! state may follow which. The machine asks it before it acts; tests walk through all of it.

#include <string_view>

#include "core/sync/events.hpp"
#include "core/sync/types.hpp"

namespace synod::sync {

//! One for each alternative of Event, in its order.
enum class EventKind : std::uint8_t {
    start, pause, resume, stop, tick, slot_tick, peer_up, peer_down, peer_claim, peer_scores,
    evidence_verified, headers_received, headers_checked, blocks_received, request_failed,
    range_checked, range_failed, range_committed, head_changed, committed_changed, store_fault,
    chain_fault, recovery_done, recovery_failed, emergency_entered, emergency_cleared, gate_inputs,
    tune,
};
inline constexpr std::size_t kEventKinds = std::variant_size_v<Event>;

enum class Outcome : std::uint8_t {
    handle,  //!< the event changes something (perhaps only what is remembered)
    ignore,  //!< it has no meaning here, and that is in order
    refuse,  //!< a command that can't be honoured: Refused with the table's reason
};

struct Cell {
    Outcome outcome = Outcome::ignore;
    std::string_view reason;  //!< refuse: for the operator
};

inline EventKind kind(const Event& event) { return static_cast<EventKind>(event.index()); }
//! Defined for every pair.
Cell cell(State state, EventKind event);
//! May the machine move so? The edges of the document's table, nothing else.
bool may_move(State from, State to);
//! discovering, downloading_headers, downloading_blocks, catching_up, synced.
bool active(State state);

}  // namespace synod::sync
