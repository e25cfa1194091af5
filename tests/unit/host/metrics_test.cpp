// SPDX-License-Identifier: Apache-2.0
//! Names, bounds and the page's exact text; then a plugin's figures through the ABI and the fence.
#include "core/host/metrics.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "core/host/guard.hpp"

using namespace synod;
using namespace synod::host;

namespace {

std::string page_of(const Metrics& metrics) {
    MetricPage page;
    metrics.write(page);
    return page.text();
}

}  // namespace

TEST_CASE("the page is Prometheus text, families by name") {
    Metrics metrics;
    const auto blocks = metrics.make("synod_test_blocks_total", SYNOD_METRIC_COUNTER, "blocks", "seen\nso far", {});
    const auto depth = metrics.make("synod_test_depth_tasks", SYNOD_METRIC_GAUGE, "tasks", "waiting",
                                      Labels{{"queue", "a\"b\\"}});
    REQUIRE(blocks);
    REQUIRE(depth);
    metrics.add(*blocks, 3);
    metrics.add(*blocks, -2);
    metrics.set(*blocks, 9);
    metrics.set(*depth, 7);
    metrics.add(*depth, -9);
    metrics.add(99, 1);
    metrics.set(0, 1);
    CHECK(page_of(metrics) == "# HELP synod_test_blocks_total seen\\nso far\n"
                              "# TYPE synod_test_blocks_total counter\n"
                              "synod_test_blocks_total 3\n"
                              "# HELP synod_test_depth_tasks waiting\n"
                              "# TYPE synod_test_depth_tasks gauge\n"
                              "synod_test_depth_tasks{queue=\"a\\\"b\\\\\"} -2\n");
    CHECK(metrics.make("synod_test_blocks_total", SYNOD_METRIC_COUNTER, "", "", {}).value() == *blocks);
    MetricPage page;
    page.family("synod_x_ratio", SYNOD_METRIC_GAUGE, "h").sample(0.25).sample(1.0 / 0.0, {{"a", "b"}});
    CHECK(page.text() == "# HELP synod_x_ratio h\n# TYPE synod_x_ratio gauge\nsynod_x_ratio 0.25\n"
                         "synod_x_ratio{a=\"b\"} +Inf\n");
}

