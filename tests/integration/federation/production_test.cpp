// SPDX-License-Identifier: Apache-2.0
//! Production over real processes: authorities that stop and come back, a whole federation that is killed.

#include "tests/support/federation.hpp"

using namespace synod;
using namespace synod::testing;
using std::chrono::seconds;

namespace {

constexpr Duration kPatience = seconds(90);

std::uint64_t missed_by(const json::value& status, std::uint64_t authority) {
    for (const auto& m : status.at("federation").at("members").as_array()) {
        if (m.at("index").to_number<std::uint64_t>() == authority) {
            return m.at("missed").to_number<std::uint64_t>();
        }
    }
    return 0;
}

bool unmet(const json::value& status, const char* condition) {
    return std::ranges::any_of(status.at("gate").as_array(), [&](const json::value& c) {
        return c.at("name").as_string() == condition && !c.at("met").as_bool();
    });
}

std::uint64_t height_of(const TestNode& node) { return node.height().value_or(0); }

}  // namespace

TEST_CASE("one authority stops and the chain goes on; two and it halts; one back, or all killed, and it resumes") {
    const TestFolder folder("federation");
    FederationFacts facts;
    facts.authorities = 5;
    Federation federation(folder.path(), facts);
    federation.start();
    auto& watched = federation[0];
    bool held = watched.wait_until_at(5, kPatience);
    INFO(federation.logs());
    REQUIRE(held);

    // One stops: its slots are missed and counted, blocks are committed on.
    REQUIRE(federation[4].stop() == 0);
    const auto stopped_at = height_of(watched);
    held = watched.wait_for(kPatience, [&](const json::value& now) {
        return missed_by(now, 4) >= 2 && number_at(now, "committed_height") > stopped_at;
    });
    INFO(json::serialize(watched.status().value_or(json::value())));
    REQUIRE(held);
    const auto counted = watched.status();
    REQUIRE(counted);
    const auto& members = counted->at("federation").at("members").as_array();
    REQUIRE(members.size() == 5);
    CHECK_FALSE(members[4].at("seen").as_bool());
    CHECK(members[0].at("seen").as_bool());
    CHECK(members[1].at("blocks").to_number<int>() > 0);
    const auto& latency = counted->at("federation").at("approval_latency_ms");
    REQUIRE(latency.is_object());
    CHECK(latency.at("median").to_number<double>() <= latency.at("p99").to_number<double>());
    REQUIRE(counted->at("federation").at("proposal_lateness_ms").is_object());
    MESSAGE("approval " << json::serialize(latency) << " ms, proposal late by "
                        << json::serialize(counted->at("federation").at("proposal_lateness_ms")) << " ms");
    CHECK(members[1].at("last_slot").to_number<std::uint64_t>() > members[1].at("last_height").to_number<std::uint64_t>());

    // Two stop: three of five are no quorum, and the status says so.
    REQUIRE(federation[3].stop() == 0);
    held = watched.wait_for(kPatience, [](const json::value& now) {
        return !now.at("can_produce").as_bool() && unmet(now, "federation");
    });
    REQUIRE(held);
    const auto halted_at = height_of(watched);
    const auto slot_of = [](const json::value& now) {
        for (const auto& c : now.at("gate").as_array()) {
            if (c.at("name").as_string() == "slot_lag") {
                return std::atoi(c.at("value").as_string().c_str());
            }
        }
        return 0;
    };
    // Many slots later nothing was built.
    REQUIRE(watched.wait_for(kPatience, [&](const json::value& now) { return slot_of(now) >= 15; }));
    CHECK(height_of(watched) <= halted_at + 1);  // one may have been under way

    // One comes back: it goes on without a hand.
    const auto before = height_of(watched);
    federation[3].start();
    held = watched.wait_until_at(before + 3, kPatience);
    INFO(federation.logs());
    REQUIRE(held);
    federation[4].start();
    REQUIRE(federation[4].wait_until_at(before + 3, kPatience));

    // All are killed at once and started again.
    const auto killed_at = height_of(watched);
    for (std::size_t i = 0; i < federation.size(); ++i) {
        federation[i].kill();
    }
    const auto began = mono_now();
    federation.start();
    for (std::size_t i = 0; i < federation.size(); ++i) {
        CAPTURE(i);
        held = federation[i].wait_until_at(killed_at + 2, kPatience);
        INFO(federation.logs());
        REQUIRE(held);
    }
    MESSAGE("resumed " << seconds_since(began) << " s after all five were killed");
    for (std::size_t i = 0; i < federation.size(); ++i) {
        CHECK(federation[i].stop() == 0);
    }
}
