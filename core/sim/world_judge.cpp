// SPDX-License-Identifier: Apache-2.0
//! World: how it stands, and whether that is well.
#include <algorithm>

#include "core/sim/world.hpp"

namespace synod::sim {

namespace {

//! How many blocks more must be final after the faults than were, before all is held to be well.
constexpr std::uint64_t kProgress = 3;
constexpr std::uint64_t kNearTip = 3;
//! Behind what is final an open gate may be: 10 by its own rule, and what comes until a node that is cut off knows.
constexpr std::uint64_t kGateBehind = 20;
//! So long after a disk's trouble a node may still give up for it.
constexpr Duration kTroubleAfter = std::chrono::seconds(2);
constexpr double kSlotSeconds = 2;
//! A chain without a new block for so long stands.
constexpr Duration kStands = std::chrono::seconds(10);

}  // namespace

void World::sample() {
    Sample out;
    out.at_s = to_seconds(events_.now());
    out.lowest = ~0ULL;
    out.bytes = network_.figures().bytes;
    out.committed = referee_.final_height();
    for (auto& [id, member] : members_) {
        const auto status = member.host->status();
        if (!status) {
            out.lowest = 0;
            continue;
        }
        const bool synced = status->sync.state == sync::State::synced;
        if (ended_by_itself(member)) {
            continue;
        }
        if (member.honest && status->sync.state == sync::State::emergency) {
            for (const auto& open : status->emergency_triggers) {
                seen_.emplace(health::name(open.trigger));
            }
        }
        if (synced && !member.synced) {
            member.synced = events_.now();
        }
        watch_gate(member, *status);
        if (member.honest) {
            ++out.running;
            out.synced += synced ? 1 : 0;
            out.gates += status->sync.gate.open ? 1 : 0;
            out.lowest = std::min(out.lowest, status->sync.head.height);
            out.highest = std::max(out.highest, status->sync.head.height);
        }
    }
    samples_.push_back(out);
    watch_pace(out);
    judge(out);
    if (!decided_) {
        events_.after(kSampleEvery, [this] { sample(); });
    }
}

//! As `synod run` ends: for good when its key is in use elsewhere, else until its service starts it again.
bool World::ended_by_itself(Member& member) {
    if (const auto why = member.host->halted()) {
        if (member.honest && !member.copy) {
            referee_.violated("halted", member.host->plan().name, "it ended for good: " + why->text());
        }
        say(member, "ends: " + why->text());
        member.wanted = false;
        end(member, End::kOrderly);
        return true;
    }
    if (!member.host->finally_failed()) {
        return false;
    }
    ++member.gave_up;
    const auto reason = member.host->status()->sync.reason;
    if (member.honest && events_.now() - member.trouble_until > kTroubleAfter) {
        referee_.violated("gave_up", member.host->plan().name,
                          "it stopped trying, and nothing is wrong with its disk and clock: " + reason);
    }
    end(member, End::kOrderly);
    start_again(member, kRestartAfter);
    return true;
}

//! An open gate says that the node is at the tip; whoever is cut off may be late to know better.
void World::watch_gate(const Member& member, const app::NodeStatus& status) {
    if (member.honest && status.sync.gate.open && status.sync.head.height + kGateBehind < referee_.final_height()) {
        referee_.violated("gate", member.host->plan().name,
                          "its gate is open at " + std::to_string(status.sync.head.height) + ", and " +
                              std::to_string(referee_.final_height()) + " is final elsewhere");
    }
}

//! Whether everybody hears of blocks as soon as the scenario promises, and whether slots give blocks.
void World::watch_pace(const Sample& now) {
    // The newest block of a chain that stands may never be certified, and can't be shown then; nor can its parent by
    // whoever lacks it.
    const bool stands = events_.now() - grown_at_ > kStands && highest_ > kNearTip;
    while (!growth_.empty() && events_.now() - growth_.front().first > scenario_.follow_within) {
        const auto height = growth_.front().second;
        followed_ = std::max(followed_, stands ? std::min(height, highest_ - kNearTip) : height);
        growth_.pop_front();
    }
    if (now.highest > highest_) {
        highest_ = now.highest;
        grown_at_ = events_.now();
        growth_.emplace_back(grown_at_, highest_);
    }
    if (scenario_.follow_within > Duration{}) {
        for (const auto& [id, member] : members_) {
            const auto status = member.host->status();
            if (member.honest && status && member.synced && events_.now() - *member.synced > scenario_.follow_within &&
                status->sync.head.height < followed_) {
                referee_.violated("late", member.host->plan().name,
                                  std::to_string(followed_) + " was there for " +
                                      std::to_string(to_seconds(scenario_.follow_within)) + " s, here " +
                                      std::to_string(status->sync.head.height) + " is the newest");
            }
        }
    }
    if (scenario_.pace > 0 && now.gates > 0 && !paced_from_) {
        paced_from_ = {events_.now(), now.committed};
    }
    if (paced_from_ && events_.now() >= faults_over_) {
        const auto slots = to_seconds(events_.now() - paced_from_->first) / kSlotSeconds;
        const auto blocks = static_cast<double>(now.committed - paced_from_->second);
        if (blocks < scenario_.pace * slots) {
            referee_.violated("pace", "world", std::to_string(static_cast<int>(slots)) + " slots gave " +
                                                   std::to_string(static_cast<int>(blocks)) + " final blocks");
        }
        paced_from_.reset();
    }
}

bool World::follows(const Member& member, std::uint64_t tip) const {
    const auto status = member.host->status();
    if (member.copy) {
        return member.first_boot && !status;  // it has found out, and is gone
    }
    return status && status->sync.state == sync::State::synced && status->sync.head.height + kNearTip >= tip &&
           status->committed_height >= height_at_heal_ + kProgress && (!status->authority || status->sync.gate.open) &&
           (!miner_ || !healed_ || status->final_height > proven_at_heal_) &&
           status->governance_sequence == scenario_.changes.size() &&
           status->committed_height >= operators_->in_force_from();
}

bool World::all_follow() const {
    std::uint64_t tip = 0;
    for (const auto& [id, member] : members_) {
        if (const auto status = member.host->status(); status && member.honest) {
            tip = std::max(tip, status->sync.head.height);
        }
    }
    return std::ranges::all_of(
        members_, [&](const auto& entry) { return !entry.second.honest || follows(entry.second, tip); });
}

//! The first of the emergencies which the scenario promises that nobody honest was in; empty: all were seen.
std::string World::not_seen() const {
    const auto missing = std::ranges::find_if(scenario_.sees, [this](const auto& name) { return !seen_.contains(name); });
    return missing == scenario_.sees.end() ? std::string() : *missing;
}

//! Somebody honest stopped for good, and nobody honest who knows goes on.
bool World::halted() const {
    return std::ranges::any_of(members_, [this](const auto& entry) {
        const auto status = entry.second.host->status();
        const auto asked_for = [this](const health::Open& open) {
            return scenario_.halted_by.empty() || health::name(open.trigger) == scenario_.halted_by;
        };
        return entry.second.honest && status && status->sync.state == sync::State::emergency &&
               std::ranges::any_of(status->emergency_triggers, asked_for) && !status->sync.reason.empty() &&
               !status->sync.gate.open;
    });
}

void World::judge(const Sample& now) {
    const auto good = scenario_.ends == Scenario::Ends::kHalted ? halted() : all_follow();
    for (auto& fault : faults_) {
        if (!fault->over_after_s && now.at_s >= fault->ended_s && now.synced == now.running && good) {
            fault->over_after_s = now.at_s - fault->ended_s;
        }
    }
    if (events_.now() < faults_over_) {
        return;
    }
    if (!healed_) {
        healed_ = true;
        height_at_heal_ = referee_.final_height();
        for (const auto& [id, member] : members_) {
            const auto status = member.host->status();
            proven_at_heal_ = std::max(proven_at_heal_, status && member.honest ? status->final_height : 0);
        }
        trace_.line(events_.now(), "world", "the faults are over");
        return;
    }
    if (good) {
        settled_ = events_.now();
        decided_ = true;
    }
}

std::string World::standing() const {
    std::string out = "final " + std::to_string(referee_.final_height()) + " (" + std::to_string(height_at_heal_) +
                      " when the faults were over);";
    if (!operators_->done()) {
        out += " change " + std::to_string(operators_->carried() + 1) + " isn't carried;";
    }
    for (const auto& [id, member] : members_) {
        if (!member.honest) {
            continue;
        }
        const auto status = member.host->status();
        out += " " + member.host->plan().name + ": ";
        if (!status) {
            out += "not running;";
            continue;
        }
        out += std::string(sync::name(status->sync.state)) + " " + std::to_string(status->sync.head.height) + "/" +
               std::to_string(status->committed_height) + "/" + std::to_string(status->final_height) + " peers " + std::to_string(status->sync.peers);
        for (const auto& condition : status->sync.gate.conditions) {
            if (!condition.met) {
                out += " !" + condition.name + "=" + condition.value;
            }
        }
        out += status->sync.reason.empty() ? ";" : " (" + status->sync.reason + ");";
    }
    return out;
}

}  // namespace synod::sim
