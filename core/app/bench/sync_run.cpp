// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/sync_run.hpp"

#include <system_error>

namespace synod::app::bench {

namespace {

Result<SyncRun> watch(NodeProcess& node, std::uint64_t height) {
    if (auto started = node.start(); !started) {
        return std::unexpected(started.error());
    }
    std::optional<double> first_answer;
    auto there = node.wait_for(kSyncTime, [&](const devnet::View& view) {
        first_answer = first_answer.value_or(to_seconds(NodeProcess::Clock::now() - node.started()));
        return view.height >= height;
    });
    if (!there) {
        return std::unexpected(there.error());
    }
    // It may have gone on past the height that was waited for.
    return SyncRun{static_cast<double>(there->height) / to_seconds(NodeProcess::Clock::now() - node.started()),
                   *first_answer, node.cpu_seconds(), node.peak_memory()};
}

}  // namespace

Result<SyncRun> sync_once(Workspace& work, const BenchChain& chain, const NodeProcess& server,
                          const std::string& mode, std::uint64_t height) {
    auto setup = node_setup(work, "syncing", chain.genesis());
    setup.identity = chain.key(0);
    setup.peers = {server.contact()};
    setup.mode = mode;
    auto node = NodeProcess::make(setup);
    if (!node) {
        return std::unexpected(node.error());
    }
    auto out = watch(*node, height);
    node->kill();
    std::error_code ignored;
    std::filesystem::remove_all(setup.folder, ignored);
    return out;
}

}  // namespace synod::app::bench
