// SPDX-License-Identifier: Apache-2.0
//! The same seed gives the same trace, byte for byte, in another process; another seed another one. What a scenario
//! file gets wrong is named with its place.
#include <doctest/doctest.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/sim/simulation.hpp"
#include "tests/simulation/scenarios.hpp"

namespace synod::sim::test {

namespace {

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::string trace_of_a_process(const std::string& scenario, std::uint64_t seed, const Folder& folder) {
    const auto file = folder.path() / "trace.txt";
    const auto command = std::string(SYNOD_BINARY_DIR) + "/bin/synod simulate " + file_of(scenario) + " --seed " +
                         std::to_string(seed) + " --trace " + file.string() + " > /dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
    return content(file);
}

}  // namespace

TEST_CASE("simulation: the same seed gives the same trace in every process") {
    const auto folder = Folder::make();
    REQUIRE(folder);
    for (const std::string scenario : {"liar", "flood", "byzantine-4", "partition-one-way", "churn-1000"}) {
        const auto first = trace_of_a_process(scenario, 7, **folder);
        CHECK(first.size() > 10'000);
        CHECK_MESSAGE(first == trace_of_a_process(scenario, 7, **folder), scenario);
        CHECK_MESSAGE(first != trace_of_a_process(scenario, 8, **folder), scenario);
    }
}

TEST_CASE("simulation: processes share the work of many seeds, and what one finds is not lost") {
    const auto folder = Folder::make();
    REQUIRE(folder);
    const auto out = (*folder)->path() / "out.txt";
    const auto simulate = [&](const std::string& arguments) {
        const auto command = std::string(SYNOD_BINARY_DIR) + "/bin/synod simulate " + arguments + " > " + out.string() + " 2>&1";
        const int status = std::system(command.c_str());
        REQUIRE(WIFEXITED(status));
        return WEXITSTATUS(status);
    };
    CHECK(simulate(file_of("liar") + " " + file_of("flood") + " --seeds 2 --jobs 3") == 0);
    CHECK(content(out) == "4 of 4 simulations, 0 broken\n");

    const auto promises = (*folder)->path() / "promises.yaml";
    std::ofstream(promises) << "name: promises\nabout: an emergency that nobody is in\nsees: [backends]\n";
    CHECK(simulate(file_of("liar") + " " + promises.string() + " --seeds 2 --jobs 2 --keep-going") == 1);
    CHECK(content(out).find("promises seed 1: BROKEN") != std::string::npos);
    CHECK(content(out).find("promises seed 2: BROKEN") != std::string::npos);
    CHECK(content(out).find("4 of 4 simulations, 2 broken\n") != std::string::npos);

    CHECK(simulate(file_of("liar") + " --jobs 2 --trace " + out.string() + ".trace") == 2);
}

TEST_CASE("simulation: a seed doesn't hang on what was played before it") {
    spdlog::set_level(spdlog::level::off);
    auto scenario = load_scenario(file_of("liar"));
    REQUIRE(scenario);
    const auto number = [&](Workshop& workshop) {
        Options options;
        options.seed = 3;
        auto report = simulate(*scenario, std::move(options), workshop);
        REQUIRE(report);
        return report_json(*report, false);
    };
    Workshop fresh, used;
    Options other;
    other.seed = 99;
    REQUIRE(simulate(*scenario, std::move(other), used));
    CHECK(number(fresh) == number(used));
}

TEST_CASE("scenario: every shipped one is read; a mistake is named with its place") {
    unsigned read = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(SYNOD_SOURCE_DIR) + "/configs/scenarios")) {
        auto scenario = load_scenario(entry.path());
        CHECK_MESSAGE(scenario, (scenario ? "" : scenario.error().message));
        if (scenario) {
            CHECK(scenario->name == entry.path().stem().string());
            ++read;
        }
    }
    CHECK(read >= 15);

    const auto wrong = parse_scenario("name: x\nabout: why\nhostile:\n  - does: [fludd]\n", "s.yaml");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message.find("s.yaml:4:12") != std::string::npos);
    CHECK(wrong.error().message.find("did you mean `flood`") != std::string::npos);
    const auto idle = parse_scenario("name: x\nabout: why\nfaults:\n  - {what: no_miner, at: 1s}\n", "s.yaml");
    REQUIRE_FALSE(idle);
    CHECK(idle.error().code == "config.missing_key");
    const auto unknown = parse_scenario("name: x\nabout: why\nauthoritys: 4\n", "s.yaml");
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().message.find("s.yaml:3:1") != std::string::npos);

    Workshop workshop;
    auto nobody = parse_scenario("name: x\nabout: why\nblocks: 5\nfaults:\n  - {what: kill, at: 1s, hosts: [node-9]}\n", "s.yaml");
    REQUIRE(nobody);
    const auto played = simulate(*nobody, {}, workshop);
    REQUIRE_FALSE(played);
    CHECK(played.error().code == "sim.host");
}

}  // namespace synod::sim::test
