// SPDX-License-Identifier: Apache-2.0
//! `synod bench` as a user calls it: what it prints, what it leaves behind, how it ends.

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "tests/integration/chain/program.hpp"

namespace {

using namespace synod::testing;
namespace json = boost::json;

constexpr std::string_view kKeys[] = {"name",  "value", "unit", "baseline", "baseline_value",
                                      "ratio", "floor", "aim",  "runs",     "spread"};

//! The last line is the JSON; progress stands before it.
json::array array_of(const Ran& ran) {
    INFO(ran.output);
    REQUIRE(ran.code == 0);
    const auto at = ran.output.rfind("\n[");
    REQUIRE(at != std::string::npos);
    boost::system::error_code error;
    const auto value = json::parse(ran.output.substr(at + 1), error);
    REQUIRE_FALSE(error);
    REQUIRE(value.is_array());
    return value.get_array();
}

const json::object& entry(const json::array& all, std::string_view name) {
    for (const auto& one : all) {
        if (one.at("name").as_string() == name) {
            return one.get_object();
        }
    }
    FAIL("no entry " << std::string(name));
    return all.front().get_object();
}

void expect_keys(const json::array& all) {
    for (const auto& one : all) {
        for (const auto key : kKeys) {
            CAPTURE(json::serialize(one));
            CAPTURE(key);
            CHECK(one.get_object().contains(key));
        }
    }
}

}  // namespace

TEST_CASE("bench bus --json: an array, the machine first, then the family's figures") {
    const Folder folder;
    const auto all = array_of(run("bench bus --json --dir " + (folder / "")));
    REQUIRE(all.size() == 2);
    expect_keys(all);
    CHECK(all[0].at("name") == "machine");
    CHECK(all[0].at("value").to_number<int>() >= 1);
    CHECK(all[0].at("instruction_sets").is_array());
    const auto& bus = entry(all, "bus.publish");
    CHECK(bus.at("value").to_number<double>() > 0);
    CHECK(bus.at("unit") == "events/s");
    CHECK(bus.at("baseline_value").to_number<double>() > 0);
    CHECK(bus.at("runs").to_number<int>() == 5);
    CHECK(bus.at("ratio").to_number<double>() ==
          doctest::Approx(bus.at("value").to_number<double>() /
                          bus.at("baseline_value").to_number<double>()));
    CHECK(std::filesystem::is_empty(folder / ""));
}

TEST_CASE("what this machine or build lacks is absent with its reason, and that is no failure") {
    const auto all = array_of(run("bench verify --json --backend simd"));
    expect_keys(all);
    CHECK(entry(all, "verify.ed25519.single").at("value").to_number<double>() > 0);
    const auto& batch = entry(all, "verify.ed25519.batch");
    if (batch.at("value").is_null()) {
        CHECK(std::string(batch.at("absent").as_string()).find("batch") != std::string::npos);
    } else {
        CHECK(batch.at("baseline_value") == entry(all, "verify.ed25519.single").at("value"));
    }
}

TEST_CASE("a shorter chain is measured on request, and a long store is named for its length") {
    const auto pipeline = array_of(run("bench pipeline --json --blocks 2000"));
    CHECK(entry(pipeline, "pipeline.full").at("value").to_number<double>() > 0);
    CHECK(entry(pipeline, "pipeline.fast").at("blocks").to_number<int>() <= 2'000);
    CHECK(entry(pipeline, "pipeline.fast").at("floor").to_number<int>() == 50'000);
    const auto store = array_of(run("bench store --json --blocks 2000"));
    expect_keys(store);
    CHECK(entry(store, "store.append.at_2k").at("blocks").to_number<int>() == 2'000);
    CHECK(entry(store, "store.lookup_hash").at("value").to_number<double>() > 0);
}

TEST_CASE("the backend's instruction set can be chosen, and one that it doesn't know is refused") {
    const auto portable = array_of(run("bench pipeline --json --blocks 1000 --backend batch --isa portable"));
    CHECK(entry(portable, "pipeline.full").at("isa") == "portable");
    CHECK(entry(portable, "pipeline.full").at("value").to_number<double>() > 0);
    const auto unknown = run("bench pipeline --blocks 1000 --backend batch --isa abacus");
    CHECK(unknown.code == 1);
    CHECK(unknown.output.find("isa") != std::string::npos);
}

TEST_CASE("nodes are measured as processes of their own") {
    const Folder folder;
    const auto tip = array_of(run("bench tip --json --dir " + (folder / "")));
    expect_keys(tip);
    const auto& latency = entry(tip, "tip.latency");
    CHECK(latency.at("value").to_number<double>() > 0);
    CHECK(latency.at("p99").to_number<double>() >= latency.at("p50").to_number<double>());
    const auto restart = array_of(run("bench restart --json --blocks 1000 --dir " + (folder / "")));
    CHECK(entry(restart, "restart.kill9").at("value").to_number<double>() > 0);
    CHECK(entry(restart, "restart.kill9").at("last_height").to_number<int>() > 0);
    const auto sync = array_of(run("bench sync --json --blocks 2000 --dir " + (folder / "")));
    expect_keys(sync);
    CHECK(entry(sync, "sync.full").at("blocks").to_number<int>() == 200);
    CHECK(entry(sync, "sync.fast").at("blocks").to_number<int>() == 2'000);
    CHECK(entry(sync, "sync.fast").at("value").to_number<double>() > 0);
    const auto memory = array_of(run("bench memory --json --blocks 2000 --dir " + (folder / "")));
    CHECK(entry(memory, "memory.syncing").at("value").to_number<double>() > 1);
    CHECK(std::filesystem::is_empty(folder / ""));  // nodes and folders are gone
}

TEST_CASE("slots are measured from outside a federation of processes: the proposal first, then what certifies it") {
    const Folder folder;
    const auto all = array_of(run("bench slots --json --dir " + (folder / "")));
    expect_keys(all);
    const auto& proposal = entry(all, "slots.proposal");
    const auto& certified = entry(all, "slots.certified");
    for (const auto* figure : {&proposal, &certified}) {
        CAPTURE(json::serialize(*figure));
        CHECK(figure->at("slots").to_number<int>() == 200);
        CHECK(figure->at("samples").to_number<int>() >= 5);
        CHECK(figure->at("p50").to_number<double>() <= figure->at("p99").to_number<double>());
        CHECK(figure->at("p99").to_number<double>() <= figure->at("max").to_number<double>());
    }
    CHECK(proposal.at("p50").to_number<double>() >= 0);
    CHECK(certified.at("p50").to_number<double>() > proposal.at("p50").to_number<double>());
    CHECK(std::filesystem::is_empty(folder / ""));
}

TEST_CASE("what can't be measured fails with its reason and exit code 1") {
    const auto ran = run("bench pipeline --blocks 1000 --backend nonesuch");
    CHECK(ran.code == 1);
    CHECK(ran.output.find("pipeline.full FAILED: ") != std::string::npos);
    CHECK(ran.output.find("nonesuch") != std::string::npos);
}

TEST_CASE("usage errors are usage errors") {
    CHECK(run("bench everything").code == 2);
    CHECK(run("bench bus --runs 4").code == 2);  // a median of four is not promised to anybody
    CHECK(run("bench bus --dir /nowhere/at/all").code == 2);
}
