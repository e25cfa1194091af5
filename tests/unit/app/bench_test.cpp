// SPDX-License-Identifier: Apache-2.0
//! What `synod bench` says of its runs: statistics, the catalogue with its floors, the two outputs.

#include <doctest/doctest.h>

#include <set>

#include "core/app/bench/catalogue.hpp"
#include "core/app/bench/report.hpp"

namespace {

using namespace synod;
using namespace synod::app::bench;
namespace json = boost::json;

constexpr std::string_view kKeys[] = {"name",  "value", "unit", "baseline", "baseline_value",
                                      "ratio", "floor", "aim",  "runs",     "spread"};

Machine test_machine() { return {2, "a processor", {"sse2", "avx2"}, "a compiler", true}; }

Figure figure(std::string name, std::vector<double> values, std::vector<double> baseline) {
    Figure out;
    out.name = std::move(name);
    out.value = sample(values);
    out.baseline = "something";
    out.baseline_value = sample(baseline);
    return out;
}

json::object entry_of(const Figure& figure) {
    const auto all = to_json(test_machine(), {figure});
    REQUIRE(all.size() == 2);
    return all[1].as_object();
}

std::string line_of(const std::string& table, const std::string& name) {
    const auto at = table.find("\n" + name + "  ");
    return at == std::string::npos ? "" : table.substr(at + 1, table.find('\n', at + 1) - at - 1);
}

}  // namespace

