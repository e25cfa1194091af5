// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Makes a peer of any node hostile: it stands between the node and its links and changes what goes out.
//! The node behind it is a real one, so the peer is convincing; behaviours compose. One thread.

#include <set>

#include "core/net/messages.hpp"
#include "core/sim/network.hpp"
#include "core/sim/scenario.hpp"

namespace synod::sim {

//! What a hostile host knows.
struct TamperPlan {
    std::set<Behaviour> does;
    std::vector<HostId> like_it;        //!< for those that name only their like
    std::uint32_t header_length = 119;  //!< bytes of a block in front of its signature
};

//! Frames that it sent and that were not what an honest peer would have sent, by behaviour.
struct TamperFigures {
    std::map<Behaviour, std::uint64_t> frames;
};

std::unique_ptr<net::Transport> tamper(std::unique_ptr<net::Transport> behind, TamperPlan plan, Events& events,
                                       Random random, TamperFigures& figures);

}  // namespace synod::sim
