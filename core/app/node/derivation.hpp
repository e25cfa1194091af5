// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How to make the state after a block that didn't keep its own: blocks put onto the nearest state that
//! was kept. Collected on the control thread, carried out on the consensus strand.

#include <vector>

#include "core/app/node/replay.hpp"

namespace synod::app {

//! Blocks between a kept state and the one that is made, at the most.
inline constexpr std::size_t kMaxDerivedBlocks = 8'192;

struct Derivation {
    pipeline::State base;
    //! Heights that the store has, put onto `base` first; none when `to` is below `from`.
    std::uint64_t from = 1, to = 0;
    std::vector<SharedBytes> blocks;  //!< of the tree, the newest first

    //! [worker] Errors: store.*, plugin.*, chain.replay.
    Result<pipeline::State> run(pipeline::Consensus& consensus, store::Store& store) const;
};

}  // namespace synod::app
