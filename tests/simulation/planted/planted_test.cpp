// SPDX-License-Identifier: Apache-2.0
//! The simulator finds faults: each one of planted-faults.txt, planted alone, breaks the scenario and seed that
//! stand beside it there, which hold without it. SYNOD_PLANTED_SEARCH=N looks for the first of N seeds of every
//! fault's scenarios instead and prints what to write there.
#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/base/planted.hpp"
#include "core/sim/simulation.hpp"

namespace synod {

namespace {
std::string planted_now;
}

bool planted(std::string_view fault) { return fault == planted_now; }

namespace sim::test {

namespace {

struct Plant {
    std::string fault, scenario;
    std::uint64_t seed = 0;
};

std::vector<Plant> plants() {
    std::ifstream in(std::string(SYNOD_SOURCE_DIR) + "/tests/simulation/planted/planted-faults.txt");
    REQUIRE(in);
    std::vector<Plant> out;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        Plant plant;
        if (!line.starts_with('#') && words >> plant.fault >> plant.scenario >> plant.seed) {
            out.push_back(std::move(plant));
        }
    }
    return out;
}

//! What the referee says, or nothing.
std::string broken(const std::string& scenario, std::uint64_t seed, Workshop& workshop) {
    auto loaded = load_scenario(std::string(SYNOD_SOURCE_DIR) + "/configs/scenarios/" + scenario + ".yaml");
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message));
    Options options;
    options.seed = seed;
    auto report = simulate(*loaded, std::move(options), workshop);
    REQUIRE_MESSAGE(report, (report ? "" : report.error().text()));
    return report->passed() ? "" : report->violations.front().rule;
}

}  // namespace

TEST_CASE("planted: every fault is found") {
    spdlog::set_level(spdlog::level::off);
    Workshop workshop;
    const char* search = std::getenv("SYNOD_PLANTED_SEARCH");
    const auto seeds = search == nullptr ? 0 : std::strtoull(search, nullptr, 10);
    for (const auto& plant : plants()) {
        planted_now = plant.fault;
        if (search == nullptr) {
            const auto rule = broken(plant.scenario, plant.seed, workshop);
            CHECK_MESSAGE(!rule.empty(), plant.fault << " isn't found by " << plant.scenario << " " << plant.seed);
            planted_now.clear();
            CHECK_MESSAGE(broken(plant.scenario, plant.seed, workshop).empty(),
                          plant.scenario << " " << plant.seed << " is broken without a fault");
        }
        std::string found;
        std::uint64_t seed = 1;
        for (; seed <= seeds && found.empty(); ++seed) {
            found = broken(plant.scenario, seed, workshop);
        }
        if (search != nullptr) {
            std::printf("%s %s %llu %s\n", plant.fault.c_str(), plant.scenario.c_str(),
                        static_cast<unsigned long long>(found.empty() ? 0 : seed - 1), found.c_str());
            std::fflush(stdout);
        }
    }
    planted_now.clear();
}

TEST_CASE("planted: the program that is shipped has none of them") {
    std::ifstream in(std::string(SYNOD_BINARY_DIR) + "/bin/synod", std::ios::binary);
    REQUIRE(in);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    for (const auto& plant : plants()) {
        CHECK_MESSAGE(bytes.str().find(plant.fault) == std::string::npos, plant.fault);
    }
}

}  // namespace sim::test

}  // namespace synod
