// SPDX-License-Identifier: Apache-2.0
#include "core/sim/world.hpp"

#include <algorithm>

#include "core/base/codec.hpp"

namespace synod::sim {

namespace {

constexpr HostId kCrowdFrom = 2'000;
constexpr Duration kRestartAfter = std::chrono::seconds(3);  // of a service that ended by itself
constexpr Duration kUpAtLeast = std::chrono::milliseconds(300);  // in a crash loop
//! How many blocks more must be final after the faults than were, before all is held to be well.
constexpr std::uint64_t kProgress = 3;
constexpr std::uint64_t kNearTip = 3;
constexpr std::uint64_t kLittleDisk = 16'384;  // bytes that a full disk has left

double seconds(Instant at) { return std::chrono::duration<double>(at).count(); }

std::uint32_t millionths(double share) { return static_cast<std::uint32_t>(share * 1'000'000); }

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
    for (const auto i : scenario_.twins) {
        auto twin = plan("twin-" + std::to_string(i), foundation_.authorities[i]);
        twin.authority = twin.has_chain = twin.careless = true;
        plans[i].careless = true;
        known.push_back(twin.id);
        plans.push_back(std::move(twin));
    }
    for (std::uint32_t i = 0; i < nodes; ++i) {
        plans.push_back(stranger("node", i));
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
        const auto index = one.id < scenario_.authorities ? one.id : ~0U;
        const bool twin = one.name.starts_with("twin-") ||
                          std::ranges::find(scenario_.twins, index) != scenario_.twins.end();
        add(one, !bad && !twin, bad ? does[one.id - hostile_.front()] : std::set<Behaviour>{});
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

Result<void> World::begin() {
    for (auto& [id, member] : members_) {
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
    }
}

Result<std::vector<HostId>> World::hosts(const std::vector<std::string>& names) {
    std::vector<HostId> out;
    const auto of_kind = [&](std::string_view kind) {
        std::vector<HostId> found;
        for (const auto& [id, member] : members_) {
            if (kind.empty() || member.host->plan().name.starts_with(std::string(kind) + "-")) {
                found.push_back(id);
            }
        }
        return found;
    };
    for (const auto& name : names) {
        std::vector<HostId> these;
        if (name == "all") {
            these = of_kind("");
        } else if (name == "authorities") {
            these = of_kind("authority");
        } else if (name == "nodes") {
            these = of_kind("node");
        } else if (name == "any-authority" || name == "any-node") {
            const auto among = of_kind(name == "any-node" ? "node" : "authority");
            if (!among.empty()) {
                these.push_back(among[random_.below(among.size())]);
            }
        } else {
            for (const auto& [id, member] : members_) {
                if (member.host->plan().name == name) {
                    these.push_back(id);
                }
            }
        }
        if (these.empty()) {
            return fail("sim.host", "no host is called '" + name + "'", scenario_.file,
                        "authority-0, node-0, hostile-0, twin-0, authorities, nodes, any-authority, any-node or all");
        }
        out.insert(out.end(), these.begin(), these.end());
    }
    return out;
}

Result<void> World::plan(const Fault& fault) {
    auto who = hosts(fault.hosts);
    if (!who) {
        return std::unexpected(who.error());
    }
    // Up to a fifth later than is written, so that seeds meet other moments.
    const Instant at = fault.at + random_.between({}, fault.at / 5);
    const auto over = at + fault.lasts;
    faults_over_ = std::max(faults_over_, over);
    auto& report = *faults_.emplace_back(std::make_unique<FaultReport>());
    report.what = name(fault.what);
    report.at_s = seconds(at);
    report.ended_s = seconds(over);
    for (const auto id : *who) {
        report.who += (report.who.empty() ? "" : " ") + members_.at(id).host->plan().name;
    }
    using What = Fault::What;
    if (fault.what == What::kPartition) {
        std::vector<std::vector<HostId>> groups;
        for (const auto& names : fault.groups) {
            auto group = hosts(names);
            if (!group) {
                return std::unexpected(group.error());
            }
            groups.push_back(std::move(*group));
        }
        events_.at(at, [this, &fault, groups, &report] { partition(fault, groups, report); });
        return {};
    }
    if (fault.what == What::kChurn) {
        events_.at(at, [this, &fault, who = *who, over] { churn(who, fault, over); });
        return {};
    }
    for (const auto id : *who) {
        auto& member = members_.at(id);
        events_.at(at, [this, &fault, &member, over, id] {
            trace_.line(events_.now(), member.host->plan().name, "fault: " + std::string(name(fault.what)));
            switch (fault.what) {
                case What::kKill:
                case What::kPower:
                    member.wanted = false;
                    end(member, fault.what == What::kPower ? End::kPower : End::kKilled);
                    start_again(member, fault.lasts);
                    break;
                case What::kCrashLoop: crash_loop(member, fault, over); break;
                case What::kClock:
                    member.host->clock().jump(fault.ms);
                    member.host->clock().drift(fault.ppm);
                    events_.at(over, [&member, &fault] {
                        member.host->clock().drift(0);
                        member.host->clock().jump(-member.host->clock().error_ms());
                    });
                    break;
                case What::kDiskFull:
                    member.trouble = true;
                    member.host->set_capacity(member.host->disk().used() + random_.below(kLittleDisk));
                    events_.at(over, [&member] {
                        member.trouble = false;
                        member.host->set_capacity(0);
                    });
                    break;
                case What::kDiskErrors:
                    member.trouble = true;
                    member.host->disk().set_faults({fault.one_in, fault.one_in, 0});
                    events_.at(over, [&member] {
                        member.trouble = false;
                        member.host->disk().set_faults({});
                    });
                    break;
                case What::kLines: {
                    for (const auto& [other, ignored] : members_) {
                        for (const auto& [from, to] : {Pair{id, other}, Pair{other, id}}) {
                            auto shape = network_.shape(from, to);
                            const auto before = shape;
                            shape.latency_low += fault.latency;
                            shape.latency_high += fault.latency;
                            shape.loss_ppm += millionths(fault.loss);
                            network_.set_shape(from, to, shape);
                            events_.at(over, [this, from, to, before] { network_.set_shape(from, to, before); });
                        }
                    }
                    break;
                }
                default: break;
            }
        });
    }
    return {};
}

void World::partition(const Fault& fault, const std::vector<std::vector<HostId>>& groups, FaultReport& report) {
    std::vector<Pair> cut;
    for (std::size_t a = 0; a < groups.size(); ++a) {
        for (std::size_t b = 0; b < groups.size(); ++b) {
            if (a == b || (fault.one_way && a != 0)) {
                continue;
            }
            for (const auto from : groups[a]) {
                for (const auto to : groups[b]) {
                    cut.emplace_back(from, to);
                }
            }
        }
    }
    report.who = std::to_string(cut.size()) + " lines";
    trace_.line(events_.now(), "network", "is cut");
    for (const auto& [from, to] : cut) {
        network_.cut(from, to);
    }
    events_.after(fault.lasts, [this, cut] {
        trace_.line(events_.now(), "network", "is healed");
        for (const auto& [from, to] : cut) {
            network_.heal(from, to);
        }
    });
}

void World::crash_loop(Member& member, const Fault& fault, Instant over) {
    if (events_.now() >= over) {
        start_again(member, {});
        return;
    }
    member.wanted = false;
    end(member, random_.chance(500'000) ? End::kPower : End::kKilled);
    start_again(member, random_.between({}, std::chrono::seconds(1)));
    events_.after(kUpAtLeast + random_.between({}, fault.every), [this, &member, &fault, over] {
        crash_loop(member, fault, over);
    });
}

void World::churn(const std::vector<HostId>& among, const Fault& fault, Instant over) {
    if (events_.now() >= over) {
        return;
    }
    auto& member = members_.at(among[random_.below(among.size())]);
    if (member.host->running()) {
        member.wanted = false;
        end(member, random_.chance(300'000) ? End::kOrderly : End::kKilled);
        start_again(member, random_.between({}, 2 * fault.every));
    }
    events_.after(random_.between({}, fault.every), [this, among, &fault, over] { churn(among, fault, over); });
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
    if (referee_.violations().empty()) {
        for (auto& [id, member] : members_) {
            referee_.audit(*member.host);
        }
    }
}

void World::sample() {
    Sample out;
    out.at_s = seconds(events_.now());
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
        if (member.host->finally_failed()) {
            ++member.gave_up;
            end(member, End::kOrderly);  // as `synod run` does; its service starts it again
            start_again(member, kRestartAfter);
            continue;
        }
        if (synced && !member.synced) {
            member.synced = events_.now();
        }
        if (member.honest) {
            ++out.running;
            out.synced += synced ? 1 : 0;
            out.gates += status->sync.gate.open ? 1 : 0;
            out.lowest = std::min(out.lowest, status->sync.head.height);
            out.highest = std::max(out.highest, status->sync.head.height);
        }
    }
    samples_.push_back(out);
    judge(out);
    if (!decided_) {
        events_.after(kSampleEvery, [this] { sample(); });
    }
}

bool World::all_follow() const {
    std::uint64_t tip = 0;
    for (const auto& [id, member] : members_) {
        if (const auto status = member.host->status(); status && member.honest) {
            tip = std::max(tip, status->sync.head.height);
        }
    }
    return std::ranges::all_of(members_, [&](const auto& entry) {
        const auto& member = entry.second;
        if (!member.honest) {
            return true;
        }
        const auto status = member.host->status();
        return status && status->sync.state == sync::State::synced && status->sync.head.height + kNearTip >= tip &&
               status->committed_height >= height_at_heal_ + kProgress &&
               (!status->authority || status->sync.gate.open);
    });
}

//! Somebody honest stopped for good, and nobody honest who knows goes on.
bool World::halted() const {
    return std::ranges::any_of(members_, [](const auto& entry) {
        const auto status = entry.second.host->status();
        return entry.second.honest && status && status->sync.state == sync::State::emergency &&
               !status->sync.reason.empty() && !status->sync.gate.open;
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
               std::to_string(status->committed_height) + " peers " + std::to_string(status->sync.peers);
        for (const auto& condition : status->sync.gate.conditions) {
            if (!condition.met) {
                out += " !" + condition.name + "=" + condition.value;
            }
        }
        out += status->sync.reason.empty() ? ";" : " (" + status->sync.reason + ");";
    }
    return out;
}

void World::tell(Report& out) {
    out.virtual_s = seconds(events_.now());
    out.events = events_.count();
    out.frames = network_.figures().frames;
    out.bytes = network_.figures().bytes;
    out.final_height = referee_.final_height();
    if (settled_) {
        out.settled_after_s = seconds(*settled_ - faults_over_);
    }
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
