// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/attendance.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::app;

namespace {

PublicKey key(std::uint8_t n) {
    PublicKey out;
    out.data.fill(n);
    return out;
}

}  // namespace

TEST_CASE("attendance: a gap between two heads is settled once, slot by slot") {
    Attendance a;
    CHECK(a.settle(100).empty());
    CHECK(a.settle(101) == std::vector<std::uint64_t>{101});
    CHECK(a.settle(104) == std::vector<std::uint64_t>{102, 103, 104});
    CHECK(a.settle(104).empty());
    CHECK(a.settle(103).empty());  // another branch: its slots were counted
    CHECK(a.settle(105) == std::vector<std::uint64_t>{105});
}

TEST_CASE("attendance: of a long gap the newest slots are counted") {
    Attendance a;
    a.settle(1);
    const auto slots = a.settle(1'000'000);
    REQUIRE(slots.size() == kMaxCountedGap);
    CHECK(slots.front() == 1'000'001 - kMaxCountedGap);
    CHECK(slots.back() == 1'000'000);
}

TEST_CASE("attendance: blocks and misses are counted by author, and a new key begins anew") {
    Attendance a;
    a.count(10, 2, key(2), 7);
    a.count(11, 0, key(9), 0);
    a.count(15, 2, key(2), 0);
    REQUIRE(a.list().size() == 3);
    CHECK(a.list()[2].blocks == 1);
    CHECK(a.list()[2].missed == 1);
    CHECK(a.list()[2].last_height == 7);
    CHECK(a.list()[2].last_slot == 10);
    CHECK(a.list()[0].missed == 1);
    CHECK(a.list()[1].index == 1);
    a.know(4, key(4));  // seen in no slot yet
    a.know(2, key(2));
    REQUIRE(a.list().size() == 5);
    CHECK(a.list()[4].key == key(4));
    CHECK(a.list()[2].blocks == 1);
    a.count(20, 2, key(3), 0);
    CHECK(a.list()[2].blocks == 0);
    CHECK(a.list()[2].missed == 1);
}
