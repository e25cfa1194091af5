// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/plugins/support/entries.hpp"

#include <random>
#include <vector>

extern "C" const synod_entry synod_entry_v1_optimizer_aimd;

namespace {

using namespace synod::testing;
using Signals = std::array<int64_t, SYNOD_SIG_COUNT>;

/// All is well: targets are set, throughput is below its own.
Signals calm() {
    Signals s{};
    s[SYNOD_SIG_THROUGHPUT_BPS] = 10;
    s[SYNOD_SIG_TARGET_BPS] = 1000;
    s[SYNOD_SIG_LATENCY_P99_US] = 100;
    s[SYNOD_SIG_TARGET_LATENCY_US] = 1000;
    s[SYNOD_SIG_MEMORY_BYTES] = 100;
    s[SYNOD_SIG_MEMORY_LIMIT] = 1000;
    return s;
}
std::vector<synod_knob> knobs() {
    std::vector<synod_knob> out;
    for (uint32_t id = SYNOD_KNOB_BATCH_BLOCKS; id <= SYNOD_KNOB_CHECKPOINT_INTERVAL; ++id) {
        out.push_back({id, 0, 8, 4096, 8, 512, 1024});
    }
    return out;
}
std::vector<int64_t> propose(Driver& d, const Signals& s, const std::vector<synod_knob>& k) {
    std::vector<int64_t> out(k.size() + 1, -77);
    const auto* api = d.table<synod_optimizer_api>();
    REQUIRE(api->propose(d.instance(), s.data(), s.size(), k.data(), k.size(), out.data(), d.fresh()) == SYNOD_OK);
    CHECK(out.back() == -77);
    out.pop_back();
    return out;
}
void feedback(Driver& d, bool kept) {
    REQUIRE(d.table<synod_optimizer_api>()->feedback(d.instance(), 100, kept ? 90 : 120, kept ? 1 : 0, d.fresh()) ==
            SYNOD_OK);
}
size_t raised(const std::vector<synod_knob>& k, const std::vector<int64_t>& p) {
    size_t n = 0;
    for (size_t i = 0; i < k.size(); ++i) {
        n += p[i] > k[i].value ? 1 : 0;
    }
    return n;
}
constexpr size_t kInterval = SYNOD_KNOB_CHECKPOINT_INTERVAL - 1, kWorkers = SYNOD_KNOB_WORKERS - 1;

} // namespace

TEST_CASE("the library exports its entry alone") { CHECK(plugin_test::exported_symbols() == "synod_entry_v1\n"); }

TEST_CASE("descriptor") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        plugin_test::check_descriptor(e, "synod.optimizer.aimd", SYNOD_KIND_OPTIMIZER);
    });
}

TEST_CASE("while all is well, knobs rise by the level's part of the largest change") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        const std::pair<const char*, int64_t> kCases[] = {
            {"disabled", 0}, {"conservative", 128}, {"balanced", 256}, {"aggressive", 512}};
        for (const auto& [level, rise] : kCases) {
            CAPTURE(level);
            FakeHost host;
            Driver d(e, host, R"({"level":")" + std::string(level) + "\"}");
            const auto p = propose(d, calm(), knobs());
            for (size_t i = 0; i < p.size(); ++i) {
                CHECK(p[i] == 1024 + (i == kInterval ? 0 : rise));
            }
        }
    });
}

TEST_CASE("after pressure one knob rises a round") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host);
        const auto k = knobs();
        Signals slow = calm();
        slow[SYNOD_SIG_LATENCY_P99_US] = 1001;
        CHECK(raised(k, propose(d, calm(), k)) == 6);
        CHECK(raised(k, propose(d, slow, k)) == 0);
        CHECK(raised(k, propose(d, calm(), k)) == 1);
    });
}

TEST_CASE("pressure cuts back what causes it") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host);
        const auto k = knobs();
        Signals slow = calm(), fat = calm(), failing = calm();
        slow[SYNOD_SIG_LATENCY_P99_US] = 1001;
        fat[SYNOD_SIG_MEMORY_BYTES] = 1001;
        failing[SYNOD_SIG_ERROR_RATE] = synod::kQ32One / 10;
        constexpr int64_t kCut = 640; // 5/8 of 1024
        const auto for_latency = propose(d, slow, k);
        for (size_t i = 0; i < k.size(); ++i) {
            CHECK(for_latency[i] == (i == kInterval ? 1024 : kCut));
        }
        const auto for_memory = propose(d, fat, k);
        CHECK(for_memory[kWorkers] == 1024);
        CHECK(for_memory[SYNOD_KNOB_WINDOW_BYTES - 1] == kCut);
        const auto for_errors = propose(d, failing, k);
        CHECK(for_errors[SYNOD_KNOB_REQUESTS_PER_PEER - 1] == kCut);
        CHECK(for_errors[SYNOD_KNOB_BATCH_BLOCKS - 1] == 1024);
    });
}

