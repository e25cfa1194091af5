// SPDX-License-Identifier: Apache-2.0
//! pipeline.*: from encoded blocks in memory to verdicts (decode, plan, prove) on all cores.
#include "core/app/bench/families.hpp"
#include "core/app/bench/pipeline_feed.hpp"

namespace synod::app::bench {

namespace {

constexpr std::uint64_t kFastBlocks = 100'000;
//! A full run takes a part of them: it is an order slower.
constexpr std::uint64_t kFullPart = 5;
//! What a baseline takes of a run's blocks.
constexpr std::uint64_t kBaselinePart = 10;

struct PipelineRuns {
    std::vector<double> value, baseline, cpu_us;
};

Figure figure_of(std::string_view name, const PipelineRuns& runs, std::string baseline, const PipelineFeed& feed,
                 std::uint64_t blocks, const Options& options) {
    Figure out;
    out.name = name;
    out.value = sample(runs.value);
    out.baseline = std::move(baseline);
    out.baseline_value = sample(runs.baseline);
    out.details = {{"blocks", blocks},
                   {"block_bytes", feed.mean_block_bytes()},
                   {"signatures_per_block", feed.signatures_per_block()},
                   {"blocks_per_batch", kJobBlocks},
                   {"cpu_us_per_block", median(runs.cpu_us)},
                   {"backend", options.backend},
                   {"isa", feed.isa()}};
    return out;
}

}  // namespace

Figures bench_pipeline(Workspace& work) {
    const auto wanted = work.blocks(kFastBlocks);
    auto feed = PipelineFeed::make(work, wanted);
    if (!feed) {
        return all_failed("pipeline", feed.error());
    }
    const auto fast_blocks = (*feed)->blocks();
    const auto full_blocks = fast_blocks / kFullPart;
    PipelineRuns full, fast;
    for (std::size_t i = 0; i < work.options().runs; ++i) {
        for (auto* runs : {&full, &fast}) {
            const bool is_full = runs == &full;
            const auto blocks = is_full ? full_blocks : fast_blocks;
            auto rate = (*feed)->run(is_full, blocks);
            if (!rate) {
                return all_failed("pipeline", rate.error());
            }
            runs->value.push_back(rate->blocks_per_s);
            runs->cpu_us.push_back(rate->cpu_us_per_block);
            runs->baseline.push_back(is_full ? (*feed)->signatures_alone(blocks / kBaselinePart)
                                             : (*feed)->hashes_alone(blocks / kBaselinePart));
        }
    }
    const auto& options = work.options();
    return {figure_of("pipeline.full", full, "libsodium verifying as many signatures on all cores", **feed,
                      full_blocks, options),
            figure_of("pipeline.fast", fast, "libsodium's double SHA-256 of the blocks' bytes on all cores",
                      **feed, fast_blocks, options)};
}

}  // namespace synod::app::bench
