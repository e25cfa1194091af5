// SPDX-License-Identifier: Apache-2.0
//! tip.latency: one peer pushes new blocks to a node process, another waits for the node to announce them,
//! which it does once they are validated and stored: from the frame's sending to the announcement's arrival,
//! two encrypted hops over loopback included. Beside it the 99th percentile of a ping over the same link.
#include <thread>

#include "core/app/bench/families.hpp"
#include "core/app/bench/pipeline_feed.hpp"
#include "core/app/bench/tip_peer.hpp"
#include "core/app/devnet/layout.hpp"

namespace synod::app::bench {

namespace {

constexpr std::uint64_t kBlocksPerRun = 200;
constexpr auto kPause = std::chrono::milliseconds(10);  // between blocks: each finds an idle node
constexpr Duration kAnnounceTime = std::chrono::seconds(10);

struct Tip {
    std::unique_ptr<TipPeer> pushing, listening;
    std::uint64_t pushed = 0, pinged = 0;
};

Result<double> push_one(Tip& tip, const SharedBytes& block) {
    const auto began = TipPeer::Clock::now();
    tip.pushing->push(block);
    const auto seen = tip.listening->block(++tip.pushed, kAnnounceTime);
    if (!seen) {
        return fail("bench.not_announced",
                    "block " + std::to_string(tip.pushed) + " was not announced; links: '" +
                        tip.pushing->ended() + "' '" + tip.listening->ended() + "'");
    }
    return to_milliseconds(*seen - began);
}

Result<double> ping_one(Tip& tip) {
    const auto began = TipPeer::Clock::now();
    tip.pushing->ping();
    const auto seen = tip.pushing->pong(++tip.pinged, kAnnounceTime);
    return seen ? Result<double>(to_milliseconds(*seen - began))
                : fail("bench.no_pong", "ping " + std::to_string(tip.pinged) +
                                            " was not answered; link: '" + tip.pushing->ended() + "'");
}

struct TipRuns {
    std::vector<double> p50, p99, ping;
};

Result<void> run_once(Tip& tip, const std::vector<SharedBytes>& blocks, TipRuns& runs) {
    std::vector<double> latencies, pings;
    for (std::uint64_t i = 0; i < kBlocksPerRun; ++i) {
        std::this_thread::sleep_for(kPause);
        auto latency = push_one(tip, blocks[tip.pushed]);
        auto ping = latency ? ping_one(tip) : latency;
        if (!ping) {
            return std::unexpected(ping.error());
        }
        latencies.push_back(*latency);
        pings.push_back(*ping);
    }
    runs.p50.push_back(percentile(latencies, 50));
    runs.p99.push_back(percentile(latencies, 99));
    runs.ping.push_back(percentile(pings, 99));
    return {};
}

//! A node that has only the genesis block, and the two peers.
Result<Tip> set_up(Workspace& work, const BenchChain& chain, NodeProcess& node) {
    if (auto started = node.start(); !started) {
        return std::unexpected(started.error());
    }
    auto up = node.wait_for(kNodeStart, [](const devnet::View&) { return true; });
    auto runtime = up ? work.runtime() : std::unexpected(up.error());
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    Tip out;
    for (auto* peer : {&out.pushing, &out.listening}) {
        auto linked = TipPeer::link(node.contact(), chain.key(peer == &out.pushing ? 0 : 1),
                                    (*runtime)->info());
        if (!linked) {
            return std::unexpected(linked.error());
        }
        *peer = std::move(*linked);
    }
    return out;
}

Result<TipRuns> measure_tip(Workspace& work, NodeProcess& node, const BenchChain& chain,
                            const std::vector<SharedBytes>& blocks) {
    auto tip = set_up(work, chain, node);
    if (!tip) {
        return std::unexpected(tip.error());
    }
    TipRuns out;
    for (std::size_t i = 0; i < work.options().runs; ++i) {
        if (auto done = run_once(*tip, blocks, out); !done) {
            return std::unexpected(done.error());
        }
    }
    return out;
}

Result<NodeProcess> make_node(Workspace& work, const BenchChain& chain) {
    auto ports = devnet::free_ports(1);
    if (!ports) {
        return std::unexpected(ports.error());
    }
    auto setup = node_setup(work, "tip", chain.genesis());
    setup.port = ports->front();
    return NodeProcess::make(std::move(setup));
}

}  // namespace

Figures bench_tip(Workspace& work) {
    const auto needed = work.options().runs * kBlocksPerRun;
    // The newest blocks of a forged chain are in no pack.
    auto chain = work.chain(needed + 8);
    auto feed = chain ? PipelineFeed::make(work, needed) : std::unexpected(chain.error());
    auto node = feed ? make_node(work, *chain) : std::unexpected(feed.error());
    if (!node) {
        return all_failed("tip", node.error());
    }
    const auto blocks = (*feed)->single_blocks();
    auto runs = measure_tip(work, *node, *chain, blocks);
    // A node that ended by itself has more to say than the peer that lost its link.
    auto alive = node->wait_for(kNodeStart, [](const devnet::View&) { return true; });
    if (!runs || !alive) {
        return all_failed("tip", alive ? runs.error() : alive.error());
    }
    node->stop();
    Figure out;
    out.name = "tip.latency";
    out.value = sample(runs->p99);
    out.baseline = "a ping over the same encrypted link, 99th percentile";
    out.baseline_value = sample(runs->ping);
    out.details = {{"p50", median(runs->p50)},
                   {"p99", median(runs->p99)},
                   {"blocks_per_run", kBlocksPerRun},
                   {"backend", work.options().backend}};
    return {std::move(out)};
}

}  // namespace synod::app::bench
