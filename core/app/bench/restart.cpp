// SPDX-License-Identifier: Apache-2.0
//! restart.kill9: a node that syncs (in full mode, so that it takes long) is killed; from the start of its
//! next process until it answers with at least the height that it had said to have. Beside it the same
//! after an orderly stop.
#include <algorithm>

#include "core/app/bench/families.hpp"
#include "core/app/bench/node_process.hpp"

namespace synod::app::bench {

namespace {

constexpr std::uint64_t kBlocks = 200'000;
//! A node goes on from where it is by at least so many blocks before it is ended again, while there are some.
constexpr std::uint64_t kBlocksBetween = 2'000;
constexpr Duration kBetween = std::chrono::minutes(2);

//! Lets it sync on, ends it, starts it again: the seconds until it is where it was.
Result<double> once(NodeProcess& node, std::uint64_t& height, std::uint64_t most, bool kill) {
    const auto aim = std::min(height + kBlocksBetween, most);
    auto before = node.wait_for(kBetween, [&](const devnet::View& view) { return view.height >= aim; });
    if (!before) {
        return std::unexpected(before.error());
    }
    height = before->height;
    kill ? node.kill() : node.stop();
    if (auto started = node.start(); !started) {
        return std::unexpected(started.error());
    }
    auto back =
        node.wait_for(kNodeStart, [&](const devnet::View& view) { return view.height >= before->height; });
    if (!back) {
        return std::unexpected(back.error());
    }
    return to_seconds(NodeProcess::Clock::now() - node.started());
}

Result<NodeProcess> start_syncing(Workspace& work, const BenchChain& chain, const NodeProcess& server) {
    auto setup = node_setup(work, "restarted", chain.genesis());
    setup.identity = chain.key(0);
    setup.peers = {server.contact()};
    setup.mode = "full";
    auto node = NodeProcess::make(std::move(setup));
    if (node) {
        if (auto started = node->start(); !started) {
            return std::unexpected(started.error());
        }
    }
    return node;
}

}  // namespace

Figures bench_restart(Workspace& work) {
    auto chain = work.chain(work.blocks(kBlocks));
    if (!chain) {
        return all_failed("restart", chain.error());
    }
    auto server = start_server(work, *chain);
    if (!server) {
        return all_failed("restart", server.error());
    }
    auto node = start_syncing(work, *chain, *server);
    if (!node) {
        return all_failed("restart", node.error());
    }
    std::uint64_t height = 0;
    std::vector<double> killed, stopped;
    for (std::size_t i = 0; i < work.options().runs; ++i) {
        for (auto* times : {&killed, &stopped}) {
            auto seconds = once(*node, height, chain->height, times == &killed);
            if (!seconds) {
                return all_failed("restart", seconds.error());
            }
            times->push_back(*seconds);
        }
    }
    node->kill();
    server->stop();
    Figure out;
    out.name = "restart.kill9";
    out.value = sample(killed);
    out.baseline = "the same after an orderly stop";
    out.baseline_value = sample(stopped);
    out.details = {{"last_height", height}, {"backend", work.options().backend}};
    return {std::move(out)};
}

}  // namespace synod::app::bench
