// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the consensus plugin says of blocks and branches, in the terms of the rooms that keep them. Any thread.

#include <algorithm>

#include "core/chain/block_tree.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/store/store.hpp"

namespace synod::app {

inline Hash hash_of(const pipeline::HeaderView& view) { return Hash::copy(view.hash); }

inline chain::Pointer committed_of(const synod_weight& w) {
    return {w.committed_height, Hash::copy(w.committed_hash)};
}
inline chain::Pointer final_of(const synod_weight& w) {
    return {w.final_height, Hash::copy(w.final_hash)};
}
inline store::ChainPointer stored(const chain::Pointer& p) { return {p.height, p.hash}; }

inline chain::ForkKey key_of(const synod_weight& w) {
    chain::ForkKey out;
    std::copy_n(w.key, out.size(), out.begin());
    return out;
}

inline chain::Block tree_block(const pipeline::ProvenBlock& from) {
    chain::Block out;
    out.hash = hash_of(from.view);
    out.parent = Hash::copy(from.view.parent);
    out.height = from.view.height;
    out.slot = from.view.slot;
    out.bytes = from.bytes;
    out.header_length = from.view.header_length;
    return out;
}

}  // namespace synod::app
