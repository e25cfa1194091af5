// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/replay.hpp"

#include <algorithm>

namespace synod::app {

namespace {

//! Blocks that are read and planned at a time.
constexpr std::uint32_t kReplayBlocks = 4'096;
constexpr std::uint64_t kReplayBytes = 8ull << 20;

//! The state after the blocks of a part.
Result<pipeline::State> planned(pipeline::Consensus& consensus, const pipeline::State& state,
                                const store::RangePart& part) {
    auto decoded = consensus.decode(SYNOD_FORM_BLOCKS, part.bytes.view, part.ends.size() + 1,
                                    part.first_height);
    auto next = decoded ? consensus.fork(state) : std::unexpected(decoded.error());
    if (!next) {
        return next;
    }
    pipeline::CheckSet unproven;
    synod_plan_options options{};
    options.level = SYNOD_LEVEL_FULL;
    options.vouched = decoded->views.size();
    options.max_slot = ~0ull;
    auto done = consensus.plan(*next, part.bytes.view, decoded->views, options, unproven);
    return done ? next : std::unexpected(done.error().error);
}

}  // namespace

Result<pipeline::State> put_block(pipeline::Consensus& consensus, const pipeline::State& state,
                                  const SharedBytes& block) {
    return planned(consensus, state, {0, block, {static_cast<std::uint32_t>(block.view.size())}});
}

Result<pipeline::State> put_stored(pipeline::Consensus& consensus, store::Store& store, pipeline::State state,
                                   std::uint64_t from, std::uint64_t to) {
    while (from <= to) {
        const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(kReplayBlocks, to - from + 1));
        auto range = store.read_range(from, count, kReplayBytes, SYNOD_BLOCK_MAX);
        if (!range || range->count == 0) {
            return range ? fail("chain.replay", "blocks are missing", "height " + std::to_string(from))
                         : std::unexpected(range.error());
        }
        for (const auto& part : range->parts) {
            auto next = planned(consensus, state, part);
            if (!next) {
                return next;
            }
            state = std::move(*next);
            from += part.ends.size();
        }
    }
    return state;
}

Replayed replay(pipeline::Pipeline& pipeline, store::Store& store, pipeline::State state,
                std::uint64_t from) {
    Replayed out{std::move(state), from, {}};
    std::uint32_t step = kReplayBlocks;
    for (;;) {
        auto range = store.read_range(out.next, step, kReplayBytes, SYNOD_BLOCK_MAX);
        std::optional<Error> error;
        if (!range) {
            error = range.error();
        } else if (range->count == 0) {
            return out;
        } else {
            for (const auto& part : range->parts) {
                auto next = blocking(pipeline, [&] { return planned(pipeline.consensus(), out.state, part); });
                if (!next) {
                    error = next.error();
                    break;
                }
                out.state = std::move(*next);
                out.next += part.ends.size();
            }
        }
        if (error && step == 1) {
            out.stopped = std::move(error);
            return out;
        }
        step = error ? std::max(1u, step / 2) : step;  // whatever is good before the fault counts
    }
}

}  // namespace synod::app
