// SPDX-License-Identifier: Apache-2.0
#include "core/health/monitor.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace synod;
using namespace synod::health;
using doctest::Approx;
using std::chrono::seconds;

namespace {

HealthInputs perfect() {
    HealthInputs in;
    in.peers = 50;
    in.mean_latency_ms = 0;
    in.bandwidth_bps = 1e6;
    in.best_bandwidth_bps = 1e6;
    in.reliability = 1;
    in.downloading = true;
    in.authorities_seen = 5;
    in.authorities = 5;
    return in;
}

}  // namespace

TEST_CASE("health.is_one_when_all_is_well_and_zero_with_no_peers") {
    auto in = perfect();
    CHECK(assess(in) == Approx(1));
    in.peers = 0;
    CHECK(assess(in) == 0);
    CHECK(assess(HealthInputs{}) == 0);
}

TEST_CASE("health.each_term_carries_its_weight") {
    auto in = perfect();
    in.peers = 25;
    CHECK(assess(in) == Approx(1 - .125));
    in = perfect();
    in.mean_latency_ms = 500;
    CHECK(assess(in) == Approx(1 - .10));
    in.mean_latency_ms = 5'000;
    CHECK(assess(in) == Approx(1 - .20));
    in = perfect();
    in.bandwidth_bps = 0;
    CHECK(assess(in) == Approx(1 - .15));
    in = perfect();
    in.reliability = .2;
    CHECK(assess(in) == Approx(1 - .12));
    in = perfect();
    in.authorities_seen = 1;
    CHECK(assess(in) == Approx(1 - .20));
    in.authorities = 0;
    CHECK(assess(in) == Approx(1 - .25));
}

TEST_CASE("health.an_open_partition_costs_by_severity_and_never_goes_below_zero") {
    auto in = perfect();
    in.partition = PartitionSeverity::kModerate;
    CHECK(assess(in) == Approx(.70));
    in.partition = PartitionSeverity::kCritical;
    CHECK(assess(in) == Approx(.40));
    in.peers = 1;
    in.authorities_seen = 0;
    in.reliability = 0;
    CHECK(assess(in) == 0);
}

TEST_CASE("health.what_nobody_measured_counts_as_full") {
    auto in = perfect();
    in.mean_latency_ms.reset();
    in.reliability.reset();
    in.bandwidth_bps = 0;
    in.downloading = false;
    CHECK(assess(in) == Approx(1));
}

TEST_CASE("health.stays_in_range_on_measurements_that_are_not_numbers") {
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    const auto inf = std::numeric_limits<double>::infinity();
    auto in = perfect();
    in.peers_wanted = 0;
    in.reliability = nan;
    in.mean_latency_ms = nan;
    CHECK(assess(in) == Approx(1 - .35));
    in.reliability = inf;
    in.mean_latency_ms = -inf;
    in.authorities_seen = 9;
    CHECK(assess(in) == Approx(1));
    in.best_bandwidth_bps = nan;
    CHECK(assess(in) == Approx(1));
}

TEST_CASE("monitor.reports_first_then_every_period") {
    Monitor monitor;
    CHECK(monitor.update(perfect(), Instant{}));
    CHECK(!monitor.update(perfect(), seconds(29)));
    const auto report = monitor.update(perfect(), seconds(30));
    REQUIRE(report);
    CHECK(report->score == Approx(1));
    CHECK(report->terms == terms_of(perfect()));
    CHECK(report->at == seconds(30));
    CHECK(!monitor.update(perfect(), seconds(59)));
    CHECK(monitor.update(perfect(), seconds(60)));
}

TEST_CASE("monitor.reports_a_step_at_once_and_small_steps_when_they_add_up") {
    Monitor monitor(seconds(30), .1);
    CHECK(monitor.update(perfect(), Instant{}));
    auto in = perfect();
    in.reliability = .6;  // -.06
    CHECK(!monitor.update(in, seconds(1)));
    CHECK(monitor.current().score == Approx(.94));
    in.reliability = 0;  // -.15 since the last report
    REQUIRE(monitor.update(in, seconds(2)));
    CHECK(!monitor.update(in, seconds(3)));
    in.peers = 0;
    const auto report = monitor.update(in, seconds(4));
    REQUIRE(report);
    CHECK(report->score == 0);
}
