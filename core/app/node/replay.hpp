// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Puts stored blocks onto a consensus state again. Nothing else may use the control thread meanwhile:
//! it waits for the consensus strand. Blocks were proven before they were stored, so nothing of them is
//! proven again.

#include <optional>

#include "core/pipeline/pipeline.hpp"
#include "core/store/store.hpp"

namespace synod::app {

//! Runs consensus work as [worker] and waits for it.
template <typename Fn>
auto blocking(pipeline::Pipeline& pipeline, Fn fn) {
    std::optional<decltype(fn())> answer;
    pipeline.on_consensus_and_wait([&] { answer.emplace(fn()); });
    return std::move(*answer);
}

//! [worker] The state after one more proven block. `state` itself isn't changed.
Result<pipeline::State> put_block(pipeline::Consensus& consensus, const pipeline::State& state,
                                  const SharedBytes& block);
//! [worker] The state after the packed blocks [from, to]. Errors: store.*, plugin.*, chain.replay.
Result<pipeline::State> put_stored(pipeline::Consensus& consensus, store::Store& store, pipeline::State state,
                                   std::uint64_t from, std::uint64_t to);

struct Replayed {
    pipeline::State state;   //!< after the block below `next`
    std::uint64_t next = 0;  //!< the first height that isn't in it
    //! Why it went no further; nothing when there was no more.
    std::optional<Error> stopped;
};

//! From the block after `state`'s, which stands at height from - 1, to the last that is packed.
//! `state` itself isn't changed.
Replayed replay(pipeline::Pipeline& pipeline, store::Store& store, pipeline::State state,
                std::uint64_t from);

}  // namespace synod::app
