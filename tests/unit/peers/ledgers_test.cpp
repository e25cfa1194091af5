// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <synod/scoring.h>

#include <limits>

#include "core/peers/liveness.hpp"
#include "core/peers/performance.hpp"
#include "core/peers/self_fault.hpp"

using namespace synod;
using namespace synod::peers;
using doctest::Approx;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

template <typename Fixed>
Fixed number(std::uint32_t n) {
    Fixed out;
    std::memcpy(out.data.data(), &n, sizeof n);
    return out;
}
PublicKey key(std::uint32_t n) { return number<PublicKey>(n); }
Hash digest(std::uint32_t n) { return number<Hash>(n); }

}  // namespace

TEST_CASE("liveness.cool_down_doubles_to_ten_minutes_and_ends_with_an_answer") {
    Liveness ledger;
    Instant now{};
    for (const auto wait : {30, 60, 120, 240, 480, 600, 600}) {
        const auto until = ledger.timed_out(key(1), "slow", now);
        CHECK(until - now == seconds(wait));
        CHECK(ledger.cooling(key(1), until - Duration(1)));
        CHECK(!ledger.cooling(key(1), until));
        now = until;
    }
    CHECK(!ledger.cooling(key(2), now));
    ledger.answered(key(1));
    CHECK(ledger.timed_out(key(1), "slow", now) == now + seconds(30));
}

TEST_CASE("liveness.time_outs_of_requests_that_were_open_together_count_once") {
    Liveness ledger;
    const auto until = ledger.timed_out(key(1), "slow", seconds(5));
    CHECK(ledger.timed_out(key(1), "slow", seconds(6)) == until);
    CHECK(ledger.timed_out(key(1), "slow", seconds(7)) == until);
    REQUIRE(ledger.cool_down(key(1)));
    CHECK(ledger.cool_down(key(1))->times == 1);
    CHECK(ledger.timed_out(key(1), "silent", until) == until + seconds(60));
    CHECK(ledger.cool_down(key(1))->times == 2);
    CHECK(ledger.cool_down(key(1))->reason == "silent");
    CHECK(ledger.cool_down(key(1))->until == until + seconds(60));
    ledger.answered(key(1));
    CHECK(!ledger.cool_down(key(1)));
}

TEST_CASE("liveness.is_bounded_and_forgets_the_soonest_over") {
    Liveness ledger;
    ledger.timed_out(key(0), "slow", Instant{});
    const auto until = ledger.timed_out(key(0), "slow", seconds(30));
    CHECK(until == seconds(90));
    for (std::uint32_t i = 1; i < kMaxLivenessEntries + 50; ++i) {
        ledger.timed_out(key(i), "slow", seconds(31));
    }
    CHECK(ledger.size() == kMaxLivenessEntries);
    CHECK(ledger.cooling(key(0), seconds(80)));
    CHECK(ledger.cooling(key(kMaxLivenessEntries + 49), seconds(40)));
}

TEST_CASE("performance.smooths_by_a_tenth_and_starts_from_the_first_sample") {
    Performance p;
    CHECK(!p.latency());
    p.round_trip(milliseconds(100));
    CHECK(*p.latency() == milliseconds(100));
    p.round_trip(milliseconds(200));
    CHECK(std::chrono::duration<double, std::milli>(*p.latency()).count() == Approx(110));
    p.round_trip(milliseconds(-5));
    CHECK(std::chrono::duration<double, std::milli>(*p.latency()).count() == Approx(110));
    p.answered(1'000'000, seconds(1));
    p.answered(3'000'000, seconds(1));
    CHECK(p.goodput_bps() == Approx(1.2e6));
}

TEST_CASE("performance.reliability_and_history_start_in_the_middle") {
    Performance p;
    CHECK(p.reliability() == Approx(.5));
    CHECK(p.history() == Approx(.5));
    p.answered(1, seconds(1));
    CHECK(p.reliability() == Approx(.55));
    CHECK(p.history() == Approx(2.0 / 3));
    p.failed();
    CHECK(p.reliability() == Approx(.495));
    CHECK(p.history() == Approx(.5));
    for (int i = 0; i < 1'000; ++i) {
        p.failed();
    }
    CHECK(p.reliability() < 1e-9);
    CHECK(p.reliability() >= 0);
}

TEST_CASE("performance.a_reply_that_took_no_time_gives_a_finite_rate") {
    Performance p;
    p.answered(100, Duration::zero());
    CHECK(p.goodput_bps() == Approx(1e8));
}

