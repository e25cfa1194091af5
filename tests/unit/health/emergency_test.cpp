// SPDX-License-Identifier: Apache-2.0
#include "core/health/emergency.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::health;
using Change = Emergency::Change;

namespace {

constexpr Duration kTimeout = std::chrono::seconds(10);

EmergencyInputs well() {
    EmergencyInputs in;
    in.authorities = 4;
    in.authorities_seen = 4;
    in.quorum = 3;
    return in;
}

struct Watch {
    Emergency emergency{kTimeout};
    Instant now = std::chrono::hours(1);
    //! Checks so many times, a second apart; the number of the first that changed something, 0 for none.
    std::uint32_t checks(const EmergencyInputs& in, std::uint32_t times, Change wanted) {
        std::uint32_t first = 0;
        for (std::uint32_t i = 1; i <= times; ++i) {
            now += kCheckEvery;
            if (emergency.check(in, now) == wanted && first == 0) {
                first = i;
            }
        }
        return first;
    }
    bool has(Trigger trigger) const {
        for (const auto& one : emergency.open()) {
            if (one.trigger == trigger) {
                return true;
            }
        }
        return false;
    }
};

}  // namespace

TEST_CASE("a quorum lost for three time-outs is an emergency; three good checks end it") {
    Watch w;
    CHECK(w.checks(well(), 5, Change::entered) == 0);
    auto lost = well();
    lost.authorities_seen = 2;
    CHECK(w.checks(lost, 40, Change::entered) == 31);
    CHECK(w.has(Trigger::kQuorum));
    CHECK(w.checks(well(), 2, Change::left) == 0);
    CHECK(w.checks(lost, 1, Change::left) == 0);  // the count begins anew, and so does the wait
    CHECK_FALSE(w.has(Trigger::kQuorum));
    CHECK(w.checks(well(), 3, Change::left) == 3);
    CHECK_FALSE(w.emergency.active());
}

TEST_CASE("who never saw a quorum or a healthy network has lost neither") {
    Watch w;
    auto start = well();
    start.authorities_seen = 0;
    start.health = 0;
    CHECK(w.checks(start, 200, Change::entered) == 0);
    auto bad = well();
    bad.health = .29;
    CHECK(w.checks(well(), 1, Change::entered) == 0);
    CHECK(w.checks(bad, 100, Change::entered) == 91);  // three intervals of 30 s
    CHECK(w.has(Trigger::kHealth));
}

TEST_CASE("a flap of the health is no emergency, and none ends while it flaps") {
    Watch w;
    auto bad = well();
    bad.health = .1;
    CHECK(w.checks(well(), 1, Change::entered) == 0);
    for (int i = 0; i < 20; ++i) {
        CHECK(w.checks(bad, 89, Change::entered) == 0);
        CHECK(w.checks(well(), 1, Change::entered) == 0);
    }
    CHECK(w.emergency.raise(Trigger::kOperator, "") == Change::entered);
    w.emergency.leave();
    auto mining = well();
    mining.mining_halted = true;
    CHECK(w.checks(mining, 1, Change::entered) == 1);
    for (int i = 0; i < 20; ++i) {
        CHECK(w.checks(well(), 2, Change::left) == 0);
        CHECK(w.checks(bad, 1, Change::left) == 0);
    }
    CHECK(w.checks(well(), 3, Change::left) == 3);
    Emergency quick(kTimeout, std::chrono::seconds(1));  // as the manifest says
    CHECK(quick.check(well(), w.now) == Change::none);
    for (const auto wanted : {Change::none, Change::none, Change::none, Change::entered}) {
        w.now += kCheckEvery;
        CHECK(quick.check(bad, w.now) == wanted);
    }
}

TEST_CASE("each measured trigger opens and closes; more equivocators than are borne stay") {
    Watch w;
    w.checks(well(), 1, Change::none);
    auto mining = well();
    mining.mining_halted = true;
    CHECK(w.checks(mining, 1, Change::entered) == 1);
    CHECK(w.emergency.only_mining());
    auto partition = well();
    partition.partition = PartitionSeverity::kSevere;
    w.checks(partition, 1, Change::none);
    CHECK(w.has(Trigger::kPartition));
    CHECK(w.emergency.open()[0].reason == "a severe partition");
    CHECK_FALSE(w.has(Trigger::kMining));
    CHECK_FALSE(w.emergency.only_mining());
    partition.partition = PartitionSeverity::kModerate;
    CHECK(w.checks(partition, 3, Change::left) == 3);
    auto equivocators = well();
    equivocators.equivocators = 1;  // of four one is borne
    CHECK(w.checks(equivocators, 10, Change::entered) == 0);
    equivocators.equivocators = 2;
    CHECK(w.checks(equivocators, 1, Change::entered) == 1);
    CHECK(w.checks(well(), 100, Change::left) == 0);
    CHECK(w.emergency.leave() == Change::left);
    CHECK(w.checks(equivocators, 100, Change::entered) == 0);  // the operator knows
    CHECK(w.checks(well(), 1, Change::entered) == 0);
    CHECK(w.checks(equivocators, 1, Change::entered) == 1);
}

TEST_CASE("what was raised stays until the operator says otherwise, who isn't asked the same thing twice") {
    Watch w;
    w.checks(well(), 1, Change::none);
    CHECK(w.emergency.raise(Trigger::kConflict, "two chains") == Change::entered);
    CHECK(w.emergency.raise(Trigger::kBackends, "they disagree") == Change::none);
    CHECK(w.emergency.open().size() == 2);
    auto lost = well();
    lost.mining_halted = true;
    CHECK(w.checks(lost, 1, Change::none) == 1);
    CHECK(w.emergency.open().size() == 3);
    CHECK(w.emergency.raised().size() == 2);  // the third is measured
    CHECK(w.emergency.raised()[0].trigger == Trigger::kBackends);
    CHECK(w.emergency.raised()[1].reason == "two chains");
    CHECK(w.checks(well(), 100, Change::left) == 0);
    CHECK(w.emergency.leave() == Change::left);
    CHECK(w.emergency.leave() == Change::none);
    CHECK(w.emergency.raised().empty());
    auto mining = well();
    mining.mining_halted = true;
    CHECK(w.checks(mining, 1, Change::entered) == 1);
    CHECK(w.emergency.leave() == Change::left);
    CHECK(w.checks(mining, 50, Change::entered) == 0);
    CHECK(w.checks(well(), 1, Change::entered) == 0);
    CHECK(w.checks(mining, 1, Change::entered) == 1);
    w.now += std::chrono::milliseconds(10);
    CHECK(w.emergency.check(well(), w.now) == Change::none);  // too soon to be a check
    CHECK(w.has(Trigger::kMining));
}

TEST_CASE("triggers have names that lead back to them") {
    for (std::size_t i = 0; i < kTriggers; ++i) {
        CHECK(trigger_of(name(static_cast<Trigger>(i))) == static_cast<Trigger>(i));
    }
    CHECK_FALSE(trigger_of("nothing"));
    CHECK_FALSE(trigger_of(""));
}
