// SPDX-License-Identifier: Apache-2.0
#include "core/health/emergency.hpp"

#include <algorithm>
#include <utility>

namespace synod::health {

namespace {

constexpr std::string_view kNames[kTriggers] = {"health",       "quorum",   "mining",   "partition",
                                                "equivocation", "backends", "conflict", "operator"};

}  // namespace

std::string_view name(Trigger trigger) { return kNames[static_cast<std::size_t>(trigger)]; }

std::optional<Trigger> trigger_of(std::string_view name) {
    const auto* const at = std::ranges::find(kNames, name);
    return at == std::end(kNames) ? std::nullopt : std::optional(static_cast<Trigger>(at - std::begin(kNames)));
}

void Emergency::measure(Trigger trigger, bool bad, std::string reason) {
    auto& watch = at(trigger);
    watch.muted = watch.muted && bad;
    watch.open = bad && !watch.muted;
    watch.reason = watch.open ? std::move(reason) : "";
}

Emergency::Change Emergency::check(const EmergencyInputs& in, Instant now) {
    if (checked_ && now - *checked_ < kCheckEvery) {
        return Change::none;
    }
    checked_ = now;
    // A node that starts has seen neither peers nor a quorum yet: there is nothing that it lost.
    const auto follow = [now](bool well, bool& ever_well, std::optional<Instant>& lost) {
        ever_well = ever_well || well;
        lost = well || !ever_well ? std::nullopt : std::optional(lost.value_or(now));
    };
    follow(in.health >= kBadHealth, was_healthy_, health_lost_);
    measure(Trigger::kHealth, health_lost_ && now - *health_lost_ >= bad_health_limit_,
            "network health below " + std::to_string(kBadHealth).substr(0, 3));
    follow(in.authorities_seen >= in.quorum, seen_quorum_, quorum_lost_);
    measure(Trigger::kQuorum, quorum_lost_ && now - *quorum_lost_ >= kTimeouts * timeout_,
            std::to_string(in.authorities_seen) + " authorities are reachable, " + std::to_string(in.quorum) +
                " are needed");
    measure(Trigger::kMining, in.mining_halted, "production waits for a proof of work");
    measure(Trigger::kPartition, in.partition >= PartitionSeverity::kSevere,
            "a " + std::string(name(in.partition)) + " partition");
    const auto borne = in.authorities == 0 ? 0 : (in.authorities - 1) / 3;
    if (in.equivocators > borne) {
        measure(Trigger::kEquivocation, true,
                std::to_string(in.equivocators) + " authorities signed twice for a slot, " + std::to_string(borne) +
                    " can be borne");
    } else {
        at(Trigger::kEquivocation).muted = false;  // it stays open: who signed twice may have been removed since
    }
    const bool any = std::ranges::any_of(watches_, &Watch::open);
    // What is bad, but not for long enough to open a trigger, is not well either.
    const bool bad = quorum_lost_ || health_lost_;
    clear_ = any || bad ? 0 : clear_ + 1;
    if (any && !active_) {
        active_ = true;
        return Change::entered;
    }
    if (active_ && clear_ >= kGoodChecks) {
        active_ = false;
        return Change::left;
    }
    return Change::none;
}

Emergency::Change Emergency::raise(Trigger trigger, std::string reason) {
    auto& watch = at(trigger);
    watch.open = watch.raised = true;
    watch.reason = std::move(reason);
    clear_ = 0;
    return std::exchange(active_, true) ? Change::none : Change::entered;
}

Emergency::Change Emergency::leave() {
    for (auto& watch : watches_) {
        watch.muted = watch.open;
        watch.open = watch.raised = false;
        watch.reason.clear();
    }
    return std::exchange(active_, false) ? Change::left : Change::none;
}

std::vector<Open> Emergency::open() const {
    std::vector<Open> out;
    for (std::size_t i = 0; i < kTriggers; ++i) {
        if (watches_[i].open) {
            out.push_back({static_cast<Trigger>(i), watches_[i].reason});
        }
    }
    return out;
}

std::vector<Open> Emergency::raised() const {
    auto out = open();
    std::erase_if(out, [this](const Open& o) { return !watches_[static_cast<std::size_t>(o.trigger)].raised; });
    return out;
}

bool Emergency::only_mining() const {
    return active_ && std::ranges::all_of(open(), [](const Open& o) { return o.trigger == Trigger::kMining; });
}

}  // namespace synod::health
