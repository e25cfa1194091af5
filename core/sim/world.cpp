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

void World::say(const Member& member, const std::string& text) {
    trace_.line(events_.now(), member.host->plan().name, text);
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
            start_again(member, *member.copy + random_.between({}, *member.copy / 5));
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
    out.virtual_s = to_seconds(events_.now());
    out.events = events_.count();
    out.frames = network_.figures().frames;
    out.bytes = network_.figures().bytes;
    out.final_height = referee_.final_height();
    out.equivocations = referee_.equivocations();
    if (settled_) {
        out.settled_after_s = to_seconds(*settled_ - faults_over_);
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
            host.synced_after_s = to_seconds(*member.synced - member.first_boot.value_or(Instant{}));
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
