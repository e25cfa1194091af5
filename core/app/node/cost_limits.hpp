// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a peer may cost us (behaviour.md section 11), in the cost units of core/net/token_bucket.hpp.
//! Serving it and hearing from it unasked are counted apart, so that neither starves the other.

#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"
#include "core/peers/tier.hpp"

namespace synod::app {

inline constexpr std::uint64_t kRegularCost = 32ull << 20;
inline constexpr Duration kCostPeriod = std::chrono::seconds(10);
//! Messages over its share that are dropped before they count as flooding.
inline constexpr std::uint32_t kDroppedAFlood = 256;
//! Frames of one peer that wait for the control thread; past either the peer is cut off.
inline constexpr std::size_t kMaxWaitingFrames = 4'096;
inline constexpr std::size_t kMaxWaitingBytes = 64u << 20;

//! `regular` units for a regular peer, twice as many for a miner, eight times for an authority.
constexpr std::uint64_t cost_share(peers::Tier tier, std::uint64_t regular = kRegularCost) {
    switch (tier) {
        case peers::Tier::kFederation: return 8 * regular;
        case peers::Tier::kMiner: return 2 * regular;
        case peers::Tier::kRegular: break;
    }
    return regular;
}

}  // namespace synod::app
