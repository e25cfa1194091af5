// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a checkpoint takes from the chain, and what of it must hold against the chain. On the
//! strand of the consensus plugin; reads the store, changes nothing.

#include "core/checkpoint/contents.hpp"
#include "core/pipeline/consensus.hpp"
#include "core/store/store.hpp"

namespace synod::app {

//! The newest committed block with a consensus state at or below it.
struct CommittedBlock {
    checkpoint::BlockRef block;
    pipeline::State state;  //!< after this block or an older committed one
    //! The next block of our chain when it is known: it carries the block's certificate.
    SharedBytes child;
};

//! Everything but what is the same for a whole job: `metadata` gives genesis, parent, created,
//! version and kind. Errors: plugin.*, store.*, checkpoint.off_chain (the state's block isn't
//! stored).
Result<checkpoint::Contents> gather_checkpoint(pipeline::Consensus& consensus, store::Store& store,
                                               const CommittedBlock& from,
                                               checkpoint::Metadata metadata);

struct CheckedState {
    pipeline::State state;  //!< loaded from the checkpoint
    synod_weight weight{};
    //! What remains to be proven for the block's certificate; null when the checkpoint has none.
    std::shared_ptr<pipeline::CheckSet> certificate;
};

//! The level full but for the proof of `certificate`. Errors: checkpoint.other_chain,
//! checkpoint.header_mismatch, checkpoint.off_chain, checkpoint.state_unreadable,
//! checkpoint.state_mismatch, checkpoint.state_root, checkpoint.certificate, checkpoint.unsupported
//! (the consensus plugin's `explain` of a block has no "state_root"), plugin.*, store.*.
Result<CheckedState> check_checkpoint(pipeline::Consensus& consensus, store::Store& store,
                                      const checkpoint::Contents& contents, const Hash& genesis);

}  // namespace synod::app