TEST_CASE("a target or limit of 0 means none, and a reached target asks for nothing") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host);
        Signals s = calm();
        s[SYNOD_SIG_TARGET_LATENCY_US] = 0;
        s[SYNOD_SIG_MEMORY_LIMIT] = 0;
        s[SYNOD_SIG_LATENCY_P99_US] = s[SYNOD_SIG_MEMORY_BYTES] = INT64_MAX;
        CHECK(raised(knobs(), propose(d, s, knobs())) == 6);
        s[SYNOD_SIG_THROUGHPUT_BPS] = 1000;
        CHECK(raised(knobs(), propose(d, s, knobs())) == 0);
        const auto k = knobs();
        std::vector<int64_t> out(k.size());
        CHECK(d.table<synod_optimizer_api>()->propose(d.instance(), nullptr, 0, k.data(), k.size(), out.data(),
                                                      d.fresh()) == SYNOD_OK); // a host with fewer signals
    });
}

TEST_CASE("after a setback one knob rises a round, and one that was taken back rests") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host, R"({"level":"balanced"})");
        const auto k = knobs();
        REQUIRE(raised(k, propose(d, calm(), k)) == 6);
        feedback(d, false); // all six rest for four proposals
        for (int round = 0; round < 4; ++round) {
            CHECK(raised(k, propose(d, calm(), k)) == 0);
        }
        const auto first = propose(d, calm(), k);
        CHECK(raised(k, first) == 1);
        CHECK(first[0] > k[0].value);
        feedback(d, true);
        const auto second = propose(d, calm(), k);
        CHECK(raised(k, second) == 1);
        CHECK(second[1] > k[1].value);
        feedback(d, false); // knob 2 rests: the next five rises leave it out
        for (int round = 0; round < 4; ++round) {
            const auto p = propose(d, calm(), k);
            CHECK(raised(k, p) == 1);
            CHECK(p[1] == k[1].value);
            feedback(d, true);
        }
    });
}

TEST_CASE("proposals stay inside bounds, grid and largest change, whatever comes") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        std::mt19937_64 random(5);
        FakeHost host;
        Driver d(e, host, R"({"level":"aggressive"})");
        const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
        for (int round = 0; round < 2000; ++round) {
            Signals s = calm();
            for (int64_t& v : s) {
                v = below(4) == 0 ? below(3000) : v;
            }
            std::vector<synod_knob> k;
            const int64_t n = below(9);
            for (int64_t i = 0; i < n; ++i) {
                const int64_t step = 1 + below(64), min = below(1000) * step, max = min + below(1000) * step;
                k.push_back({static_cast<uint32_t>(below(40)), 0, min, max, step, below(50) * step,
                             min + below((max - min) / step + 1) * step});
            }
            const auto p = propose(d, s, k);
            for (size_t i = 0; i < k.size(); ++i) {
                CHECK((p[i] >= k[i].min && p[i] <= k[i].max && (p[i] - k[i].min) % k[i].step == 0));
                CHECK((k[i].max_delta == 0 || std::abs(p[i] - k[i].value) <= k[i].max_delta));
            }
            feedback(d, below(2) == 0);
        }
        const synod_knob huge{SYNOD_KNOB_WINDOW_BYTES, 0, 0, INT64_MAX, 1, INT64_MAX, INT64_MAX - 1};
        CHECK(propose(d, calm(), {huge})[0] >= 0);
    });
}

TEST_CASE("against a link with a knee it settles near the knee") {
    plugin_test::with_both(synod_entry_v1_optimizer_aimd, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host);
        std::vector<synod_knob> k = {{SYNOD_KNOB_PARALLEL_DOWNLOADS, 0, 1, 128, 1, 8, 2}};
        constexpr int64_t kKnee = 40; // more downloads than this only wait
        int64_t sum = 0;
        for (int round = 0; round < 120; ++round) {
            Signals s = calm();
            s[SYNOD_SIG_LATENCY_P99_US] = k[0].value <= kKnee ? 500 : 500 * k[0].value / kKnee + 600;
            k[0].value = propose(d, s, k)[0];
            feedback(d, true);
            sum += round >= 60 ? k[0].value : 0;
        }
        CHECK(sum / 60 > kKnee * 7 / 10);
        CHECK(sum / 60 < kKnee * 12 / 10);
    });
}

TEST_CASE("an unknown level is refused with its key") {
    FakeHost host;
    Driver d(synod_entry_v1_optimizer_aimd, host, R"({"level":"reckless"})");
    CHECK(d.status() == SYNOD_E_CONFIG);
    CHECK(std::string(d.error().where) == "level");
}
