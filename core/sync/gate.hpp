// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The production gate (behaviour.md section 4): named conditions with their measured values, and
//! the hysteresis of three slots to open and two misses to close. Owned by the sync machine, runs
//! on the control thread; `status` asks it too. It never signs and never looks at a clock.

#include <optional>
#include <string>
#include <vector>

#include "core/sync/config.hpp"
#include "core/sync/types.hpp"

namespace synod::sync {

//! The guide's floor: no manifest may set the percentage lower.
inline constexpr double kGateFloor = 0.95;
inline constexpr std::uint32_t kClockSamples = 3;  //!< peers in the clock's median

//! What the gate can't know by itself; the driver reports it once a slot, before the SlotTick.
struct GateInputs {
    double network_health = 0;             //!< 0..1
    std::uint32_t authorities_seen = 0;    //!< within the consensus time-out, this node included
    std::uint32_t quorum = 1;
    bool governance_healthy = false;
    std::uint64_t blocks_since_pow = 0;
    std::uint64_t max_blocks_without_pow = 10'000;
    std::int64_t clock_offset_ms = 0;      //!< to the median of the peers
    std::uint32_t clock_samples = 0;       //!< peers in that median
    std::uint32_t clock_samples_wanted = kClockSamples;  //!< fewer in a federation whose quorum has fewer others
    bool last_commit_durable = false;
    std::uint64_t disk_free_bytes = 0;
    std::uint64_t unverified_blocks = 0;  //!< stored on a certificate's word alone (mode optimistic)
    bool emergency = false;
    std::optional<Slot> last_signed_slot;  //!< durable; none when nothing was ever signed
    std::uint32_t stall_statements = 0;    //!< authorities that sign "head = OUR head, no progress
                                           //!< for 3 slots", this node included
    bool holds_quorum_alone = false;       //!< this node's keys alone reach the quorum
    bool halted = false;                   //!< by governance, and no event waits that a block may carry
};

//! What the machine knows.
struct GateView {
    bool running = false;     //!< CatchingUp or Synced
    double percentage = 0;    //!< verified / target, 0..1
    Height behind = 0;        //!< blocks to the evidence-backed target
    bool evidence = false;    //!< the target is backed by evidence
    Slot head_slot = 0;
    Slot now_slot = 0;
};

struct GateCondition {
    std::string name;   //!< stable snake_case
    bool met = false;
    std::string value;  //!< measured, for people
    std::string limit;  //!< what would be enough, for people
};

struct GateStatus {
    bool open = false;
    bool all_met = false;  //!< now, before hysteresis
    bool escape = false;   //!< the escape rule stands in for the conditions about the network's tip
    std::uint32_t good_slots = 0;
    std::uint32_t missed_slots = 0;
    std::vector<GateCondition> conditions;
};

//! "Can I produce?" with an operator's own limits; they may be stricter, the floor stays.
struct GateOptions {
    std::optional<double> percentage;
    std::optional<bool> needs_governance;
};

class Gate {
  public:
    explicit Gate(const SyncConfig& config) : config_(config) {}

    void set_slot(Duration slot) { config_.slot = slot; }
    void set_inputs(const GateInputs& inputs) { inputs_ = inputs; }
    //! The measured inputs are void after a stop or a crash of the driver: shut at once.
    void shut();
    //! One slot passed: evaluates and moves the hysteresis. True when open/shut changed.
    bool slot(const GateView& view);
    //! The conditions now; changes nothing.
    [[nodiscard]] GateStatus status(const GateView& view, const GateOptions& options = {}) const;
    [[nodiscard]] bool open() const { return open_; }
    //! The escape rule holds now: whole federation stalled at our head, or we are the quorum.
    [[nodiscard]] bool escape() const;

  private:
    SyncConfig config_;
    std::optional<GateInputs> inputs_;
    std::optional<Slot> last_slot_;
    bool open_ = false;
    std::uint32_t good_ = 0;
    std::uint32_t missed_ = 0;
};

}  // namespace synod::sync
