// SPDX-License-Identifier: Apache-2.0
#pragma once
//! When this node is in an emergency, and why (behaviour.md section 9): what must be so for a while before it is
//! one, and that everything must be well for three checks before it is over. Plain values; measurements are passed
//! in, once a check. Control thread. What an emergency does is its owner's affair.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/health/monitor.hpp"

namespace synod::health {

enum class Trigger : std::uint8_t {
    kHealth,         //!< the network serves this node badly
    kQuorum,         //!< too few authorities are reachable
    kMining,         //!< production stands still for want of a proof of work
    kPartition,      //!< severe
    kEquivocation,   //!< proven against more authorities than the federation bears
    kBackends,       //!< two validation backends disagree
    kConflict,       //!< two chains, or a store that contradicts itself
    kOperator,
};
inline constexpr std::size_t kTriggers = 8;
std::string_view name(Trigger trigger);
std::optional<Trigger> trigger_of(std::string_view name);

inline constexpr Duration kCheckEvery = std::chrono::seconds(1);
inline constexpr std::uint32_t kGoodChecks = 3;    //!< in a row, to leave
inline constexpr std::uint32_t kBadHealths = 3;    //!< health intervals without a good check, to enter
inline constexpr double kBadHealth = .3;           //!< below
inline constexpr std::uint32_t kTimeouts = 3;      //!< consensus time-outs without a quorum

struct EmergencyInputs {
    double health = 1;
    std::uint32_t authorities_seen = 0, quorum = 1;
    bool mining_halted = false;
    PartitionSeverity partition = PartitionSeverity::kNone;
    std::uint32_t equivocators = 0, authorities = 1;
};

struct Open {
    Trigger trigger = Trigger::kHealth;
    std::string reason;
};

class Emergency {
  public:
    enum class Change : std::uint8_t { none, entered, left };

    //! `health_interval`: bad health is an emergency after kBadHealths of them.
    explicit Emergency(Duration consensus_timeout, Duration health_interval = kAssessEvery)
        : timeout_(consensus_timeout), bad_health_limit_(kBadHealths * health_interval) {}

    //! One check. Earlier ones than kCheckEvery after the last are no check.
    Change check(const EmergencyInputs& in, Instant now);
    //! What stays until the operator says otherwise: a fault that no measurement takes back.
    Change raise(Trigger trigger, std::string reason);
    //! The operator's word: every open trigger is forgotten; what is measured still can open again, but only
    //! once it was well in between.
    Change leave();

    [[nodiscard]] bool active() const { return active_; }
    //! Which triggers are open, in their order.
    [[nodiscard]] std::vector<Open> open() const;
    //! Those of the open ones that no measurement takes back.
    [[nodiscard]] std::vector<Open> raised() const;
    //! Of mining alone: a proof is the way out, so work is still given.
    [[nodiscard]] bool only_mining() const;

  private:
    struct Watch {
        bool open = false, muted = false, raised = false;
        std::string reason;
    };
    Watch& at(Trigger trigger) { return watches_[static_cast<std::size_t>(trigger)]; }
    void measure(Trigger trigger, bool bad, std::string reason);

    const Duration timeout_, bad_health_limit_;
    std::array<Watch, kTriggers> watches_;
    bool active_ = false;
    bool seen_quorum_ = false, was_healthy_ = false;
    std::uint32_t clear_ = 0;
    std::optional<Instant> quorum_lost_, health_lost_, checked_;
};

}  // namespace synod::health
