// SPDX-License-Identifier: Apache-2.0
//! The slot length and the threshold change while blocks flow: what was made before stays valid, who comes later
//! follows. And a gate that wants a healthy stream.

#include "tests/integration/governance/operators.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kSlotMs = 250;
constexpr std::uint64_t kLongerMs = 400;
// The events are there before the first block, which carries them: in force 16 blocks later at the soonest.
constexpr std::uint64_t kSlotsChangeAt = 19, kThresholdChangesAt = 21;
constexpr Duration kChanges = std::chrono::seconds(60);
constexpr Duration kStreams = std::chrono::seconds(30);

std::optional<json::object> unmet(const json::value& status) {
    std::optional<json::object> out;
    for (const auto& condition : status.at("gate").as_array()) {
        if (!condition.at("met").as_bool()) {
            if (out) {
                return std::nullopt;  // more than one
            }
            out = condition.as_object();
        }
    }
    return out;
}

}  // namespace

TEST_CASE("slots become longer and the threshold higher; blocks of before and after hold, and a new node follows") {
    TestFolder folder("governance-parameters");
    FederationFacts facts;
    facts.slot_ms = kSlotMs;
    Federation federation(folder.path(), facts);
    federation[0].start();
    federation[1].start();
    REQUIRE(federation[0].wait_until_up());
    REQUIRE(federation[1].wait_until_up());
    govern(folder.path(), federation, 0, kSlotsChangeAt,
           {"parameter", "--parameter", "slot_ms", "--value", std::to_string(kLongerMs)});
    govern(folder.path(), federation, 0, kThresholdChangesAt, {"threshold", "--value", "4"});
    federation[2].start();
    federation[3].start();

    // Before the change the old rules are in force, though it is known.
    REQUIRE(federation[1].wait_until_at(2, kChanges));
    const auto governance = [&](TestNode& node) {
        const auto ran = run_to_end(folder.path(), {"governance", "status", node.manifest().string(), "--json"});
        INFO(ran.output);
        REQUIRE(ran.code == 0);
        return json::parse(ran.output).as_object();
    };
    const auto before = governance(federation[1]);
    CHECK(before.at("slot_ms").to_number<std::uint64_t>() == kSlotMs);
    CHECK(before.at("quorum").to_number<int>() == 3);
    CHECK(before.at("pending").as_array().size() == 2);

    const auto end = kThresholdChangesAt + 5;
    const bool there = federation[1].wait_until_at(end, kChanges);
    INFO(federation.logs());
    REQUIRE(there);
    const auto after = governance(federation[1]);
    CHECK(after.at("slot_ms").to_number<std::uint64_t>() == kLongerMs);
    CHECK(after.at("quorum").to_number<int>() == 4);
    CHECK(after.at("authority_set").to_number<int>() == 2);
    CHECK(after.at("pending").as_array().empty());
    // Slots are counted on from the change: authors and clocks agree, so blocks are committed.
    CHECK(federation[1].wait_for(kChanges, [&](const json::value& now) {
        return number_at(now, "committed_height") > kThresholdChangesAt;
    }));

    auto fresh = federation.stranger("fresh");
    fresh.start();
    CHECK_MESSAGE(fresh.wait_until_at(end, kChanges), fresh.log());
    CHECK(number_at(fresh.status().value().at("governance"), "authority_set") == 2);
    const auto peers = fresh.ask("node.peers").value();
    for (const auto& peer : peers.as_array()) {
        CHECK_MESSAGE(peer.at("misbehaviour").to_number<double>() == 0, fresh.log());
    }
    // One of four is away, and four are needed now: the others say what is missing.
    REQUIRE(federation[3].stop() == 0);
    CHECK(federation[1].wait_for(kChanges, [](const json::value& now) {
        const auto& gate = now.at("gate").as_array();
        return std::ranges::any_of(gate, [](const json::value& c) {
            return c.at("name").as_string() == "federation" && !c.at("met").as_bool();
        });
    }));
    CHECK(fresh.stop() == 0);
    // By every rule and signature, from the first slot length over the change to the second.
    const auto verified = run_to_end(folder.path(), {"chain", "verify", fresh.data().string(), "--genesis",
                                                     federation.genesis().string(), "--level", "full"});
    CHECK_MESSAGE(verified.code == 0, verified.output);
}

TEST_CASE("who wants a healthy stream of events doesn't produce before somebody speaks of events, and says so") {
    TestFolder folder("governance-required");
    FederationFacts facts;
    facts.authorities = 1;  // alone it needs nobody, but for the stream
    facts.slot_ms = kSlotMs;
    facts.more = "governance:\n  required: true\n";
    Federation federation(folder.path(), facts);
    auto& node = federation[0];
    node.start();
    const bool named = node.wait_for(kStreams, [](const json::value& now) {
        const auto only = unmet(now);
        return only && only->at("name").as_string() == "governance";
    });
    INFO(federation.logs());
    REQUIRE(named);
    const auto shut = node.status().value();
    CHECK_FALSE(shut.at("can_produce").as_bool());
    CHECK(number_at(shut, "current_height") == 0);
    CHECK(unmet(shut)->at("value").as_string() == "no healthy stream");

    auto speaker = federation.stranger("speaker");
    speaker.start();
    CHECK(node.wait_until_at(2, kStreams));
    CHECK(node.wait_for(kStreams, [](const json::value& now) { return now.at("can_produce").as_bool(); }));
    CHECK(speaker.wait_until_at(2, kStreams));
}
