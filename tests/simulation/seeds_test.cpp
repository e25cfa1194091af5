// SPDX-License-Identifier: Apache-2.0
//! Seeds chosen anew every day, and every seed that ever failed.
#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/sim/simulation.hpp"
#include "tests/simulation/scenarios.hpp"

namespace synod::sim::test {

namespace {

constexpr std::uint64_t kSeedsADay = 1'000;

//! The number that the environment gives, or `otherwise`.
unsigned long asked(const char* name, unsigned long otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

std::uint64_t today() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto day = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::days>(now).count());
    return asked("SYNOD_SIMULATION_SEED", day * kSeedsADay);
}

Report play(const std::string& scenario, std::uint64_t seed, Workshop& workshop) {
    auto loaded = load_scenario(file_of(scenario));
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message));
    Options options;
    options.seed = seed;
    auto report = simulate(*loaded, std::move(options), workshop);
    REQUIRE_MESSAGE(report, (report ? "" : report.error().text()));
    return std::move(*report);
}

void must_hold(const Report& report) {
    const auto why = report.passed() ? std::string() : report.violations.front().rule + " at " +
                                                           report.violations.front().host + ": " +
                                                           report.violations.front().detail;
    CHECK_MESSAGE(report.passed(), why << "\n  again: " << report.command());
}

}  // namespace

TEST_CASE("simulation: the seeds of the day hold") {
    spdlog::set_level(spdlog::level::off);
    const auto part = asked("SYNOD_SIMULATION_PART", 0);
    const auto parts = std::max(asked("SYNOD_SIMULATION_PARTS", 1), 1UL);
    const auto first = today();
    MESSAGE("seeds from " << first << ", part " << part << " of " << parts
                          << "; SYNOD_SIMULATION_SEED=" << first << " repeats them");
    Workshop workshop;
    unsigned played = 0;
    for (const auto& [scenario, seeds] : kShares) {
        for (auto i = part; i < seeds; i += parts) {
            must_hold(play(scenario, first + i, workshop));
            ++played;
        }
    }
    MESSAGE(played << " simulations");
}

TEST_CASE("simulation: every seed that ever failed holds") {
    spdlog::set_level(spdlog::level::off);
    std::ifstream in(std::string(SYNOD_SOURCE_DIR) + "/tests/simulation/failed-seeds.txt");
    REQUIRE(in);
    Workshop workshop;
    unsigned played = 0;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string scenario;
        std::uint64_t seed = 0;
        if (line.starts_with('#') || !(words >> scenario >> seed)) {
            continue;
        }
        must_hold(play(scenario, seed, workshop));
        ++played;
    }
    CHECK(played > 0);
}

TEST_CASE("simulation: twins sign twice for their slots, and every honest node shuts them out") {
    spdlog::set_level(spdlog::level::off);
    Workshop workshop;
    for (const auto& [scenario, key] : {std::pair{"byzantine-4", "twin-3"}, std::pair{"byzantine-7", "twin-6"}}) {
        const auto report = play(scenario, 1, workshop);
        must_hold(report);
        CHECK(report.equivocations > 0);
        for (const auto& host : report.hosts) {
            const bool knows = std::ranges::any_of(report.bans, [&](const auto& ban) {
                return ban.by == host.name && ban.who == key && ban.reason == "equivocation";
            });
            CHECK_MESSAGE(knows == host.honest, host.name);
        }
    }
}

TEST_CASE("simulation: a federation's life is in the report: its changes, its proofs of work, its emergency") {
    spdlog::set_level(spdlog::level::off);
    Workshop workshop;
    const auto report = play("life-4", 1, workshop);
    must_hold(report);
    CHECK(report.changes == 3);
    CHECK(report.proofs_accepted > 10);
    CHECK(report.seen.contains("mining"));
    const auto named = [&](const std::string& name) {
        return *std::ranges::find_if(report.hosts, [&](const auto& host) { return host.name == name; });
    };
    // It found that its key signs elsewhere, after the power cut as well.
    CHECK_FALSE(named("copy-2").running);
    CHECK(named("copy-2").boots == 2);
    CHECK(named("node-1").proposed > 0);
    CHECK(named("node-2").proposed > 0);
    CHECK(named("node-0").proposed == 0);
}

TEST_CASE("simulation: what a scenario promises and doesn't come breaks it") {
    spdlog::set_level(spdlog::level::off);
    Workshop workshop;
    auto scenario = load_scenario(file_of("life-4"));
    REQUIRE(scenario);
    SUBCASE("an emergency that nobody is in") {
        scenario->sees.emplace_back("backends");
        const auto report = simulate(*scenario, {}, workshop);
        REQUIRE(report);
        REQUIRE_FALSE(report->passed());
        CHECK(report->violations.front().rule == "not_seen");
    }
    SUBCASE("a change that no chain can carry") {
        scenario->changes.push_back({std::chrono::seconds(30), "remove-authority", "node-0", "", false, "", 0});
        const auto report = simulate(*scenario, {}, workshop);
        REQUIRE(report);
        REQUIRE_FALSE(report->passed());
        CHECK(report->violations.front().rule == "liveness");
        CHECK(report->violations.front().detail.find("change 4 isn't carried") != std::string::npos);
    }
    SUBCASE("proofs of work that never come again") {
        scenario->mining = std::chrono::hours(1);
        const auto report = simulate(*scenario, {}, workshop);
        REQUIRE(report);
        REQUIRE_FALSE(report->passed());
        CHECK(report->violations.front().rule == "liveness");
        CHECK(report->violations.front().detail.find("proof of work") != std::string::npos);
    }
}

}  // namespace synod::sim::test
