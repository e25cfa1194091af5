// SPDX-License-Identifier: Apache-2.0
//! The simulator finds faults: each one of planted-faults.txt, planted alone, breaks the scenario and seed that
//! stand beside it there, which hold without it. SYNOD_PLANTED_SEARCH="SEEDS FAULT... / SCENARIO..." looks for first seeds.
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

//! What a seed draws shifts with every change of the node: so many from the listed one on may find the fault.
constexpr std::uint64_t kTries = 40;

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
    for (const auto& plant : plants()) {
        planted_now = plant.fault;
        auto seed = plant.seed;
        while (seed < plant.seed + kTries && broken(plant.scenario, seed, workshop).empty()) {
            ++seed;
        }
        CHECK_MESSAGE(seed < plant.seed + kTries,
                      plant.fault << " isn't found by " << plant.scenario << " from " << plant.seed << " on");
        planted_now.clear();
        if (seed != plant.seed && seed < plant.seed + kTries) {
            MESSAGE(plant.fault << " is found by " << plant.scenario << " " << seed << " now: put that into the list");
        }
        CHECK_MESSAGE(broken(plant.scenario, seed, workshop).empty(),
                      plant.scenario << " " << seed << " is broken without a fault");
    }
}

//! SYNOD_PLANTED_SEARCH="SEEDS FAULT..." or "FIRST-LAST FAULT..." and, after a '/', SCENARIO... : what to write into the list.
TEST_CASE("planted: search" * doctest::skip(std::getenv("SYNOD_PLANTED_SEARCH") == nullptr)) {
    spdlog::set_level(spdlog::level::off);
    std::istringstream words(std::getenv("SYNOD_PLANTED_SEARCH"));
    std::uint64_t first = 1, seeds = 0;
    words >> seeds;
    if (words.peek() == '-') {
        first = seeds;
        words.ignore();
        words >> seeds;
    }
    std::vector<std::string> faults, scenarios;
    for (std::string word; words >> word && word != "/";) {
        faults.push_back(word);
    }
    for (std::string word; words >> word;) {
        scenarios.push_back(word);
    }
    Workshop workshop;
    for (const auto& fault : faults) {
        planted_now = fault;
        std::string found;
        for (auto seed = first; seed <= seeds && found.empty(); ++seed) {
            for (const auto& scenario : scenarios) {
                if (auto rule = broken(scenario, seed, workshop); !rule.empty()) {
                    found = scenario + " " + std::to_string(seed) + "  # " + rule;
                    break;
                }
            }
        }
        CHECK_MESSAGE(!found.empty(), fault << " isn't found by " << seeds << " seeds");
        std::printf("%s %s\n", fault.c_str(), found.c_str());
        std::fflush(stdout);
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
