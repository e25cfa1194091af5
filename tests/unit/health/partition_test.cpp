// SPDX-License-Identifier: Apache-2.0
#include "core/health/partition.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::health;
using Change = PartitionWatch::Change;
using Severity = PartitionSeverity;
using std::chrono::seconds;

namespace {

//! A node of four authorities, quorum three, one step a second; a block each.
struct Watch {
    PartitionWatch watch{seconds(120)};
    PartitionInputs in;
    Instant now = std::chrono::hours(1);
    bool grows = true;

    Watch() {
        in.links = 10;
        in.authorities = in.authorities_seen = 4;
        in.quorum = 3;
        in.authority = true;
        steps(1);
    }
    //! The number of the first step that brought the change, 0 for none.
    std::uint32_t steps(std::uint32_t times, Change wanted = Change::none) {
        std::uint32_t first = 0;
        for (std::uint32_t i = 1; i <= times; ++i) {
            now += seconds(1);
            in.head_height += grows ? 1 : 0;
            if (watch.step(in, now) == wanted && first == 0) {
                first = i;
            }
        }
        return first;
    }
};

}  // namespace

TEST_CASE("severity is what those who are reached may be") {
    // Seven authorities, quorum five, two may be Byzantine.
    const Severity of_authority[] = {Severity::kCritical, Severity::kCritical, Severity::kSevere, Severity::kModerate,
                                     Severity::kModerate, Severity::kMinor,    Severity::kMinor,  Severity::kMinor};
    for (std::uint32_t seen = 0; seen <= 7; ++seen) {
        CAPTURE(seen);
        CHECK(severity_of(seen, 5, 7, true) == of_authority[seen]);
    }
    CHECK(severity_of(1, 5, 7, false) == Severity::kSevere);
    CHECK(severity_of(0, 5, 7, false) == Severity::kCritical);
    CHECK(severity_of(1, 3, 4, true) == Severity::kCritical);  // it hears itself alone
    CHECK(severity_of(1, 3, 4, false) == Severity::kSevere);
    CHECK(severity_of(2, 3, 4, true) == Severity::kModerate);
    CHECK(severity_of(0, 1, 0, false) == Severity::kCritical);
}

TEST_CASE("a lost quorum is suspected at once, confirmed after its time, and over when it is back") {
    Watch w;
    w.in.authorities_seen = 1;
    CHECK(w.steps(1, Change::suspected) == 1);
    CHECK(w.watch.severity() == Severity::kNone);
    CHECK(w.watch.since() == w.now);
    CHECK(w.watch.signs() == "1 of 4 authorities are reachable");
    CHECK(w.steps(200, Change::confirmed) == 120);
    CHECK(w.watch.severity() == Severity::kCritical);
    w.in.authorities_seen = 2;  // it moves while it lasts
    CHECK(w.steps(5, Change::confirmed) == 0);
    CHECK(w.watch.severity() == Severity::kModerate);
    w.in.authorities_seen = 3;
    CHECK(w.steps(5, Change::over) == 1);
    CHECK(w.watch.severity() == Severity::kNone);
    CHECK_FALSE(w.watch.since());
    CHECK(w.watch.confirmed() == 1);
    w.in.authorities_seen = 2;  // a short one is never confirmed, and the next begins anew
    CHECK(w.steps(100, Change::confirmed) == 0);
    w.in.authorities_seen = 4;
    CHECK(w.steps(1, Change::over) == 0);
    w.in.authorities_seen = 2;
    CHECK(w.steps(100, Change::confirmed) == 0);
    CHECK(w.watch.confirmed() == 1);
}

TEST_CASE("who never saw a quorum has lost none") {
    PartitionWatch watch;
    PartitionInputs in;
    in.authorities = 4;
    in.quorum = 3;
    for (int i = 0; i < 1'000; ++i) {
        ++in.head_height;
        CHECK(watch.step(in, seconds(i)) == Change::none);
    }
    CHECK_FALSE(watch.since());
}

TEST_CASE("of no progress, lost links and slow round trips each alone says nothing, and two do") {
    for (int which = 0; which < 7; ++which) {
        CAPTURE(which);
        Watch w;
        w.grows = which != 0 && which != 3 && which != 4 && which != 6;
        if (which == 1 || which == 3 || which == 5 || which == 6) {
            w.in.links = 2;
        }
        if (which == 2 || which == 4 || which == 5 || which == 6) {
            w.in.mean_latency_ms = 10'001;
        }
        const bool two = which >= 3;
        const bool waits = which == 3 || which == 4;  // for a minute without a block
        CHECK(w.steps(300, Change::suspected) == (!two ? 0 : waits ? 60 : 1));
        CHECK(w.watch.severity() == (two ? Severity::kMinor : Severity::kNone));
    }
}

TEST_CASE("three of ten links are enough; a chain that stands for a known reason is no sign") {
    Watch three;
    three.grows = false;
    three.in.links = 3;
    CHECK(three.steps(300, Change::suspected) == 0);
    Watch w;
    w.grows = false;
    w.in.links = 2;
    w.in.blocks_expected = false;
    CHECK(w.steps(200, Change::suspected) == 0);
    w.in.blocks_expected = true;
    CHECK(w.steps(200, Change::suspected) == 60);
    CHECK(w.watch.signs() == "no new block, 2 of 10 links are left");
}

TEST_CASE("links that are gone for long are missed no more, unless a partition hides them") {
    Watch w;
    w.in.links = 2;
    w.steps(601);
    w.in.mean_latency_ms = 20'000;
    CHECK(w.steps(10, Change::suspected) == 0);
    Watch parted;
    parted.in.links = 2;
    parted.in.mean_latency_ms = 20'000;
    parted.steps(3'600);
    CHECK(parted.watch.severity() == Severity::kMinor);
    CHECK(parted.watch.signs() == "2 of 10 links are left, round trips above 10 s");
}

TEST_CASE("tips that exclude each other are a partition by themselves") {
    Watch w;
    w.in.conflicting_tips = true;
    CHECK(w.steps(200, Change::confirmed) == 121);
    CHECK(w.watch.severity() == Severity::kMinor);
}