TEST_CASE("columns.are_aligned_padded_and_in_the_order_asked_for") {
    std::vector<PeerMetrics> rows(17);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].latency_us = static_cast<std::int64_t>(i) * 10;
        rows[i].reliability = 1;
    }
    const std::uint32_t ids[] = {SYNOD_COL_RELIABILITY, SYNOD_COL_LATENCY_US, SYNOD_COL_CONNECTED_S};
    ScoringColumns columns;
    REQUIRE(columns.fill(ids, rows));
    CHECK(columns.rows() == 17);
    CHECK(columns.padded_rows() == 32);
    REQUIRE(columns.n_columns() == 3);
    for (std::size_t c = 0; c < 3; ++c) {
        const auto* column = columns.columns()[c];
        CHECK(reinterpret_cast<std::uintptr_t>(column) % 64 == 0);
        for (std::size_t r = 17; r < 32; ++r) {
            CHECK(column[r] == 0);
        }
    }
    CHECK(columns.columns()[0][16] == std::int64_t{1} << 32);
    CHECK(columns.columns()[1][16] == 160);
    CHECK(columns.columns()[2][16] == 0);

    // A smaller fill into the same memory leaves nothing of the larger one behind.
    REQUIRE(columns.fill(ids, std::span(rows).first(1)));
    CHECK(columns.padded_rows() == 16);
    for (std::size_t r = 1; r < 16; ++r) {
        CHECK(columns.columns()[0][r] == 0);
    }
}

TEST_CASE("columns.hold_what_each_id_means") {
    PeerMetrics m;
    m.latency_us = 7;
    m.reliability = .25;
    m.goodput_bps = 1234.9;
    m.is_authority = true;
    m.history = .5;
    m.reputation = .75;
    m.participation = .125;
    m.missed_slots = 3;
    m.equivocations = 1;
    m.in_flight_bytes = 4096;
    m.connected_s = 99;
    const std::uint32_t ids[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const auto one = std::int64_t{1} << 32;
    const std::int64_t want[] = {7, one / 4, 1234, 1, one / 2, one / 4 * 3, one / 8, 3, 1, 4096, 99};
    ScoringColumns columns;
    REQUIRE(columns.fill(ids, std::span(&m, 1)));
    for (std::size_t c = 0; c < 11; ++c) {
        CHECK(columns.columns()[c][0] == want[c]);
    }
}

TEST_CASE("columns.clamp_what_is_out_of_range_and_refuse_what_is_unknown") {
    PeerMetrics m;
    m.latency_us = -50;
    m.reliability = std::numeric_limits<double>::quiet_NaN();
    m.goodput_bps = std::numeric_limits<double>::infinity();
    m.reputation = -3;
    m.history = 7;
    m.missed_slots = ~0ull;
    const std::uint32_t ids[] = {1, 2, 3, 5, 6, 8};
    const std::int64_t want[] = {-1,      0,  9'000'000'000'000'000'000, std::int64_t{1} << 32, 0,
                                 INT64_MAX};
    ScoringColumns columns;
    REQUIRE(columns.fill(ids, std::span(&m, 1)));
    for (std::size_t c = 0; c < 6; ++c) {
        CHECK(columns.columns()[c][0] == want[c]);
    }
    const std::uint32_t unknown[] = {1, 12};
    CHECK(columns.fill(unknown, std::span(&m, 1)).error().code == "peers.unknown_column");
    CHECK(columns.n_columns() == 0);
    CHECK(columns.fill(ids, std::vector<PeerMetrics>(kMaxScoringRows + 1)).error().code ==
          "peers.too_many_rows");
    CHECK(columns.fill(std::vector<std::uint32_t>(kMaxScoringColumns + 1, 1), {}).error().code ==
          "peers.too_many_columns");
    REQUIRE(columns.fill(ids, {}));
    CHECK(columns.padded_rows() == 0);
}

TEST_CASE("self_fault.same_bytes_from_two_groups_clear_everybody") {
    SelfFault faults;
    CHECK(!faults.failed(digest(1), key(1), 100).self_fault_suspected);
    const auto same_group = faults.failed(digest(1), key(2), 100);
    CHECK(!same_group.self_fault_suspected);
    CHECK(same_group.cleared.empty());

    const auto other = faults.failed(digest(1), key(3), 200);
    CHECK(other.self_fault_suspected);
    CHECK(other.cleared == std::vector{key(1), key(2)});

    const auto later = faults.failed(digest(1), key(4), 100);
    CHECK(later.self_fault_suspected);
    CHECK(later.cleared.empty());
    CHECK(!faults.failed(digest(2), key(3), 200).self_fault_suspected);
}

TEST_CASE("self_fault.is_bounded") {
    SelfFault faults;
    faults.failed(digest(0), key(1), 1);
    CHECK(faults.failed(digest(0), key(2), 2).self_fault_suspected);
    for (std::uint32_t i = 1; i <= kMaxFailureDigests; ++i) {
        faults.failed(digest(i), key(1), 1);
    }
    CHECK(faults.size() == kMaxFailureDigests);
    CHECK(!faults.failed(digest(0), key(1), 2).self_fault_suspected);  // forgotten with its digest
    for (std::uint32_t i = 0; i < 100; ++i) {
        faults.failed(digest(5), key(i + 10), 1);
    }
    CHECK(faults.failed(digest(5), key(1), 2).cleared.size() == kMaxSenders);
}
