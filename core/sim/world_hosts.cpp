// SPDX-License-Identifier: Apache-2.0
//! World: who takes part.
#include <algorithm>

#include "core/sim/world.hpp"

namespace synod::sim {

void World::add_hosts(std::uint32_t nodes) {
    HostId next = 0;
    std::vector<HostPlan> plans;
    const auto plan = [&](std::string name, std::shared_ptr<app::SecretKey> key) {
        HostPlan out;
        out.id = next++;
        out.name = std::move(name);
        out.key = std::move(key);
        out.seed = random_.stream("host", out.id).next();
        out.sync_full = scenario_.sync_full;
        out.checkpoints = folder_ ? folder_->path() : std::filesystem::path();
        out.checkpoint_every = folder_ ? out.checkpoint_every : 0;
        return out;
    };
    const auto stranger = [&](const char* kind, std::uint32_t i) {
        Bytes seed(32);
        random_.stream(kind, i).fill(seed);
        return plan(std::string(kind) + "-" + std::to_string(i), app::SecretKey::from_seed(seed));
    };
    std::vector<HostId> known;  // whom everybody is told of
    for (std::uint32_t i = 0; i < scenario_.authorities; ++i) {
        auto one = plan("authority-" + std::to_string(i), foundation_.authorities[i]);
        one.authority = one.has_chain = true;
        known.push_back(one.id);
        plans.push_back(std::move(one));
    }
    for (const auto i : scenario_.careless) {
        plans[i].byzantine = true;
    }
    for (const auto i : scenario_.twins) {
        auto twin = plan("twin-" + std::to_string(i), foundation_.authorities[i]);
        twin.authority = twin.has_chain = twin.byzantine = true;
        plans[i].byzantine = true;
        known.push_back(twin.id);
        plans.push_back(std::move(twin));
    }
    std::map<HostId, Duration> copies;  // when each starts
    for (const auto& copy : scenario_.copies) {
        auto one = plan("copy-" + std::to_string(copy.of), foundation_.authorities[copy.of]);
        one.authority = one.has_chain = true;
        copies[one.id] = copy.at;
        plans.push_back(std::move(one));
    }
    for (std::uint32_t i = 0; i < nodes; ++i) {
        auto one = stranger("node", i);
        // Whoever is to become an authority has its key in place before.
        one.authority = std::ranges::any_of(scenario_.changes, [&](const Change& change) {
            return change.key == one.name || change.replacement == one.name;
        });
        plans.push_back(std::move(one));
    }
    std::uint32_t hostile = 0;
    std::vector<std::set<Behaviour>> does;
    for (const auto& group : scenario_.hostile) {
        for (std::uint32_t i = 0; i < group.count; ++i) {
            auto one = stranger("hostile", hostile++);
            one.has_chain = true;
            known.push_back(one.id);
            hostile_.push_back(one.id);
            plans.push_back(std::move(one));
            auto& mine = does.emplace_back(group.does.begin(), group.does.end());
            while (mine.empty() || (group.does.empty() && random_.chance(400'000))) {
                mine.insert(static_cast<Behaviour>(random_.below(kBehaviours)));
            }
        }
    }
    for (auto& one : plans) {
        for (const auto other : known) {
            // Twins share an identity, so nobody is told whom to expect there.
            if (other != one.id && plans[other].key->public_key() != one.key->public_key()) {
                one.peers.push_back({address_of(other), kPort, std::nullopt});
            }
        }
        const bool bad = std::ranges::find(hostile_, one.id) != hostile_.end();
        auto& member =
            add(one, !bad && !one.byzantine, bad ? does[one.id - hostile_.front()] : std::set<Behaviour>{});
        if (const auto copy = copies.find(one.id); copy != copies.end()) {
            member.copy = copy->second;
        }
    }
    part_twins();
}

World::Member& World::add(HostPlan plan, bool honest, std::set<Behaviour> does) {
    const auto id = plan.id;
    auto& member = members_[id];
    member.honest = honest;
    member.does = std::move(does);
    HostWatch watch;
    watch.sign = [this](HostId host, const synod_sign_request& request) { referee_.signed_by(host, request); };
    watch.event = [this](HostId host, const bus::Event& event) { heard(members_.at(host), event); };
    watch.log = [this](HostId host, const std::string& level, const std::string& text) {
        say(members_.at(host), level + ": " + text);
    };
    Wrap wrap;
    if (!member.does.empty()) {
        wrap = [this, &member, id](std::unique_ptr<net::Transport> behind) {
            return tamper(std::move(behind), {member.does, hostile_}, events_, random_.stream("tamper", id),
                          member.tampered);
        };
    }
    member.host = std::make_unique<Host>(events_, network_, foundation_, std::move(plan), std::move(watch),
                                         std::move(wrap));
    referee_.add(*member.host, honest);
    return member;
}

//! Of two processes with one key each honest host sees one: which, the seed says.
void World::part_twins() {
    for (const auto i : scenario_.twins) {
        const auto at = std::ranges::find_if(
            members_, [&](const auto& m) { return m.second.host->plan().name == "twin-" + std::to_string(i); });
        for (const auto& [other, member] : members_) {
            if (other == i || other == at->first) {
                continue;
            }
            // Twins of different authorities: firsts with firsts, seconds with seconds.
            const bool second = member.honest ? other % 2 == 1 : member.host->plan().name.starts_with("twin-");
            const auto unseen = second ? HostId{i} : at->first;
            network_.cut(unseen, other);
            network_.cut(other, unseen);
        }
        network_.cut(i, at->first);
        network_.cut(at->first, i);
    }
}

//! Draws one that runs, and follows the chain if that is asked for, of those that are honest.
Host* World::someone(bool follows) {
    std::vector<Host*> among;
    for (const auto& [id, member] : members_) {
        const auto status = member.host->status();
        if (status && member.honest && !member.copy && (!follows || status->sync.state == sync::State::synced)) {
            among.push_back(member.host.get());
        }
    }
    return among.empty() ? nullptr : among[random_.below(among.size())];
}

Operators::Federation World::federation() {
    const auto named = [this](const auto& is) {
        const auto found = std::ranges::find_if(members_, [&](const auto& entry) { return is(entry.second); });
        return found == members_.end() ? nullptr : &found->second;
    };
    return {[this] { return someone(true); },
            [named](const std::string& key) {
                const auto* member = named([&](const Member& one) {
                    return one.honest && !one.copy && to_hex(one.host->plan().key->public_key().view()) == key;
                });
                return member == nullptr ? nullptr : member->host->plan().key;
            },
            [named](const std::string& host) {
                const auto* member = named([&](const Member& one) { return one.host->plan().name == host; });
                return member == nullptr ? std::string() : to_hex(member->host->plan().key->public_key().view());
            },
            [this](const std::string& text) { trace_.line(events_.now(), "operators", text); }};
}

}  // namespace synod::sim
