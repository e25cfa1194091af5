// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/plugins/support/entries.hpp"

#include <cmath>
#include <random>
#include <vector>

extern "C" const synod_entry synod_entry_v1_scoring_weighted;

namespace {

using namespace synod::testing;
constexpr int64_t kOne = synod::kQ32One;

struct Peer {
    int64_t latency_us, reliability, goodput, authority, history, reputation;
};

ScoreTable lay_out(const std::vector<Peer>& peers) {
    ScoreTable t(6, peers.size());
    for (size_t i = 0; i < peers.size(); ++i) {
        const Peer& p = peers[i];
        const int64_t values[] = {p.latency_us, p.reliability, p.goodput, p.authority, p.history, p.reputation};
        for (size_t c = 0; c < 6; ++c) {
            t.at(c, i) = values[c];
        }
    }
    return t;
}

std::vector<int64_t> score(Driver& d, const std::vector<Peer>& peers, uint32_t need = SYNOD_NEED_BLOCKS) {
    const ScoreTable t = lay_out(peers);
    std::vector<int64_t> out(peers.size() + 1, 0x55);
    const auto* api = d.table<synod_scoring_api>();
    REQUIRE(api != nullptr);
    REQUIRE(api->score(d.instance(), need, t.columns(), peers.size(), out.data(), d.fresh()) == SYNOD_OK);
    CHECK(out.back() == 0x55); // nothing past the rows
    out.pop_back();
    return out;
}

/// The formula of the specification in floating point, written without a look at the plugin's arithmetic.
double formula(const Peer& p) {
    const double ms = static_cast<double>(p.latency_us) / 1000.0;
    const double mb = static_cast<double>(p.goodput) / 1e6;
    const double unit = 4294967296.0;
    return .30 * ((1000.0 - std::fmin(ms, 1000.0)) / 1000.0) + .25 * static_cast<double>(p.reliability) / unit +
           .20 * (std::fmin(mb, 100.0) / 100.0) + .10 * (p.authority != 0 ? 1 : 0) +
           .10 * static_cast<double>(p.history) / unit + .05 * static_cast<double>(p.reputation) / unit;
}

void active(const synod_entry& entry, const char* config, void (*body)(Driver&)) {
    FakeHost host;
    Driver d(entry, host, config);
    REQUIRE(d.created());
    REQUIRE(d.activate() == SYNOD_OK);
    body(d);
    CHECK(d.stop() == SYNOD_OK);
}

} // namespace

TEST_CASE("the library exports its entry alone") { CHECK(plugin_test::exported_symbols() == "synod_entry_v1\n"); }

TEST_CASE("descriptor") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        plugin_test::check_descriptor(e, "synod.scoring.weighted", SYNOD_KIND_SCORING);
    });
}

TEST_CASE("scores are the formula's, to a few units of the last place") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        active(e, "{}", [](Driver& d) {
            std::mt19937_64 random(11);
            std::vector<Peer> peers;
            for (int i = 0; i < 1000; ++i) {
                const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
                peers.push_back({below(2'000'000), below(kOne + 1), below(200'000'000), below(2), below(kOne + 1),
                                 below(kOne + 1)});
            }
            const auto got = score(d, peers);
            for (size_t i = 0; i < peers.size(); ++i) {
                CHECK(std::fabs(static_cast<double>(got[i]) / 4294967296.0 - formula(peers[i])) < 2e-9);
            }
        });
    });
}

TEST_CASE("golden scores, bit for bit") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        active(e, "{}", [](Driver& d) {
            const auto got = score(d, {{0, kOne, 100'000'000, 1, kOne, kOne},
                                       {1'000'000, 0, 0, 0, 0, 0},
                                       {250'000, kOne / 2, 25'000'000, 0, kOne / 4, kOne},
                                       {-1, 0, 0, 1, 0, 0}});
            // 0.30 .25 .20 .10 .10 .05 as Q32.32 are 1288490189 1073741824 858993459 429496730 429496730 214748365
            CHECK(got[0] == 1288490189LL + 1073741824 + 858993459 + 429496730 + 429496730 + 214748365);
            CHECK(got[1] == 0);
            // The sum of the six exact products, rounded down once: 966367641.75 + 536870912 + 214748364.75 + ...
            CHECK(got[2] == 2040109466);
            CHECK(got[3] == 429496730);
        });
    });
}

