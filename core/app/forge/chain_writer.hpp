// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Writes a forged chain as a running node would have left it: committed blocks in packs, the rest
//! as fork blocks, the pointers, the committed state and the head's certificate, in transactions
//! that each leave a store a node can start from. Collecting is [worker], writing any one thread.

#include <deque>

#include "core/app/forge/block_maker.hpp"
#include "core/store/store.hpp"

namespace synod::app::forge {

class ChainWriter {
  public:
    explicit ChainWriter(pipeline::Consensus& consensus) : consensus_(consensus) {}

    //! [worker] The first transaction: the genesis block. Errors: plugin.*.
    Result<store::Commit> genesis(const Bytes& block, const pipeline::State& state);
    //! [worker] Takes a block; keeps a fork of the state when `keep_state`. Errors: plugin.*.
    Result<void> take(Made made, const pipeline::State& state, bool keep_state);
    //! [worker] The transaction for what was taken. Needs a kept state at or below the committed
    //! block, which the genesis state is at first. Errors: plugin.*.
    Result<store::Commit> collect(const synod_weight& weight, const Bytes& certificate);

  private:
    struct Saved {
        std::uint64_t height = 0;
        pipeline::State state;
    };
    pipeline::Consensus& consensus_;
    std::deque<Made> pending_;       //!< above the committed block, in order
    std::deque<Hash> stored_forks_;  //!< those of them that the store has already
    std::deque<Saved> saved_;
};

}  // namespace synod::app::forge
