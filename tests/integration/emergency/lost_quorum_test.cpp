// SPDX-License-Identifier: Apache-2.0
//! Emergencies of real processes: a quorum that is lost and comes back, a partition, and the operator's word.

#include "tests/support/federation.hpp"
#include "tests/support/http_get.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr Duration kEnters = std::chrono::seconds(30);
constexpr Duration kLeaves = std::chrono::seconds(60);

bool active(const json::value& status) { return status.at("emergency").at("active").as_bool(); }

bool says(const json::value& status, std::string_view trigger) {
    const auto& open = status.at("emergency").at("triggers").as_array();
    return std::ranges::any_of(open, [&](const json::value& one) { return one.at("trigger").as_string() == trigger; });
}

std::string partition(const json::value& status) {
    return std::string(status.at("network").at("partition").at("severity").as_string());
}

}  // namespace

TEST_CASE("without a quorum the rest stand aside and say why, and go on by themselves when it is back") {
    TestFolder folder("emergency");
    FederationFacts facts;
    // Well above the two seconds between two statuses: on a busy machine they come late.
    facts.more = "federation:\n  consensus_timeout: 4s\n";
    facts.network = "  partition_confirm: 5s\n";
    Federation federation(folder.path(), facts);
    federation.start();
    REQUIRE(federation[0].wait_until_at(4, kStartTime));
    federation[2].kill();
    federation[3].kill();
    for (const std::size_t i : {0, 1}) {
        CHECK_MESSAGE(federation[i].wait_for(kEnters, [](const json::value& s) { return active(s) && says(s, "quorum"); }),
                      federation[i].log());
        const auto status = federation[i].status().value();
        CHECK(status.at("state") == "emergency");
        CHECK(status.at("can_produce") == false);
    }
    // What was known then is kept.
    CHECK(federation[0].log().find("[error] emergency: ") != std::string::npos);
    CHECK(federation[0].wait_for(kEnters, [](const json::value& s) { return !s.at("last_checkpoint").is_null(); }));
    CHECK(federation[0].status()->at("last_checkpoint").at("kind") == "emergency");
    // A side with more authorities than may be Byzantine is parted, but not severely; one alone is.
    CHECK(federation[0].wait_for(kEnters, [](const json::value& s) { return partition(s) == "moderate"; }));
    CHECK_FALSE(says(federation[0].status().value(), "partition"));
    federation[1].kill();
    CHECK_MESSAGE(federation[0].wait_for(kEnters, [](const json::value& s) {
        return partition(s) == "critical" && says(s, "partition");
    }), federation[0].log());
    CHECK(federation[0].log().find("[error] partition, ") != std::string::npos);
    const auto before = federation[0].height().value();
    federation[1].start();
    federation[2].start();
    federation[3].start();
    for (std::size_t i = 0; i < federation.size(); ++i) {
        CHECK_MESSAGE(federation[i].wait_for(kLeaves, [&](const json::value& s) {
            return !active(s) && number_at(s, "committed_height") > before + 3;
        }), federation[i].log());
    }
    CHECK(partition(federation[0].status().value()) == "none");
    CHECK(federation[0].log().find("the partition is over after ") != std::string::npos);
}

TEST_CASE("the operator enters and leaves an emergency; the others go on") {
    TestFolder folder("emergency-operator");
    FederationFacts facts;
    facts.more = "plugins:\n  scoring: {use: " SYNOD_BINARY_DIR "/tests/unit/host/plugins/listener.so, as: ears}\n";
    Federation federation(folder.path(), facts);
    federation.start();
    REQUIRE(federation[0].wait_until_at(4, kStartTime));
    //! What its plugin heard, and why there is an emergency, as the metrics tell it.
    const auto shows = [&](const std::string& line) {
        const auto end = mono_now() + std::chrono::seconds(10);
        const auto at = control::read_control_file(federation[3].data().string());
        REQUIRE(at);
        std::string page;
        while (mono_now() < end) {
            page = get(*at, "/metrics");
            if (page.find("\n" + line + "\n") != std::string::npos) {
                return true;
            }
            std::this_thread::sleep_for(kPollPause);
        }
        MESSAGE(page);
        return false;
    };
    const auto run = [&](const std::string& verb, std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{"emergency", verb, federation[3].manifest().string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_to_end(folder.path(), arguments);
    };
    CHECK(run("status").output.find("no emergency") == 0);
    CHECK(shows("synod_listener_alarms_total{plugin=\"ears\"} 0"));
    CHECK(shows("synod_emergency_trigger{trigger=\"operator\"} 0"));
    const auto entered = run("enter", {"--reason", "looking at a disk"});
    CHECK(entered.code == 0);
    CHECK(entered.output.find("looking at a disk") != std::string::npos);
    CHECK(shows("synod_listener_alarms_total{plugin=\"ears\"} 1"));
    CHECK(shows("synod_listener_all_clears_total{plugin=\"ears\"} 0"));
    CHECK(shows("synod_emergency_trigger{trigger=\"operator\"} 1"));
    CHECK(shows("synod_emergency_trigger{trigger=\"mining\"} 0"));
    const auto at = federation[3].status().value();
    CHECK(at.at("state") == "emergency");
    CHECK(at.at("can_produce") == false);
    const auto height = number_at(at, "current_height");
    CHECK(federation[0].wait_until_at(height + 3, kStartTime));
    CHECK(federation[3].wait_until_at(height + 3, kStartTime));  // it follows, and nothing else
    CHECK(run("leave").output.find("no emergency") == 0);
    CHECK(shows("synod_listener_all_clears_total{plugin=\"ears\"} 1"));
    CHECK(shows("synod_emergency_trigger{trigger=\"operator\"} 0"));
    CHECK_MESSAGE(federation[3].wait_for(kLeaves, [](const json::value& s) {
        return s.at("state") == "synced" && s.at("can_produce").as_bool();
    }), federation[3].log());
}
