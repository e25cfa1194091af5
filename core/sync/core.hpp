// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The machine's insides: dispatch by the state table, transitions, deadlines, recovery. Its parts
//! are the header walk, the scheduler, progress and the gate. Private to core/sync.

#include "core/sync/gate.hpp"
#include "core/sync/headers.hpp"
#include "core/sync/progress.hpp"
#include "core/sync/scheduler.hpp"
#include "core/sync/shared.hpp"
#include "core/sync/snapshot.hpp"
#include "core/sync/state_table.hpp"

namespace synod::sync {

class Core {
  public:
    Core(const SyncConfig& config, const BlockRef& head, Slot head_slot,
         const BlockRef& committed);
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    std::vector<Action> step(const Event& event, Instant now);
    [[nodiscard]] Snapshot snapshot(Instant now) const;
    [[nodiscard]] GateStatus gate(const GateOptions& options) const;
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] std::string dump(Instant now) const;

  private:
    // core_events.cpp: one for each event.
    void on(const Start& event);
    void on(const Pause& event);
    void on(const Resume& event);
    void on(const Stop& event);
    void on(const Tick& event);
    void on(const SlotTick& event);
    void on(const PeerUp& event);
    void on(const PeerDown& event);
    void on(const PeerClaim& event);
    void on(const PeerScores& event);
    void on(const EvidenceVerified& event);
    void on(const HeadersReceived& event);
    void on(const HeadersChecked& event);
    void on(const BlocksReceived& event);
    void on(const RequestFailed& event);
    void on(const RangeChecked& event);
    void on(const RangeFailed& event);
    void on(const RangeCommitted& event);
    void on(const HeadChanged& event);
    void on(const CommittedChanged& event);
    void on(const StoreFault& event);
    void on(const ChainFault& event);
    void on(const RecoveryDone& event);
    void on(const RecoveryFailed& event);
    void on(const EmergencyEntered& event);
    void on(const EmergencyCleared& event);
    void on(const GateInputs& event);
    void on(const Tune& event);

    // core_states.cpp: transitions.
    void enter(State to, const std::string& reason);
    void evaluate();
    bool evaluate_once();
    bool discover();
    bool escape_to_synced();
    void fail(const std::string& reason);
    void recover();
    void begin_again(const BlockRef& head);
    void leave_emergency(const std::string& reason);
    void shut_gate();

    // core.cpp
    void pump();
    void expire_requests();
    void end_failed(RequestId id, RequestFailure why, std::uint32_t retry_ms);
    void watchdog();
    [[nodiscard]] bool running() const;
    [[nodiscard]] Height behind() const;
    [[nodiscard]] bool usable_peer() const;
    [[nodiscard]] GateView view() const;
    void announce_target();

    Shared s_;
    HeaderWalk headers_;
    Scheduler blocks_;
    Progress progress_;
    Gate gate_;
    State state_ = State::idle;
    State paused_in_ = State::discovering;
    State alarmed_in_ = State::idle;
    bool still_ = false;  // of an emergency: nothing is fetched
    std::string reason_ = "not started";
    Instant since_{};          // in this state
    Instant last_tick_{};
    Instant behind_since_{};   // when Synced: since when a block is missing
    bool was_behind_ = false;
    Instant next_attempt_{};
    std::uint32_t attempts_ = 0;
    std::uint32_t level_slots_ = 0;  // slots in a row with nothing behind
    Slot now_slot_ = 0;
    std::optional<Height> announced_;
    std::uint32_t stalls_in_row_ = 0;
    std::uint64_t stalls_ = 0;
    Duration backoff_;
    Instant retry_at_{};
    std::uint32_t recoveries_ = 0;
    Height recovered_at_ = 0;
};

}  // namespace synod::sync
