// SPDX-License-Identifier: Apache-2.0
#include "core/sim/world.hpp"

#include <algorithm>

#include "core/base/codec.hpp"

namespace synod::sim {

namespace {

//! Why sync fails where nobody can be reached: with the network cut that is right.
constexpr std::string_view kNoPeers = "no peers", kNobodyDelivers = "no peer delivers";
//! So long after a cut what was asked over it may still be what fails.
constexpr Duration kCutAfter = std::chrono::seconds(30);
constexpr HostId kCrowdFrom = 2'000;

std::string text_of(const bus::Event& event) {
    const auto* info = bus::find_topic(event.topic);
    return std::string(info == nullptr ? "?" : info->name) + " " + to_hex(event.payload.view());
}

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed, std::uint32_t nodes, const Foundation& foundation,
             BlockCheck& check, Trace& trace)
    : scenario_(scenario),
      seed_(seed),
      foundation_(foundation),
      trace_(trace),
      random_(Random(seed).stream("world")),
      network_(events_, random_.stream("network"), trace),
      referee_(events_, check, scenario.ends == Scenario::Ends::kHalted) {
    Shape usual;
    // The scenario's lines, for this seed between half and twice as slow.
    const auto scale = 500 + random_.below(1'500);
    usual.latency_low = scenario.latency_low * static_cast<Duration::rep>(scale) / 1'000;
    usual.latency_high = scenario.latency_high * static_cast<Duration::rep>(scale) / 1'000;
    usual.bytes_per_s = scenario.bandwidth;
    usual.loss_ppm = millionths(scenario.loss);
    usual.reset_ppm = millionths(scenario.resets);
    network_.set_shape(usual);
    network_.watch = [this](HostId, HostId to, ByteView frame) {
        const auto found = members_.find(to);
        const auto type = frame.empty() ? net::MessageType::goodbye : static_cast<net::MessageType>(frame[0]);
        if (found != members_.end() && (type == net::MessageType::blocks || type == net::MessageType::new_block)) {
            found->second.bytes_of_blocks += frame.size();
        }
    };
    if (auto folder = Folder::make()) {
        folder_ = std::move(*folder);
    }
    add_hosts(nodes);
    if (scenario.mining > Duration{}) {
        miner_ = std::make_unique<Miner>(
            events_, random_.stream("miner"), check, scenario.mining, [this] { return someone(false); },
            [this](const std::string& text) { trace_.line(events_.now(), "miner", text); });
    }
    operators_ = std::make_unique<Operators>(events_, scenario.changes, check, federation());
}

World::~World() {
    crowd_.reset();
    for (auto& [id, member] : members_) {
        member.host->end(End::kKilled);
    }
}

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
    std::set<HostId> copies;
    for (const auto& copy : scenario_.copies) {
        auto one = plan("copy-" + std::to_string(copy.of), foundation_.authorities[copy.of]);
        one.authority = one.has_chain = true;
        copies.insert(one.id);
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
        add(one, !bad && !one.byzantine, bad ? does[one.id - hostile_.front()] : std::set<Behaviour>{}).copy =
            copies.contains(one.id);
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

void World::say(const Member& member, const std::string& text) {
    trace_.line(events_.now(), member.host->plan().name, text);
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

Result<void> World::begin() {
    for (const auto& change : scenario_.changes) {
        for (const auto& name : {change.key, change.replacement}) {
            if (auto known = hosts(name.empty() ? std::vector<std::string>{} : std::vector{name}); !known) {
                return std::unexpected(known.error());
            }
        }
    }
    if (miner_) {
        miner_->begin();
    }
    operators_->begin();
    for (auto& [id, member] : members_) {
        if (member.copy) {
            const auto copy = std::ranges::find_if(scenario_.copies, [&](const Copy& one) {
                return member.host->plan().name == "copy-" + std::to_string(one.of);
            });
            start_again(member, copy->at + random_.between({}, copy->at / 5));
            continue;
        }
        // Authorities are there first, unless all wake up together.
        const auto spread = scenario_.cold ? std::chrono::milliseconds(200) : std::chrono::milliseconds(3'000);
        const auto head_start = member.host->plan().authority || scenario_.cold ? Duration{} : Duration(spread);
        start_again(member, head_start + random_.between({}, spread));
    }
    for (const auto& fault : scenario_.faults) {
        if (auto planned = plan(fault); !planned) {
            return planned;
        }
    }
    if (scenario_.crowd > 0) {
        std::vector<HostId> targets;
        for (const auto& [id, member] : members_) {
            targets.push_back(id);
        }
        auto* probe = members_.begin()->second.host.get();
        events_.after(std::chrono::seconds(4), [this, probe, targets] {
            if (auto identity = probe->chain_identity()) {
                crowd_ = std::make_unique<Crowd>(events_, network_, foundation_, random_.stream("crowd"), kCrowdFrom,
                                                 scenario_.crowd, targets, identity->genesis, identity->network_id);
            }
        });
    }
    faults_over_ = std::max(faults_over_, Instant(scenario_.faults_end));
    events_.after(kSampleEvery, [this] { sample(); });
    return {};
}

void World::start_again(Member& member, Duration after) {
    member.wanted = true;
    events_.after(after, [this, &member] {
        if (member.wanted && !member.host->running()) {
            boot(member);
        }
    });
}

void World::boot(Member& member) {
    if (auto booted = member.host->boot(); !booted) {
        say(member, "does not start: " + booted.error().text());
        if (member.trouble || !member.honest) {
            start_again(member, kRestartAfter);
        } else {
            referee_.violated("no_start", member.host->plan().name, booted.error().text());
        }
        return;
    }
    say(member, "starts");
    member.first_boot = member.first_boot.value_or(events_.now());
}

void World::end(Member& member, End how) {
    if (member.host->running()) {
        say(member, how == End::kOrderly ? "is stopped" : how == End::kPower ? "loses power" : "is killed");
        member.host->end(how);
    }
}

void World::heard(Member& member, const bus::Event& event) {
    say(member, text_of(event));
    Reader in(event.payload.view());
    if (event.topic == bus::Topic::kBlocksCommitted) {
        const auto from = in.get<std::uint64_t>();
        const auto to = in.get<std::uint64_t>();
        referee_.committed(*member.host, from, to);
        if (auto* store = member.host->store()) {
            for (auto height = from; height <= to; ++height) {
                const auto block = store->read_block(height);
                member.bytes_stored += block ? block->view.size() : 0;
            }
        }
    } else if (event.topic == bus::Topic::kPeerBanned) {
        const auto identity = in.fixed<PublicKey>();
        referee_.banned(*member.host, identity, std::string(in.text(256)));
    } else if (event.topic == bus::Topic::kSyncState) {
        static_cast<void>(in.get<std::uint8_t>());
        const auto to = static_cast<sync::State>(in.get<std::uint8_t>());
        const auto why = std::string(in.text(256));
        const bool cut = why == kNoPeers || (why.starts_with(kNobodyDelivers) && cut_until_ && events_.now() < *cut_until_ + kCutAfter);
        if (to == sync::State::failed && member.honest && !member.trouble && !cut) {
            referee_.violated("failed", member.host->plan().name, "it failed, and nothing is wrong with its disk and clock: " + why);
        }
    } else if (event.topic == bus::Topic::kPeerUp) {
        const auto peer = in.get<std::uint64_t>();
        member.peers[peer] = in.fixed<PublicKey>();
    } else if (event.topic == bus::Topic::kPeerMisbehaved) {
        if (const auto peer = member.peers.find(in.get<std::uint64_t>()); peer != member.peers.end()) {
            referee_.charged(*member.host, peer->second, std::string(in.text(256)));
        }
    }
}

void World::run(std::optional<Duration> until) {
    const auto last = until ? Instant(*until) : faults_over_ + scenario_.settle + kSampleEvery;
    while (!decided_ && referee_.violations().empty() && events_.step(last)) {
    }
    if (until && events_.now() >= last) {
        return;  // as far as was asked for
    }
    if (referee_.violations().empty() && !settled_) {
        referee_.violated(scenario_.ends == Scenario::Ends::kHalted ? "not_halted" : "liveness", "world", standing());
    }
    if (const auto missing = not_seen(); referee_.violations().empty() && !missing.empty()) {
        referee_.violated("not_seen", "world", "no honest node was in an emergency for " + missing);
    }
    if (referee_.violations().empty()) {
        for (auto& [id, member] : members_) {
            referee_.audit(*member.host);
        }
    }
}

void World::tell(Report& out) {
    out.virtual_s = seconds(events_.now());
    out.events = events_.count();
    out.frames = network_.figures().frames;
    out.bytes = network_.figures().bytes;
    out.final_height = referee_.final_height();
    out.equivocations = referee_.equivocations();
    if (settled_) {
        out.settled_after_s = seconds(*settled_ - faults_over_);
    }
    out.changes = operators_->carried();
    if (miner_) {
        out.proofs_accepted = miner_->accepted();
        out.proofs_refused = miner_->refused();
    }
    out.seen = seen_;
    out.samples = samples_;
    for (const auto& fault : faults_) {
        out.faults.push_back(*fault);
    }
    out.bans = referee_.bans();
    out.violations = referee_.violations();
    for (const auto& [id, member] : members_) {
        HostReport host;
        host.name = member.host->plan().name;
        host.honest = member.honest;
        host.authority = member.host->plan().authority;
        host.running = member.host->running();
        host.boots = member.host->boots();
        host.gave_up = member.gave_up;
        host.bytes_of_blocks = member.bytes_of_blocks;
        host.bytes_stored = member.bytes_stored;
        if (member.synced) {
            host.synced_after_s = seconds(*member.synced - member.first_boot.value_or(Instant{}));
        }
        if (const auto status = member.host->status()) {
            host.state = sync::name(status->sync.state);
            host.height = status->sync.head.height;
            host.committed = status->committed_height;
            host.gate_open = status->sync.gate.open;
            host.proposed = status->blocks_proposed;
            host.reason = status->sync.reason;
        }
        out.hosts.push_back(std::move(host));
        if (!member.honest && !member.does.empty()) {
            const bool caught = std::ranges::any_of(out.bans, [&](const auto& ban) {
                return ban.who == member.host->plan().name;
            });
            for (const auto& [what, frames] : member.tampered.frames) {
                if (!caught && provable(what) && frames > 0) {
                    out.not_banned.push_back({member.host->plan().name, std::string(name(what)), frames});
                }
            }
        }
    }
}

}  // namespace synod::sim
