// SPDX-License-Identifier: Apache-2.0
//! Scores of the real `weighted` plugin, loaded as the shared library that operators run.
#include "core/app/node/peer_ranker.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace synod;
using namespace synod::app;
using namespace std::chrono_literals;

namespace {

constexpr Instant kNow{1h};

PublicKey key(std::uint8_t n) {
    PublicKey out;
    out.data.fill(n);
    return out;
}

//! Strand and control loop by hand, so that the test says when what runs.
struct Bench {
    host::Registry registry{host::HostServices{}};
    host::Instance* scoring = nullptr;
    std::deque<std::function<void()>> strand, loop;
    std::vector<std::vector<std::pair<sync::PeerId, double>>> weights;
    std::vector<PluginFault> faults;
    std::unique_ptr<PeerRanker> ranker;

    Bench() {
        const auto loaded =
            registry.load(std::string(SYNOD_BINARY_DIR) + "/plugins/synod-scoring-weighted.so");
        REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().text()));
        scoring = *registry.add(*loaded->front(), "scoring");
        REQUIRE(registry.start());
        ranker = std::make_unique<PeerRanker>(
            scoring, [this](auto task) { strand.push_back(std::move(task)); },
            [this](auto task) { loop.push_back(std::move(task)); },
            [this](auto w) { weights.push_back(std::move(w)); },
            [this](PluginFault fault) { faults.push_back(std::move(fault)); });
    }
    ~Bench() {
        ranker.reset();
        registry.stop(0s);
    }
    void run() {
        for (auto* queue : {&strand, &loop}) {
            while (!queue->empty()) {
                queue->front()();
                queue->pop_front();
            }
        }
    }
    std::vector<RankedPeer> two() {
        return {{1, key(1), {}}, {2, key(2), {}}};
    }
};

}  // namespace

TEST_CASE("ranker: who answers fast and well gets the larger weight, with its terms") {
    Bench bench;
    for (int i = 0; i < 50; ++i) {
        bench.ranker->of(key(1)).round_trip(5ms);
        bench.ranker->of(key(1)).answered(10'000'000, 100ms);
        bench.ranker->of(key(2)).round_trip(900ms);
        bench.ranker->of(key(2)).failed();
    }
    bench.ranker->rank(bench.two(), kNow);
    bench.run();
    REQUIRE(bench.weights.size() == 1);
    REQUIRE(bench.weights[0].size() == 2);
    CHECK(bench.weights[0][0].first == 1);
    CHECK(bench.weights[0][0].second > 2 * bench.weights[0][1].second);
    CHECK(bench.weights[0][1].second > 0);
    REQUIRE(bench.ranker->score(key(1)));
    CHECK(bench.ranker->score(key(1))->terms.find("latency") != std::string::npos);
    CHECK_FALSE(bench.ranker->score(key(3)));
    CHECK(bench.ranker->problem().empty());
}

TEST_CASE("ranker: one question at a time, and not too often") {
    Bench bench;
    bench.ranker->rank(bench.two(), kNow);
    CHECK_FALSE(bench.ranker->due(kNow + 1h));  // unanswered
    bench.ranker->rank(bench.two(), kNow + 1h);
    CHECK(bench.strand.size() == 1);
    bench.run();
    CHECK_FALSE(bench.ranker->due(kNow + kRankEvery - 1ns));
    CHECK(bench.ranker->due(kNow + kRankEvery));
}

TEST_CASE("ranker: a plugin that fails leaves the weights as they were") {
    Bench bench;
    bench.ranker->rank(bench.two(), kNow);
    bench.run();
    REQUIRE(bench.weights.size() == 1);
    bench.registry.stop(0s);
    bench.ranker->rank(bench.two(), kNow + kRankEvery);
    bench.run();
    CHECK(bench.weights.size() == 1);
    CHECK(bench.ranker->problem().find("wrong_state") != std::string::npos);
    CHECK(bench.ranker->score(key(1)));
}

TEST_CASE("ranker: a plugin that fails again and again isn't asked any more, and then all weigh the same") {
    Bench bench;
    auto now = kNow;
    const auto ask = [&] {
        now += kRankEvery;
        bench.ranker->rank(bench.two(), now);
        bench.run();
    };
    bench.ranker->of(key(1)).answered(10'000'000, 100ms);
    ask();
    REQUIRE(bench.weights.size() == 1);
    CHECK(bench.weights[0][0].second != bench.weights[0][1].second);
    bench.registry.stop(0s);
    for (std::uint32_t i = 1; i < kFailuresToIsolate; ++i) {
        ask();
    }
    CHECK(bench.faults.empty());
    CHECK(bench.ranker->due(now + kRankEvery));
    ask();
    REQUIRE(bench.faults.size() == 1);
    CHECK(bench.faults[0].alias == "scoring");
    CHECK(bench.faults[0].call == "scoring.score");
    CHECK(bench.faults[0].reason.find("wrong_state") != std::string::npos);
    CHECK_FALSE(bench.ranker->due(now + 1h));
    REQUIRE(bench.weights.size() == 2);
    CHECK(bench.weights[1] == std::vector<std::pair<sync::PeerId, double>>{{1, 1.0}, {2, 1.0}});
    CHECK_FALSE(bench.ranker->score(key(1)));
}

TEST_CASE("ranker: an answer that comes after its end reaches nobody") {
    Bench bench;
    bench.ranker->rank(bench.two(), kNow);
    bench.ranker.reset();
    bench.run();
    CHECK(bench.weights.empty());
}

TEST_CASE("ranker: without a plugin there is nothing to ask") {
    PeerRanker ranker(nullptr, {}, {}, {}, {});
    CHECK_FALSE(ranker.due(kNow));
    ranker.rank({{1, key(1), {}}}, kNow);
    CHECK_FALSE(ranker.score(key(1)));
}
