// SPDX-License-Identifier: Apache-2.0
#include "core/sim/command.hpp"

#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "core/sim/processes.hpp"
#include "core/sim/simulation.hpp"

namespace synod::sim {

namespace {

//! Simulations between two lines that say how far a long run is.
constexpr std::uint64_t kTellEvery = 500;

struct Asked {
    std::vector<std::string> scenarios;
    std::uint64_t seed = 1, seeds = 1;
    unsigned jobs = 1;
    std::optional<std::uint32_t> nodes;
    std::optional<double> until_s;
    bool json = false, keep_going = false;
    std::string trace, html;
};

int usage(const Error& error) {
    std::fprintf(stderr, "synod: %s\n", error.code.starts_with("config.") ? error.message.c_str() : error.text().c_str());
    return app::kUsage;
}

void tell(const Report& report, bool json) {
    if (json) {
        std::puts(report_json(report).c_str());
        std::fflush(stdout);
        return;
    }
    if (report.passed()) {
        std::printf("%s seed %llu: held, %.0f s of its time in %.2f s; final height %llu%s\n", report.scenario.c_str(),
                    static_cast<unsigned long long>(report.seed), report.virtual_s, report.real_s,
                    static_cast<unsigned long long>(report.final_height),
                    report.settled_after_s
                        ? (", well " + std::to_string(*report.settled_after_s).substr(0, 5) + " s after the faults").c_str()
                        : "");
        return;
    }
    for (const auto& v : report.violations) {
        std::printf("%s seed %llu: BROKEN at %.3f s, %s: %s: %s\n", report.scenario.c_str(),
                    static_cast<unsigned long long>(report.seed),
                    to_seconds(v.at), v.host.c_str(), v.rule.c_str(), v.detail.c_str());
    }
    std::printf("again: %s\n", report.command().c_str());
    std::fflush(stdout);
}

//! Takes one simulation after the other until none is left, or one broke.
int play(const Asked& asked, const std::vector<Scenario>& scenarios, Tally& tally) {
    const auto all = asked.seeds * scenarios.size();
    Workshop workshop;
    bool broke = false;
    while (asked.keep_going || tally.broken == 0) {
        const auto number = tally.taken++;
        if (number >= all) {
            break;
        }
        Options options;
        options.seed = asked.seed + number / scenarios.size();
        options.nodes = asked.nodes;
        if (asked.until_s) {
            options.until = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*asked.until_s));
        }
        if (!asked.trace.empty()) {
            options.trace.reset(std::fopen(asked.trace.c_str(), "w"));
            if (!options.trace) {
                return usage({"sim.trace", "can't write the trace", asked.trace, {}});
            }
        }
        auto report = simulate(scenarios[number % scenarios.size()], std::move(options), workshop);
        if (!report) {
            return usage(report.error());
        }
        if (asked.seeds == 1 || asked.json || !report->passed()) {
            tell(*report, asked.json);
        }
        if (!asked.html.empty()) {
            std::ofstream(asked.html) << report_html(*report);
        }
        broke = broke || !report->passed();
        tally.broken += report->passed() ? 0 : 1;
        if (const auto played = ++tally.played; asked.seeds > 1 && (played == all || played % kTellEvery == 0)) {
            std::fprintf(asked.json || played != all ? stderr : stdout, "%llu of %llu simulations, %llu broken\n",
                         static_cast<unsigned long long>(played), static_cast<unsigned long long>(all),
                         static_cast<unsigned long long>(tally.broken.load()));
        }
    }
    return broke ? app::kFailed : app::kDone;
}

int run(const Asked& asked) {
    spdlog::set_level(spdlog::level::off);  // a simulated node's log is in the trace
    if (asked.jobs > 1 && !(asked.trace.empty() && asked.html.empty())) {
        return usage({"config.simulate", "--trace and --html are for --jobs 1: one file can't be of several worlds", {}, {}});
    }
    std::vector<Scenario> scenarios;
    for (const auto& file : asked.scenarios) {
        auto scenario = load_scenario(file);
        if (!scenario) {
            return usage(scenario.error());
        }
        scenarios.push_back(std::move(*scenario));
    }
    const auto code = in_processes(asked.jobs, [&](Tally& tally) { return play(asked, scenarios, tally); });
    if (!code) {
        usage(code.error());
        return app::kFailed;  // a simulation that ends its process is none that held
    }
    return *code;
}

}  // namespace

void add_simulate(CLI::App& app, app::Chosen& chosen) {
    auto* command = app.add_subcommand("simulate", "Plays scenarios with whole nodes in virtual time");
    auto asked = std::make_shared<Asked>();
    command->add_option("SCENARIO", asked->scenarios, "YAML files, as in configs/scenarios")->required();
    command->add_option("--seed", asked->seed, "draws what the scenario leaves open")->capture_default_str();
    command->add_option("--seeds", asked->seeds, "so many, from the seed on, of every scenario")->capture_default_str();
    command->add_option("--jobs", asked->jobs, "processes that share the work")
        ->check(CLI::Range(1U, kMaxProcesses))
        ->capture_default_str();
    command->add_option("--nodes", asked->nodes, "nodes beside the authorities");
    command->add_option("--until", asked->until_s, "virtual seconds after which it ends");
    command->add_flag("--json", asked->json, "a report a line");
    command->add_flag("--keep-going", asked->keep_going, "past what broke");
    command->add_option("--trace", asked->trace, "file for every frame and event");
    command->add_option("--html", asked->html, "file for a report with plots");
    command->callback([&chosen, asked] { chosen = [asked] { return run(*asked); }; });
}

}  // namespace synod::sim