TEST_CASE("the median is the middle, whatever the order, and the spread is of the median") {
    CHECK(median({3}) == 3);
    CHECK(median({9, 1, 5}) == 5);
    CHECK(median({4, 1, 3, 2}) == 2.5);
    CHECK(median({1, 1, 1, 1, 1'000}) == 1);
    const auto s = sample({10, 12, 9, 11, 8});
    CHECK(s.median == 10);
    CHECK(s.spread == doctest::Approx(0.4));
    CHECK(s.runs == 5);
    CHECK(sample({7}).spread == 0);
    CHECK(sample({0, 0, 0}).spread == 0);
}

TEST_CASE("a percentile is a value that was seen") {
    std::vector<double> hundred;
    for (int i = 100; i > 0; --i) {
        hundred.push_back(i);
    }
    CHECK(percentile(hundred, 50) == 50);
    CHECK(percentile(hundred, 99) == 99);
    CHECK(percentile(hundred, 100) == 100);
    CHECK(percentile({5}, 99) == 5);
    CHECK(percentile({1, 2, 3}, 0.001) == 1);
}

TEST_CASE("every figure has one row, in a family that runs, with an aim beyond its floor") {
    std::set<std::string_view> names;
    for (const auto& row : kCatalogue) {
        CAPTURE(row.name);
        CHECK(names.insert(row.name).second);
        CHECK(std::ranges::find(kFamilies, row.family) != kFamilies.end());
        CHECK(row.name.starts_with(row.family));
        CHECK_FALSE(row.unit.empty());
        CHECK(row.floor.has_value() == row.aim.has_value());
        if (row.floor) {
            CHECK(reaches(row, *row.aim, *row.floor));
            CHECK_FALSE(reaches(row, *row.floor, *row.aim));
        }
        CHECK(find_row(row.name) == &row);
    }
    for (const auto family : kFamilies) {
        CAPTURE(family);
        CHECK(std::ranges::any_of(kCatalogue, [&](const Row& row) { return row.family == family; }));
    }
    CHECK(find_row("nothing") == nullptr);
    REQUIRE(find_row("store.append.at_200k") != nullptr);
    CHECK(find_row("store.append.at_200k")->name == "store.append.at_10m");
    CHECK(find_row("store.append")->name == "store.append");
}

TEST_CASE("the JSON is an array whose entries all have the same ten keys, the machine first") {
    const auto all = to_json(test_machine(), {figure("bus.publish", {2, 3, 1}, {4, 4, 4}),
                                              absent("verify.ed25519.batch", "not built"),
                                              failure("abi.call", {"x.y", "broke", "", ""})});
    REQUIRE(all.size() == 4);
    for (const auto& one : all) {
        for (const auto key : kKeys) {
            CAPTURE(key);
            CHECK(one.as_object().contains(key));
        }
    }
    const auto& machine = all[0].as_object();
    CHECK(machine.at("name") == "machine");
    CHECK(machine.at("value").to_number<int>() == 2);
    CHECK(machine.at("unit") == "cores");
    CHECK(machine.at("instruction_sets") == json::array{"sse2", "avx2"});
    const auto& bus = all[1].as_object();
    CHECK(bus.at("value").as_double() == 2);
    CHECK(bus.at("runs").to_number<int>() == 3);
    CHECK(bus.at("spread").as_double() == 1);
    CHECK(bus.at("baseline_value").as_double() == 4);
    CHECK(bus.at("ratio").as_double() == 0.5);
    CHECK_FALSE(bus.contains("absent"));
    const auto& batch = all[2].as_object();
    CHECK(batch.at("value").is_null());
    CHECK(batch.at("ratio").is_null());
    CHECK(batch.at("absent") == "not built");
    CHECK_FALSE(batch.contains("failed"));
    const auto& abi = all[3].as_object();
    CHECK(abi.at("value").is_null());
    CHECK(abi.at("failed") == "broke [x.y]");
    CHECK_FALSE(abi.contains("absent"));
}

TEST_CASE("a floor is held against the value or the ratio, on the side that is better") {
    // More events are better; floor 5 M, aim 20 M.
    auto bus = entry_of(figure("bus.publish", {6e6}, {1}));
    CHECK(bus.at("floor").as_double() == 5e6);
    CHECK(bus.at("meets_floor").as_bool());
    CHECK_FALSE(bus.at("meets_aim").as_bool());
    CHECK_FALSE(entry_of(figure("bus.publish", {4e6}, {1})).at("meets_floor").as_bool());
    // Fewer nanoseconds are; floor 20, aim 6.
    CHECK(entry_of(figure("abi.call", {19}, {1})).at("meets_floor").as_bool());
    CHECK_FALSE(entry_of(figure("abi.call", {21}, {1})).at("meets_floor").as_bool());
    CHECK(entry_of(figure("abi.call", {6}, {1})).at("meets_aim").as_bool());
    // A hash is judged by its ratio: eightfold, tenfold.
    auto hash = entry_of(figure("hash.merkle64.avx512", {90}, {10}));
    CHECK(hash.at("judged") == "ratio");
    CHECK(hash.at("meets_floor").as_bool());
    CHECK_FALSE(hash.at("meets_aim").as_bool());
    CHECK_FALSE(entry_of(figure("hash.merkle64.avx512", {1e9}, {1e9})).at("meets_floor").as_bool());
    // Without a floor there is no verdict.
    CHECK(entry_of(figure("store.append", {1}, {1})).at("meets_floor").is_null());
    // Without a baseline no ratio.
    CHECK(entry_of(figure("store.append", {1}, {0})).at("ratio").is_null());
}

TEST_CASE("details stand in the figure's own entry") {
    auto one = figure("bus.publish", {1}, {1});
    one.details["payload_bytes"] = 48;
    CHECK(entry_of(one).at("payload_bytes").to_number<int>() == 48);
}

TEST_CASE("the table shows a line a figure, what is missing with its reason, and an unfit build") {
    const std::vector<Figure> figures{figure("bus.publish", {1.5e6, 1.5e6, 3e6}, {3e6}),
                                      figure("abi.call", {5}, {4}),
                                      absent("verify.ed25519.batch", "not built"),
                                      failure("store.append", {"x.y", "broke", "", ""})};
    const auto table = to_table(test_machine(), figures);
    const auto bus = line_of(table, "bus.publish");
    CHECK(bus.find("1,500,000 events/s") != std::string::npos);
    CHECK(bus.find("100 %") != std::string::npos);
    CHECK(bus.find("x0.5") != std::string::npos);
    CHECK(bus.find("BELOW FLOOR") != std::string::npos);
    const auto abi = line_of(table, "abi.call");
    CHECK(abi.find("5.00 ns") != std::string::npos);
    CHECK(abi.ends_with("aim"));
    CHECK(table.find("verify.ed25519.batch is absent: not built") != std::string::npos);
    CHECK(table.find("store.append FAILED: broke [x.y]") != std::string::npos);
    CHECK(table.find("sse2 avx2") != std::string::npos);
    CHECK(table.find("NOT AN OPTIMISED BUILD") == std::string::npos);
    auto slow = test_machine();
    slow.optimised = false;
    CHECK(to_table(slow, figures).find("NOT AN OPTIMISED BUILD") != std::string::npos);
}