TEST_CASE("every term alone is worth its weight, and measurements out of range are clamped") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        active(e, "{}", [](Driver& d) {
            constexpr int64_t kBad = 2'000'000; // microseconds
            const auto got = score(d, {{0, 0, 0, 0, 0, 0},
                                       {kBad, 5 * kOne, 0, 0, 0, 0},
                                       {kBad, 0, INT64_MAX, 0, 0, 0},
                                       {kBad, 0, 0, 7, 0, 0},
                                       {kBad, 0, 0, 0, INT64_MAX, 0},
                                       {INT64_MAX, 0, 0, 0, 0, INT64_MAX},
                                       {INT64_MIN, -5, INT64_MIN, 0, INT64_MIN, -1}});
            CHECK(got == std::vector<int64_t>{1288490189, 1073741824, 858993459, 429496730, 429496730, 214748365, 0});
        });
    });
}

TEST_CASE("a batch of any size scores each row by itself") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        active(e, "{}", [](Driver& d) {
            const Peer p{123'456, kOne / 3, 7'654'321, 1, kOne / 5, kOne / 7};
            const int64_t alone = score(d, {p})[0];
            for (const size_t n : {0u, 15u, 16u, 17u, 100u}) {
                CHECK(score(d, std::vector<Peer>(n, p)) == std::vector<int64_t>(n, alone));
            }
        });
    });
}

TEST_CASE("weights come from the configuration, also while running") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host, R"({"latency":0,"reliability":0,"bandwidth":2,"federation":0,"history":0,"reputation":0})");
        REQUIRE(d.activate() == SYNOD_OK);
        const std::vector<Peer> peers = {{0, kOne, 50'000'000, 1, kOne, kOne}};
        CHECK(score(d, peers)[0] == kOne);
        CHECK(d.reconfigure(R"({"latency":0,"reliability":0,"bandwidth":0,"federation":0,"history":0,"reputation":0})") ==
              SYNOD_E_CONFIG);
        CHECK(std::string(d.error().where) == "latency");
        CHECK(score(d, peers)[0] == kOne);
        CHECK(d.reconfigure(R"({"bandwidth":-1})") == SYNOD_E_CONFIG);
        CHECK(d.reconfigure("{}") == SYNOD_OK);
        CHECK(score(d, peers)[0] > 0);
        CHECK(score(d, peers)[0] < kOne);
        Driver bad(e, host, R"({"history":"much"})");
        CHECK(bad.status() == SYNOD_E_CONFIG);
        CHECK(std::string(bad.error().where) == "history");
    });
}

TEST_CASE("emphasis favours what the need asks for, and is off by default") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        active(e, R"({"need_emphasis":1})", [](Driver& d) {
            const std::vector<Peer> peers = {
                {0, 0, 0, 0, 0, 0}, {1'000'000, 0, 100'000'000, 0, 0, 0}, {1'000'000, kOne, 0, 0, 0, 0}};
            const auto headers = score(d, peers, SYNOD_NEED_HEADERS);
            const auto blocks = score(d, peers, SYNOD_NEED_BLOCKS);
            const auto checkpoint = score(d, peers, SYNOD_NEED_CHECKPOINT);
            CHECK((headers[0] > headers[1] && headers[0] > headers[2]));
            CHECK((blocks[1] > blocks[0] && blocks[1] > blocks[2]));
            CHECK((checkpoint[2] > checkpoint[0] && checkpoint[2] > checkpoint[1]));
        });
        active(e, "{}", [](Driver& d) {
            const std::vector<Peer> peers = {{10, 20, 30, 0, 40, 50}};
            CHECK(score(d, peers, SYNOD_NEED_HEADERS) == score(d, peers, SYNOD_NEED_CHECKPOINT));
        });
    });
}

TEST_CASE("explain gives the terms, and they add up to the score") {
    plugin_test::with_both(synod_entry_v1_scoring_weighted, [](const synod_entry& e) {
        active(e, "{}", [](Driver& d) {
            const ScoreTable t = lay_out({{9, 9, 9, 9, 9, 9}, {100'000, kOne / 2, 10'000'000, 1, kOne, kOne / 2}});
            MemorySink json;
            const auto* api = d.table<synod_scoring_api>();
            REQUIRE(api->explain(d.instance(), SYNOD_NEED_BLOCKS, t.columns(), 1, json.raw(), d.fresh()) == SYNOD_OK);
            const synod::Value v = synod::parse_json(json.text());
            CHECK(v.members().size() == 7);
            CHECK(v.at("latency").as_double() == doctest::Approx(0.27));
            CHECK(v.at("federation").as_double() == doctest::Approx(0.10));
            double sum = 0;
            for (const auto& [name, value] : v.members()) {
                sum += name == "score" ? 0 : value.as_double();
            }
            CHECK(std::fabs(sum - v.at("score").as_double()) < 1e-8);
            MemorySink full(10);
            CHECK(api->explain(d.instance(), 0, t.columns(), 1, full.raw(), d.fresh()) == SYNOD_E_BUSY);
            CHECK(api->score(d.instance(), 0, nullptr, 1, nullptr, d.fresh()) == SYNOD_E_INVALID);
        });
    });
}
