// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a peer is to us, by its proven identity (behaviour.md section 5): an authority of the federation,
//! a miner that the operator named, or anybody. It decides what a peer may cost, in which order endpoints
//! are dialled and who is never evicted; never whether a block is checked. Pure; header only.

#include <cstdint>
#include <string_view>

namespace synod::peers {

//! The numbers travel on the bus (peer.up/1) and stay; `rank` has the order.
enum class Tier : std::uint8_t { kRegular = 0, kFederation = 1, kMiner = 2 };

//! Lower is served first: federation, miner, regular.
constexpr int rank(Tier tier) {
    return tier == Tier::kFederation ? 0 : tier == Tier::kMiner ? 1 : 2;
}

constexpr std::string_view name(Tier tier) {
    return tier == Tier::kFederation ? "federation" : tier == Tier::kMiner ? "miner" : "regular";
}

}  // namespace synod::peers