TEST_CASE("a histogram's buckets are cumulative") {
    Metrics metrics;
    const auto id = metrics.make("synod_test_wait_ms", SYNOD_METRIC_HISTOGRAM, "ms", "h", {}).value();
    for (const std::int64_t v : {0, 1, 2, 4, 5, 2'000'000'000}) {
        metrics.add(id, v);
    }
    const auto text = page_of(metrics);
    for (const char* line : {"# TYPE synod_test_wait_ms histogram\n", "_bucket{le=\"1\"} 2\n", "_bucket{le=\"4\"} 4\n",
                             "_bucket{le=\"16\"} 5\n", "_bucket{le=\"1073741824\"} 5\n", "_bucket{le=\"+Inf\"} 6\n",
                             "synod_test_wait_ms_sum 2000000012\n", "synod_test_wait_ms_count 6\n"}) {
        CHECK_MESSAGE(text.find(line) != std::string::npos, line);
    }
}

TEST_CASE("names, labels and numbers of metrics are bounded") {
    Metrics metrics;
    const auto code = [&](std::string_view name, std::uint32_t type, std::string_view unit, const Labels& labels = {}) {
        const auto made = metrics.make(name, type, unit, "", labels);
        return made ? std::string() : made.error().code;
    };
    for (const char* name : {"", "synod_", "synod_total", "test_blocks_total", "synod_Test_blocks_total",
                             "synod_test__total", "synod_test_blocks", "synod_test_bl-ocks_total"}) {
        CHECK_MESSAGE(code(name, SYNOD_METRIC_COUNTER, "") == "metrics.bad_name", name);
    }
    CHECK(code("synod_test_" + std::string(kMaxMetricNameBytes, 'a'), SYNOD_METRIC_GAUGE, "") == "metrics.bad_name");
    CHECK(code("synod_test_blocks_total", SYNOD_METRIC_GAUGE, "") == "metrics.bad_name");
    CHECK(code("synod_test_wait_ms", SYNOD_METRIC_GAUGE, "seconds") == "metrics.bad_unit");
    CHECK(code("synod_test_wait_ms", 4, "ms") == "metrics.type");
    CHECK(code("synod_test_wait_ms", SYNOD_METRIC_GAUGE, "ms", {{"Peer", "x"}}) == "metrics.bad_label");
    CHECK(code("synod_test_wait_ms", SYNOD_METRIC_GAUGE, "ms", {{"p", std::string(65, 'x')}}) == "metrics.bad_label");
    CHECK(code("synod_test_wait_ms", SYNOD_METRIC_GAUGE, "ms", Labels(5, {"p", "x"})) == "metrics.bad_label");
    CHECK(code("synod_test_wait_ms", SYNOD_METRIC_GAUGE, "ms").empty());
    CHECK(code("synod_test_wait_ms", SYNOD_METRIC_HISTOGRAM, "ms") == "metrics.type");
    for (std::size_t i = 1; i < kMaxMetrics; ++i) {
        REQUIRE(code("synod_test_n" + std::to_string(i) + "_ms", SYNOD_METRIC_GAUGE, "ms").empty());
    }
    CHECK(code("synod_test_more_ms", SYNOD_METRIC_GAUGE, "ms") == "metrics.too_many");
}

TEST_CASE("a plugin gets metrics under its alias, up to a bound, and none of the node's own") {
    Metrics metrics;
    MetricPort& port = metrics;
    const auto define = [&](const std::string& name, std::string_view who) {
        return port.define(name, SYNOD_METRIC_GAUGE, "ms", "h", who);
    };
    const auto one = define("synod_weighted_wait_ms", "one");
    const auto two = define("synod_weighted_wait_ms", "two");
    CHECK(one != 0);
    CHECK(two != 0);
    CHECK(one != two);
    port.set(two, 5);
    CHECK(page_of(metrics).ends_with("synod_weighted_wait_ms{plugin=\"one\"} 0\n"
                                     "synod_weighted_wait_ms{plugin=\"two\"} 5\n"));
    CHECK(define("synod_sync_wait_ms", "one") == 0);
    CHECK(define("weighted_wait_ms", "one") == 0);
    for (std::size_t i = 1; i < kMaxPluginMetrics; ++i) {
        REQUIRE(define("synod_weighted_w" + std::to_string(i) + "_ms", "one") != 0);
    }
    CHECK(define("synod_weighted_more_ms", "one") == 0);
    CHECK(define("synod_weighted_more_ms", "two") != 0);
}

TEST_CASE("counting from many threads loses nothing while others define and render") {
    Metrics metrics;
    const auto id = metrics.make("synod_test_blocks_total", SYNOD_METRIC_COUNTER, "", "h", {}).value();
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10'000; ++i) {
                metrics.add(id, 1);
                if (i % 500 == 0) {
                    metrics.add(metrics.make("synod_test_t" + std::to_string(t * 100 + i / 500) + "_ms",
                                               SYNOD_METRIC_GAUGE, "", "", {}).value(), 1);
                    CHECK(!page_of(metrics).empty());
                }
            }
        });
    }
    threads.clear();
    CHECK(page_of(metrics).starts_with("# HELP synod_test_blocks_total h\n# TYPE synod_test_blocks_total counter\n"
                                       "synod_test_blocks_total 40000\n"));
}

TEST_CASE("a plugin's metrics and what the fence counted of it are on the page") {
    Metrics metrics;
    HostServices services;
    services.metrics = &metrics;
    Registry registry(services);
    auto loaded = registry.load(std::string(HOST_PLUGINS) + "counting.so");
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().text()));
    auto* instance = registry.add(*loaded->front(), "odd", "{}", {true, std::chrono::hours(1)}).value();
    REQUIRE(registry.start());
    CHECK(instance->budget() == std::chrono::hours(1));
    std::int64_t out[2] = {};
    const std::int64_t* const* columns = nullptr;
    for (int i = 0; i < 3; ++i) {
        REQUIRE(call<&synod_scoring_api::score>(*instance, "score", std::uint32_t{0}, columns, std::uint64_t{2}, out));
    }
    MetricPage page;
    metrics.write(page);
    CHECK(page.text() == "# HELP synod_odd_calls_total scored\n# TYPE synod_odd_calls_total counter\n"
                         "synod_odd_calls_total{plugin=\"odd\"} 3\n"
                         "# HELP synod_odd_last_rows rows of the last call\n# TYPE synod_odd_last_rows gauge\n"
                         "synod_odd_last_rows{plugin=\"odd\"} 2\n");
    MetricPage figures;
    instance->failures = 2;
    instance->busy_ns = 1'500'000'000;
    write_plugin_figures(registry, figures);
    const std::string labels = "{plugin=\"odd\",kind=\"scoring\"} ";
    for (const auto& line : {"synod_plugin_active" + labels + "1\n",
                             "synod_plugin_calls_total" + labels + std::to_string(instance->calls()) + "\n",
                             "synod_plugin_failures_total" + labels + "2\n",
                             "synod_plugin_over_budget_total" + labels + "0\n",
                             "synod_plugin_busy_seconds_total" + labels + "1.5\n"}) {
        CHECK_MESSAGE(figures.text().find(line) != std::string::npos, line);
    }
    CHECK(instance->calls() >= 5);
}
