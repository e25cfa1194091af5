// SPDX-License-Identifier: Apache-2.0
//! The real `aimd` plugin, loaded as the shared library that operators run, moves the settings.
#include "core/app/node/tuner.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace synod;
using namespace synod::app;
using namespace std::chrono_literals;

namespace {

struct Bench {
    host::Registry registry{host::HostServices{}};
    std::deque<std::function<void()>> strand, loop;
    std::vector<sync::Tune> applied;
    std::vector<PluginFault> faults;
    Machine machine;
    std::unique_ptr<Tuner> tuner;
    sync::Snapshot snapshot;
    Instant now{1h};
    Duration latency{};

    explicit Bench(sync::TuneLevel level = sync::TuneLevel::balanced) {
        const auto loaded =
            registry.load(std::string(SYNOD_BINARY_DIR) + "/plugins/synod-optimizer-aimd.so");
        REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().text()));
        auto* optimizer = *registry.add(*loaded->front(), "optimizer");
        REQUIRE(registry.start());
        tuner = std::make_unique<Tuner>(
            optimizer, sync::Tuning({}, level, {}),
            [this](auto task) { strand.push_back(std::move(task)); },
            [this](auto task) { loop.push_back(std::move(task)); },
            [this](const sync::Tune& tune) { applied.push_back(tune); }, [](const std::string&) {},
            [this](PluginFault fault) { faults.push_back(std::move(fault)); }, machine);
        snapshot.state = sync::State::downloading_blocks;
    }
    ~Bench() {
        tuner.reset();
        registry.stop(0s);
    }
    //! One interval in which `blocks` were stored.
    void interval(std::uint64_t blocks) {
        now += kTuneEvery;
        snapshot.head.height += blocks;
        tuner->tick(snapshot, [this] { return Flow{{latency}, 100, 0}; }, now);
        for (auto* queue : {&strand, &loop}) {
            while (!queue->empty()) {
                queue->front()();
                queue->pop_front();
            }
        }
    }
};

}  // namespace

TEST_CASE("tuner: while the target is missed the plugin's step is tried and kept") {
    Bench bench;
    bench.interval(10'000);  // begins to measure
    CHECK(bench.applied.empty());
    bench.interval(10'000);  // 2,000 blocks/s of 10,000 wanted
    REQUIRE(bench.applied.size() == 1);
    CHECK(*bench.applied[0].parallel_downloads > 16);
    CHECK(bench.tuner->status().proposals == 1);
    bench.interval(30'000);
    CHECK(bench.tuner->status().kept == 1);
    CHECK(bench.applied.size() == 1);
}

TEST_CASE("tuner: what made it slower is taken back") {
    Bench bench;
    bench.interval(10'000);
    bench.interval(30'000);
    REQUIRE(bench.applied.size() == 1);
    bench.interval(5'000);
    REQUIRE(bench.applied.size() == 2);
    CHECK(*bench.applied[1].parallel_downloads == 16);
    CHECK(bench.tuner->status().reverted == 1);
}

TEST_CASE("tuner: above the target, at rest, or disabled nothing moves") {
    Bench fast;
    fast.interval(100'000);
    fast.interval(100'000);
    CHECK(fast.applied.empty());

    Bench rest;
    rest.snapshot.state = sync::State::synced;
    for (int i = 0; i < 4; ++i) {
        rest.interval(2);
    }
    CHECK(rest.applied.empty());

    Bench off(sync::TuneLevel::disabled);
    CHECK_FALSE(off.tuner->due(off.now + 1h));
    off.interval(10);
    off.interval(10);
    CHECK(off.applied.empty());
}

TEST_CASE("tuner: a trial isn't judged by another phase, and near the tip a block's latency counts") {
    Bench bench;
    bench.interval(10'000);
    bench.interval(10'000);
    REQUIRE(bench.applied.size() == 1);
    bench.snapshot.state = sync::State::catching_up;
    bench.interval(1);  // far slower, but not the same work
    CHECK(bench.applied.size() == 1);
    CHECK(bench.tuner->status().reverted == 0);
    const auto before = *bench.applied[0].parallel_downloads;
    bench.latency = 500ms;
    bench.interval(1);
    REQUIRE(bench.applied.size() == 2);
    CHECK(*bench.applied[1].parallel_downloads < before);
}

TEST_CASE("tuner: a plugin that fails is named, and the settings stay") {
    Bench bench;
    bench.interval(10'000);
    bench.registry.stop(0s);
    bench.interval(10'000);
    CHECK(bench.applied.empty());
    CHECK(bench.tuner->status().problem.find("wrong_state") != std::string::npos);
}

TEST_CASE("tuner: a plugin that fails again and again isn't asked any more, and the settings stay") {
    Bench bench;
    bench.interval(10'000);
    bench.registry.stop(0s);
    for (std::uint32_t i = 1; i < kFailuresToIsolate; ++i) {
        bench.interval(10'000);
    }
    CHECK(bench.faults.empty());
    CHECK(bench.tuner->due(bench.now + kTuneEvery));
    bench.interval(10'000);
    REQUIRE(bench.faults.size() == 1);
    CHECK(bench.faults[0].alias == "optimizer");
    CHECK(bench.faults[0].call == "optimizer.propose");
    CHECK_FALSE(bench.tuner->due(bench.now + 1h));
    CHECK(bench.applied.empty());
}
