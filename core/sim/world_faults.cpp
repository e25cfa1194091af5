// SPDX-License-Identifier: Apache-2.0
//! World: what goes wrong, when and where.
#include <algorithm>
#include <fstream>

#include "core/sim/world.hpp"

namespace synod::sim {

namespace {

constexpr Duration kUpAtLeast = std::chrono::milliseconds(300);  // in a crash loop
constexpr std::uint64_t kLittleDisk = 16'384;  // bytes that a full disk has left

}  // namespace

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
                        "authority-0, node-0, hostile-0, twin-0, copy-0, authorities, nodes, any-authority, any-node or all");
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
    report.at_s = to_seconds(at);
    report.ended_s = to_seconds(over);
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
    if (fault.what == What::kShuffle) {
        events_.at(at, [this, &fault, who = *who, over] { shuffle(who, fault, over); });
        return {};
    }
    if (fault.what == What::kNoMiner) {
        report.who = "everybody";
        events_.at(at, [this] { miner_->rest(true); });
        events_.at(over, [this] { miner_->rest(false); });
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
                    member.trouble = true;
                    member.trouble_until = over;
                    member.host->clock().jump(fault.ms);
                    member.host->clock().drift(fault.ppm);
                    events_.at(over, [&member] {
                        member.trouble = false;
                        member.host->clock().drift(0);
                        member.host->clock().jump(-member.host->clock().error_ms());
                    });
                    break;
                case What::kDiskFull:
                    member.trouble = true;
                    member.trouble_until = over;
                    member.host->set_capacity(member.host->disk().used() + random_.below(kLittleDisk));
                    events_.at(over, [&member] {
                        member.trouble = false;
                        member.host->set_capacity(0);
                    });
                    break;
                case What::kDiskErrors:
                    member.trouble = true;
                    member.trouble_until = over;
                    member.host->disk().set_faults({fault.one_in, fault.one_in, 0});
                    events_.at(over, [&member] {
                        member.trouble = false;
                        member.host->disk().set_faults({});
                    });
                    break;
                case What::kPause:
                    member.host->pause(true);
                    events_.at(over, [&member, boots = member.host->boots()] {
                        if (member.host->boots() == boots) {
                            member.host->pause(false);
                        }
                    });
                    break;
                case What::kCheckpoints: spoil_checkpoints(member); break;
                case What::kLines: {
                    for (const auto& [other, ignored] : members_) {
                        for (const auto& [from, to] : {Pair{id, other}, Pair{other, id}}) {
                            if (fault.one_way && to != id) {
                                continue;
                            }
                            burden(from, to, fault.latency, millionths(fault.loss), 1);
                            events_.at(over, [this, from, to, &fault] {
                                burden(from, to, fault.latency, millionths(fault.loss), -1);
                            });
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

//! Adds to what a line has, or takes off again: faults may overlap.
void World::burden(HostId from, HostId to, Duration latency, std::uint32_t loss_ppm, int sign) {
    auto shape = network_.shape(from, to);
    shape.latency_low += sign * latency;
    shape.latency_high += sign * latency;
    shape.loss_ppm = sign > 0 ? shape.loss_ppm + loss_ppm : shape.loss_ppm - loss_ppm;
    network_.set_shape(from, to, shape);
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
    sever(std::move(cut), fault.lasts);
}

void World::sever(std::vector<Pair> lines, Duration lasts) {
    trace_.line(events_.now(), "network", "is cut");
    cut_until_ = std::max(cut_until_.value_or(Instant{}), events_.now() + lasts);
    for (const auto& [from, to] : lines) {
        network_.cut(from, to);
    }
    events_.after(lasts, [this, lines = std::move(lines)] {
        trace_.line(events_.now(), "network", "is healed");
        for (const auto& [from, to] : lines) {
            network_.heal(from, to);
        }
    });
}

//! Two halves that are drawn anew every so often.
void World::shuffle(const std::vector<HostId>& among, const Fault& fault, Instant over) {
    if (events_.now() >= over) {
        return;
    }
    const auto lasts = std::min(random_.between(fault.every / 4, fault.every), over - events_.now());
    const auto sides = random_.next();
    std::vector<Pair> cut;
    for (std::size_t a = 0; a < among.size(); ++a) {
        for (std::size_t b = 0; b < among.size(); ++b) {
            if ((sides >> (a % 64U) & 1U) != (sides >> (b % 64U) & 1U)) {
                cut.emplace_back(among[a], among[b]);
            }
        }
    }
    sever(std::move(cut), lasts);
    events_.after(lasts, [this, among, &fault, over] { shuffle(among, fault, over); });
}

//! The newest is damaged or cut off, or all but the oldest are gone, as a backup of another day would have it.
void World::spoil_checkpoints(Member& member) {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::directory_iterator(member.host->plan().checkpoints / member.host->plan().name, none)) {
        if (entry.path().extension() == ".checkpoint") {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);  // by height: it is what their names begin with
    if (files.empty()) {
        return;
    }
    const auto& newest = files.back();
    const auto size = std::filesystem::file_size(newest, none);
    switch (random_.below(3)) {
        case 0: {
            std::fstream file(newest, std::ios::binary | std::ios::in | std::ios::out);
            const auto at = static_cast<std::streamoff>(random_.below(std::max<std::uint64_t>(1, size)));
            file.seekg(at);
            const auto was = file.get();
            file.seekp(at);
            file.put(static_cast<char>(was ^ 0x10));
            break;
        }
        case 1: std::filesystem::resize_file(newest, random_.below(std::max<std::uint64_t>(1, size)), none); break;
        default:
            for (std::size_t i = 1; i < files.size(); ++i) {
                std::filesystem::remove(files[i], none);
            }
    }
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

}  // namespace synod::sim
