// SPDX-License-Identifier: Apache-2.0
//! slots.proposal and slots.certified: four authorities as processes with short slots, and a peer of all four. From a
//! slot's boundary until its block is there, and until as many approvals are there as certify it; both with the
//! encrypted hop to the peer. Beside it a bare timer of this process that waits for the same boundaries: what the
//! machine, busy as it is, lets anybody reach.
#include <stdlib.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <unordered_map>

#include "core/app/bench/families.hpp"
#include "core/app/bench/slot_watcher.hpp"
#include "core/app/commands/chain_offline.hpp"
#include "core/app/devnet/layout.hpp"
#include "core/app/forge/authorities.hpp"
#include "core/app/node/duties.hpp"
#include "core/app/node/replay.hpp"
#include "core/app/node/slots.hpp"

namespace synod::app::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kNodes = 4;
constexpr std::uint32_t kFirstNodes = 2;  // too few to produce: whoever watches them misses no block
constexpr std::uint64_t kSlotMs = 50;
constexpr std::uint64_t kSlotsPerRun = 40;
constexpr std::uint64_t kSettled = 5;    // height from which they are taken to be under way
constexpr std::uint64_t kAfterwards = 5; // slots that the last ones' approvals have
constexpr double kBoundMs = 50;          // of a proposal, on an idle machine

struct Scene {
    fs::path dir;
    std::vector<NodeProcess> nodes;
    std::unique_ptr<Runtime> runtime;
    std::unique_ptr<SlotWatcher> watcher;
};

SlotWatcher::Clock::time_point begin_at(const synod_chain_info& info, std::uint64_t slot) {
    return SlotWatcher::Clock::time_point(std::chrono::milliseconds(begin_of(info, slot)));
}

Result<fs::path> make_chain(const fs::path& dir) {
    const auto keys = forge::make_authorities(kSeed, kNodes);
    std::error_code error;
    fs::create_directories(dir, error);
    if (error) {
        return fail("bench.folder", "can't make the folder: " + error.message(), dir.string());
    }
    if (auto written = forge::write_keys(dir, keys); !written) {
        return std::unexpected(written.error());
    }
    const auto file = dir / "genesis.yaml";
    const forge::GenesisFacts facts{kSlotMs, unix_now() / kSlotMs, 0};
    auto written = forge::write_new(file, forge::genesis_text(keys, facts));
    return written ? Result<fs::path>(file) : std::unexpected(written.error());
}

Result<std::vector<NodeProcess>> make_nodes(Workspace& work, const fs::path& dir, const fs::path& genesis) {
    auto ports = devnet::free_ports(kNodes);
    if (!ports) {
        return std::unexpected(ports.error());
    }
    std::vector<Contact> all;
    for (std::uint32_t i = 0; i < kNodes; ++i) {
        auto key = SecretKey::load(forge::key_file(dir, i).string());
        if (!key) {
            return std::unexpected(key.error());
        }
        all.push_back({(*ports)[i], (*key)->public_key()});
    }
    std::vector<NodeProcess> out;
    for (std::uint32_t i = 0; i < kNodes; ++i) {
        auto setup = node_setup(work, "authority", genesis);
        setup.identity = forge::key_file(dir, i);
        setup.authority = true;
        setup.port = (*ports)[i];
        setup.peers = all;
        setup.peers.erase(setup.peers.begin() + i);
        auto node = NodeProcess::make(std::move(setup));
        if (!node) {
            return std::unexpected(node.error());
        }
        out.push_back(std::move(*node));
    }
    return out;
}

//! Four that produce, each of them watched.
Result<Scene> set_up(Workspace& work) {
    Scene out;
    out.dir = work.fresh("slots");
    auto genesis = make_chain(out.dir);
    auto nodes = genesis ? make_nodes(work, out.dir, *genesis) : std::unexpected(genesis.error());
    auto runtime = nodes ? offline_runtime(*genesis, work.options().backend, work.options().isa)
                         : std::unexpected(nodes.error());
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    out.nodes = std::move(*nodes);
    out.runtime = std::move(*runtime);
    const auto key = out.dir / "watcher.key";
    if (auto written = write_seed(key.string(), random_seed()); !written) {
        return std::unexpected(written.error());
    }
    auto watcher = SlotWatcher::make(key, out.runtime->info());
    if (!watcher) {
        return std::unexpected(watcher.error());
    }
    out.watcher = std::move(*watcher);
    for (std::uint32_t first = 0; first < kNodes; first += kFirstNodes) {
        const auto some = std::span(out.nodes).subspan(first, kFirstNodes);
        for (auto& node : some) {
            if (auto started = node.start(); !started) {
                return std::unexpected(started.error());
            }
        }
        for (auto& node : some) {
            auto up = node.wait_for(kNodeStart, [](const devnet::View&) { return true; });
            auto linked = up ? out.watcher->link(node.contact()) : std::unexpected(up.error());
            if (!linked) {
                return std::unexpected(linked.error());
            }
        }
    }
    for (auto& node : out.nodes) {
        auto ready = node.wait_for(kNodeStart, [](const devnet::View& v) { return v.can_produce && v.height >= kSettled; });
        if (!ready) {
            return std::unexpected(ready.error());
        }
    }
    return out;
}

struct Slot {
    std::optional<double> proposed, certified;  //!< ms after its boundary
};

