// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Plays a scenario with a seed: builds the world, lets the faults happen, watches every step, and tells
//! what came of it. The same scenario, seed and program give the same trace. One thread, the main one.

#include <filesystem>
#include <map>

#include "core/sim/report.hpp"
#include "core/sim/scenario.hpp"

namespace synod::sim {

struct Options {
    std::uint64_t seed = 1;
    std::optional<std::uint32_t> nodes;  //!< instead of the scenario's
    std::optional<Duration> until;       //!< the end, whatever the scenario says
    Trace::File trace;                   //!< may be null
};

//! What may be used again by the next simulation of the same kind; makes a seed cheap.
class Workshop {
  public:
    struct Tools {
        std::shared_ptr<const Foundation> foundation;
        std::unique_ptr<BlockCheck> check;
    };
    //! Errors: those of lay_foundation.
    Result<Tools*> tools(const Scenario& scenario);

  private:
    std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint32_t>, Tools> made_;
};

//! Errors: those of the workshop, and sim.host when the scenario names one that isn't there.
Result<Report> simulate(const Scenario& scenario, Options options, Workshop& workshop);

}  // namespace synod::sim
