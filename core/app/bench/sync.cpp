// SPDX-License-Identifier: Apache-2.0
//! sync.*: genesis to tip between two processes over encrypted loopback TCP, stored durably, both on the
//! same cores, the start of the syncing process included; beside what the pipeline alone reaches over
//! the same blocks.
#include "core/app/bench/families.hpp"
#include "core/app/bench/pipeline_feed.hpp"
#include "core/app/bench/sync_run.hpp"

namespace synod::app::bench {

namespace {

constexpr std::uint64_t kFastBlocks = 200'000;
constexpr std::uint64_t kFullPart = 10;  // a full run's chain is so much shorter: it is an order slower

struct SyncRuns {
    std::string mode;
    std::uint64_t blocks = 0;
    std::optional<BenchChain> chain;
    std::optional<NodeProcess> server;
    std::vector<double> value, baseline, first_answer, cpu_us;
};

Figure figure_of(const SyncRuns& runs, const Options& options) {
    Figure out;
    out.name = "sync." + runs.mode;
    out.value = sample(runs.value);
    out.baseline = "pipeline." + runs.mode + " over the same blocks, nothing else";
    out.baseline_value = sample(runs.baseline);
    out.details = {{"blocks", runs.blocks},
                   {"first_answer_s", median(runs.first_answer)},
                   {"cpu_us_per_block", median(runs.cpu_us)},
                   {"backend", options.backend}};
    return out;
}

//! A server for the chain, which is as long as the run: a node fetches all headers before it fetches blocks.
Result<void> set_up(Workspace& work, const std::string& mode, const Result<BenchChain>& chain, SyncRuns& runs) {
    if (!chain) {
        return std::unexpected(chain.error());
    }
    auto server = start_server(work, *chain);
    if (!server) {
        return std::unexpected(server.error());
    }
    runs.mode = mode;
    runs.blocks = chain->height;
    runs.chain = *chain;
    runs.server = std::move(*server);
    return {};
}

Result<void> run_once(Workspace& work, PipelineFeed& feed, SyncRuns& runs) {
    auto synced = sync_once(work, *runs.chain, *runs.server, runs.mode, runs.blocks);
    if (!synced) {
        return std::unexpected(synced.error());
    }
    auto alone = feed.run(runs.mode == "full", runs.blocks);
    if (!alone) {
        return std::unexpected(alone.error());
    }
    runs.value.push_back(synced->blocks_per_s);
    runs.first_answer.push_back(synced->first_answer_s);
    runs.baseline.push_back(alone->blocks_per_s);
    runs.cpu_us.push_back(synced->cpu_s * 1e6 / static_cast<double>(runs.blocks));
    return {};
}

}  // namespace

Figures bench_sync(Workspace& work) {
    auto chain = work.chain(work.blocks(kFastBlocks));
    if (!chain) {
        return all_failed("sync", chain.error());
    }
    auto feed = PipelineFeed::make(work, chain->height);
    if (!feed) {
        return all_failed("sync", feed.error());
    }
    std::array<SyncRuns, 2> runs;
    auto ready = set_up(work, "full", work.forge(chain->height / kFullPart), runs[0]);
    if (ready) {
        ready = set_up(work, "fast", chain, runs[1]);
    }
    if (!ready) {
        return all_failed("sync", ready.error());
    }
    for (std::size_t i = 0; i < work.options().runs; ++i) {
        for (auto& one : runs) {
            if (auto done = run_once(work, **feed, one); !done) {
                return all_failed("sync", done.error());
            }
        }
    }
    return {figure_of(runs[0], work.options()), figure_of(runs[1], work.options())};
}

}  // namespace synod::app::bench