//! What was seen of each slot. [worker]
Result<std::map<std::uint64_t, Slot>> slots_of(pipeline::Consensus& consensus, const SlotWatcher& watcher) {
    struct Block {
        std::uint64_t slot = 0;
        std::set<std::uint32_t> approved;
    };
    auto genesis = consensus.genesis();
    auto info = genesis ? consensus.info(genesis->state) : std::unexpected(genesis.error());
    if (!info) {
        return std::unexpected(info.error());
    }
    std::unordered_map<Hash, pipeline::State> states{{Hash::copy(info->genesis_hash), genesis->state}};
    std::unordered_map<Hash, Block> blocks;
    std::map<std::uint64_t, Slot> out;
    auto newest = genesis->state;
    for (const auto& [at, bytes] : watcher.blocks()) {
        const auto decoded = consensus.decode(SYNOD_FORM_BLOCKS, bytes.view, 1);
        if (!decoded || decoded->views.size() != 1) {
            return fail("bench.bad_block", "a node passed on what is no block");
        }
        const auto& view = decoded->views[0];
        const auto hash = Hash::copy(view.hash);
        const auto parent = states.find(Hash::copy(view.parent));
        if (blocks.contains(hash)) {
            continue;
        }
        auto state = parent == states.end() ? fail("bench.missed_block", "the block below height " +
                                                                           std::to_string(view.height) + " did not come")
                                            : put_block(consensus, parent->second, bytes);
        if (!state) {
            return std::unexpected(state.error());
        }
        states.emplace(hash, newest = *state);
        blocks[hash].slot = view.slot;
        out[view.slot].proposed = to_milliseconds(at - begin_at(*info, view.slot));
    }
    for (const auto& [at, bytes] : watcher.gossip(kGossipAttestation)) {
        pipeline::CheckSet of_nodes_that_proved_it;
        const auto said = consensus.check_attestation(newest, bytes.view, of_nodes_that_proved_it);
        const auto block = said && said->purpose == SYNOD_SIGN_APPROVE ? blocks.find(Hash::copy(said->hash)) : blocks.end();
        if (block == blocks.end() || !block->second.approved.insert(said->author).second) {
            continue;
        }
        if (block->second.approved.size() == info->quorum) {
            out[block->second.slot].certified = to_milliseconds(at - begin_at(*info, block->second.slot));
        }
    }
    return out;
}

//! How late each run's timer woke, ms, the 99th percentile.
std::vector<double> wait_for_slots(const synod_chain_info& info, std::uint64_t first, std::size_t runs) {
    std::vector<double> out;
    for (std::size_t run = 0; run < runs; ++run) {
        std::vector<double> late;
        for (std::uint64_t i = 0; i < kSlotsPerRun; ++i) {
            const auto begin = begin_at(info, first + run * kSlotsPerRun + i);
            std::this_thread::sleep_until(begin);
            late.push_back(to_milliseconds(SlotWatcher::Clock::now() - begin));
        }
        out.push_back(percentile(late, 99));
    }
    return out;
}

struct Times {
    std::vector<double> p99;  //!< of each run
    std::vector<double> all;
};

Figure figure_of(const char* name, const Times& times, std::uint64_t slots, const std::string& baseline,
                 const std::vector<double>& baseline_runs) {
    if (times.p99.empty() || times.all.empty()) {
        return failure(name, Error{"bench.no_blocks", "a run saw no such slot", name, {}});
    }
    Figure out;
    out.name = name;
    out.value = sample(times.p99);
    out.baseline = baseline;
    out.baseline_value = sample(baseline_runs);
    double load = 0;
    (void)::getloadavg(&load, 1);
    out.details = {{"p50", percentile(times.all, 50)},
                   {"p99", percentile(times.all, 99)},
                   {"max", percentile(times.all, 100)},
                   {"samples", times.all.size()},
                   {"slots", slots},
                   {"slot_ms", kSlotMs},
                   {"later_than_50_ms", std::ranges::count_if(times.all, [](double t) { return t > kBoundMs; })},
                   {"load_1_min", load}};
    return out;
}

}  // namespace

Figures bench_slots(Workspace& work) {
    auto scene = set_up(work);
    if (!scene) {
        return all_failed("slots", scene.error());
    }
    const auto& info = scene->runtime->info();
    const auto runs = work.options().runs;
    const auto first = slot_at(info, unix_now()) + 2;
    const auto timer = wait_for_slots(info, first, runs);
    const auto end = first + runs * kSlotsPerRun;
    std::this_thread::sleep_until(begin_at(info, end + kAfterwards));
    for (auto& node : scene->nodes) {
        auto alive = node.wait_for(kNodeStart, [](const devnet::View&) { return true; });
        if (!alive) {
            return all_failed("slots", alive.error());
        }
    }
    const auto seen = blocking(scene->runtime->pipeline(), [&] {
        return slots_of(scene->runtime->consensus(), *scene->watcher);
    });
    scene->watcher.reset();
    for (auto& node : scene->nodes) {
        node.stop();
    }
    if (!seen) {
        return all_failed("slots", seen.error());
    }
    Times proposed, certified;
    for (auto begin = first; begin < end; begin += kSlotsPerRun) {
        std::vector<double> p, c;
        for (auto at = seen->lower_bound(begin); at != seen->end() && at->first < begin + kSlotsPerRun; ++at) {
            if (at->second.proposed) {
                p.push_back(*at->second.proposed);
            }
            if (at->second.certified) {
                c.push_back(*at->second.certified);
            }
        }
        for (auto [run, times] : {std::pair(&p, &proposed), std::pair(&c, &certified)}) {
            if (!run->empty()) {
                times->p99.push_back(percentile(*run, 99));
                times->all.insert(times->all.end(), run->begin(), run->end());
            }
        }
    }
    return {figure_of("slots.proposal", proposed, end - first, "a bare timer for the same boundaries, 99th percentile", timer),
            figure_of("slots.certified", certified, end - first, "slots.proposal", proposed.p99)};
}

}  // namespace synod::app::bench
