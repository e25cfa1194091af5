// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Light peers that come and go: they shake hands, answer pings, name each other, and have no blocks.
//! They cost a fraction of a node, so there may be thousands. One thread.

#include <memory>
#include <vector>

#include "core/sim/foundation.hpp"
#include "core/sim/network.hpp"

namespace synod::sim {

class Crowd {
  public:
    //! Hosts `first`.. `first + count - 1`; they dial `targets`. `genesis` and `network_id` are the chain's.
    Crowd(Events& events, Network& network, const Foundation& foundation, Random random, HostId first,
          std::uint32_t count, std::vector<HostId> targets, const Hash& genesis, const Hash& network_id);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

  private:
    class Peer;
    const std::vector<HostId> targets_;
    std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace synod::sim
