// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Whom to let go so that a newcomer finds a place (behaviour.md section 5): never somebody that an
//! attacker can't easily be, and of the rest whoever adds least to the variety of links. The idea is
//! that of Bitcoin Core's inbound eviction. Pure: plain values in, one identity out.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/time.hpp"
#include "core/peers/tier.hpp"

namespace synod::peers {

//! Kept for each of: the shortest round trips, the most blocks brought.
inline constexpr std::size_t kProtectedEach = 4;

struct Evictable {
    std::uint64_t id = 0;
    std::uint64_t group = 0;  //!< network group, /16 or IPv6 /32
    bool inbound = false;
    Tier tier = Tier::kRegular;
    std::optional<Duration> latency;
    std::uint64_t blocks = 0;  //!< that it brought and that were stored
    Duration connected{};
};

//! The link to end, or nothing when all deserve to stay. Outbound links, authorities and named miners
//! stay; so do kProtectedEach by latency and by blocks, and the longer-lived half of what is left. Of the
//! others the youngest link of the group with the most links goes.
std::optional<std::uint64_t> choose_eviction(std::vector<Evictable> links);

}  // namespace synod::peers
