// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/derivation.hpp"

#include <ranges>

namespace synod::app {

Result<pipeline::State> Derivation::run(pipeline::Consensus& consensus, store::Store& store) const {
    Result<pipeline::State> state = base;
    if (from <= to) {
        state = put_stored(consensus, store, base, from, to);
    }
    for (const auto& block : blocks | std::views::reverse) {
        if (!state) {
            break;
        }
        state = put_block(consensus, *state, block);
    }
    return state;
}

}  // namespace synod::app
