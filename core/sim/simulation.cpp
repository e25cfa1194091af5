// SPDX-License-Identifier: Apache-2.0
#include "core/sim/simulation.hpp"

#include <chrono>

#include "core/sim/world.hpp"

namespace synod::sim {

Result<Workshop::Tools*> Workshop::tools(const Scenario& scenario) {
    const std::tuple key{scenario.authorities, scenario.blocks, scenario.max_blocks_without_pow};
    auto& tools = made_[key];
    if (!tools.check) {
        auto foundation =
            lay_foundation({scenario.authorities, scenario.blocks, scenario.max_blocks_without_pow});
        if (!foundation) {
            return std::unexpected(foundation.error());
        }
        auto check = BlockCheck::make(**foundation);
        if (!check) {
            return std::unexpected(check.error());
        }
        tools.foundation = std::move(*foundation);
        tools.check = std::move(*check);
    }
    return &tools;
}

Result<Report> simulate(const Scenario& scenario, Options options, Workshop& workshop) {
    const auto tools = workshop.tools(scenario);
    if (!tools) {
        return std::unexpected(tools.error());
    }
    const auto begun = std::chrono::steady_clock::now();
    Report out;
    out.scenario = scenario.name;
    out.about = scenario.about;
    out.file = scenario.file;
    out.seed = options.seed;
    Trace trace(std::move(options.trace));
    {
        World world(scenario, options.seed, options.nodes.value_or(scenario.nodes), *(*tools)->foundation,
                    *(*tools)->check, trace);
        if (auto planned = world.begin(); !planned) {
            return std::unexpected(planned.error());
        }
        world.run(options.until);
        world.tell(out);
    }
    out.trace = trace.number();
    out.trace_lines = trace.lines();
    out.real_s = to_seconds(std::chrono::steady_clock::now() - begun);
    return out;
}

}  // namespace synod::sim
