// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The synchronisation engine: one plain state machine. It is told what happened and when, and
//! answers what to do. Owned and called by its driver on the control thread; deterministic (same
//! configuration, events and times give the same actions). It never does I/O, never looks at a
//! clock, never holds a payload, and waits for nothing without a deadline.
//!
//! States and transitions: behaviour.md section 2, as data in state_table.hpp.

#include <memory>
#include <string>
#include <vector>

#include "core/sync/actions.hpp"
#include "core/sync/config.hpp"
#include "core/sync/events.hpp"
#include "core/sync/snapshot.hpp"

namespace synod::sync {

class Core;  // the machine's insides (core.hpp)

class Machine {
  public:
    //! `head`: the verified tip of the store; `committed`: its last irreversible block.
    Machine(const SyncConfig& config, const BlockRef& head, Slot head_slot,
            const BlockRef& committed);
    ~Machine();
    Machine(Machine&&) noexcept;
    Machine& operator=(Machine&&) noexcept;

    //! Total: any event in any state. `now` is monotonic (an earlier one counts as the last seen).
    //! The returned actions are to be carried out in order; an action may be answered by an event
    //! only after step() has returned.
    std::vector<Action> step(const Event& event, Instant now);

    //! A consistent copy of everything worth showing. O(peers + ranges).
    [[nodiscard]] Snapshot snapshot(Instant now) const;
    //! "Can I produce?", with stricter limits of the caller's own.
    [[nodiscard]] GateStatus gate(const GateOptions& options = {}) const;
    [[nodiscard]] State state() const;
    //! Everything inside as text for the log (bounded, <= 64 KiB).
    [[nodiscard]] std::string dump(Instant now) const;

  private:
    std::unique_ptr<Core> core_;
};

}  // namespace synod::sync
