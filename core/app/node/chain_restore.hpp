// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Makes a store usable again whose saved state or newest blocks can't be read: from an older state,
//! every stored block that can still be read is put onto it, and what comes after is given up, to be
//! fetched again. It decides what to write and writes nothing. Control thread, which waits meanwhile.

#include "core/pipeline/pipeline.hpp"
#include "core/store/store.hpp"

namespace synod::app {

struct Restoration {
    store::Commit change;        //!< the whole of it
    std::uint64_t base = 0;      //!< height of the state that it begins with
    store::ChainPointer head;    //!< afterwards
    std::uint64_t given_up = 0;  //!< packed blocks above the head, as far as they can be counted
    std::optional<Error> damage;  //!< of the first block that is given up
};

//! `base`: a state whose block is stored; null: the genesis'. Errors: store.io, store.no_memory,
//! plugin.*: nothing is wrong with the blocks, and it may go well another time.
Result<Restoration> plan_restoration(pipeline::Pipeline& pipeline, store::Store& store,
                                     pipeline::State base);

}  // namespace synod::app
