// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/bench.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/app/bench/catalogue.hpp"
#include "core/app/bench/report.hpp"
#include "core/app/commands/commands.hpp"

namespace synod::app {

namespace {

constexpr std::uint64_t kMostBlocks = 100'000'000;

struct BenchArguments {
    bench::Options options;
    std::string family = "all", dir;
    bool json = false;
};

int run(const BenchArguments& a) {
    auto options = a.options;
    options.dir = a.dir;
    for (const auto family : bench::kFamilies) {
        if (a.family == "all" || a.family == family) {
            options.families.emplace_back(family);
        }
    }
    const auto figures = bench::measure(options);
    if (!figures) {
        complain(figures.error());
        return kUsage;
    }
    const auto machine = bench::this_machine();
    if (a.json) {
        std::puts(boost::json::serialize(bench::to_json(machine, *figures)).c_str());
    } else {
        std::fputs(bench::to_table(machine, *figures).c_str(), stdout);
    }
    std::fflush(stdout);
    return std::ranges::any_of(*figures, &bench::Figure::failed) ? kFailed : kDone;
}

}  // namespace

void add_bench(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand(
        "bench",
        "Measures this build on this machine: every figure a median beside a baseline of the same\n"
        "run. Exit code 1 when something that should work couldn't be measured; a missed floor is in\n"
        "the output, not in the exit code");
    auto a = std::make_shared<BenchArguments>();
    auto& o = a->options;
    std::vector<std::string> families(bench::kFamilies.begin(), bench::kFamilies.end());
    families.emplace_back("all");
    command->add_option("FAMILY", a->family, "what to measure")
        ->check(CLI::IsMember(families))
        ->capture_default_str();
    command->add_option("--runs", o.runs, "runs of every figure")
        ->check(CLI::Range(bench::kLeastRuns, bench::kMostRuns))
        ->capture_default_str();
    command->add_option("--blocks", o.blocks, "length of the chain; default: each family's own")
        ->check(CLI::Range(std::uint64_t{1'000}, kMostBlocks));
    command->add_option("--backend", o.backend, "validation plugin of verify, pipeline and the nodes")
        ->capture_default_str();
    command->add_option("--isa", o.isa, "instruction set of that plugin, for example portable")
        ->default_str("the plugin's choice");
    command->add_option("--dir", a->dir, "folder under which a temporary one is made")
        ->check(CLI::ExistingDirectory);
    command->add_flag("--json", a->json, "print an array of figures, the machine first");
    command->callback([&chosen, a] { chosen = [a] { return run(*a); }; });
}

}  // namespace synod::app
