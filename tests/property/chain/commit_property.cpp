// SPDX-License-Identifier: Apache-2.0
//! Order and atomicity of commit: random batches with forks and forgeries go through the real
//! pipeline, keeper and writer into a real store, in a process that is killed at any moment or runs
//! out of disk. Whatever is left, the store holds a whole prefix of the chain and pointers into it.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <doctest/doctest.h>

#include "core/app/node/chain_keeper.hpp"
#include "core/app/runtime.hpp"
#include "tests/property/chain/history.hpp"

using namespace synod;
using namespace synod::testing;

namespace {

constexpr std::uint64_t kHistories = 3;
constexpr int kRounds = 9;  // of each: killed, out of disk or left in peace
constexpr std::size_t kTreeBlocks = 1'000;
constexpr int kDone = 0, kBroken = 3, kFull = 4;  // exit codes of the child; kFull: done, after a full disk

struct Round {
    std::uint64_t disk_bytes = 0;  // 0: enough
    std::uint32_t kill_after_us = 0;  // 0: never
};

class Scratch {
  public:
    Scratch() {
        auto name = (std::filesystem::temp_directory_path() / "synod-commit-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Scratch() { std::filesystem::remove_all(path); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::filesystem::path path;
};

//! Feeds the batches one after the other without waiting for the disk, as a sync does.
class Feeder {
  public:
    Feeder(app::Runtime& runtime, app::ChainKeeper& keeper, const std::vector<Batch>& batches)
        : runtime_(runtime), keeper_(keeper), batches_(batches) {}

    void next() {
        while (at_ < batches_.size()) {
            const auto& batch = batches_[at_++];
            const auto base = keeper_.state_of(batch.blocks.front().parent);
            if (base && keeper_.tree().find(batch.blocks.back().hash) == nullptr) {
                submit(batch, base);
                return;
            }
        }
        over_ = true;
    }
    [[nodiscard]] bool over() const { return over_; }
    bool stored_a_forgery = false;

  private:
    void submit(const Batch& batch, pipeline::State base) {
        Bytes run;
        for (const auto& block : batch.blocks) {
            run.insert(run.end(), block.bytes.begin(), block.bytes.end());
        }
        pipeline::BlocksJob job;
        job.from = batch.blocks.front().height;
        job.count = static_cast<std::uint32_t>(batch.blocks.size());
        job.parent = batch.blocks.front().parent;
        job.max_slot = ~0ull;
        job.base = std::move(base);
        job.sequence = false;
        job.pieces.push_back({SharedBytes(std::move(run)), {}});
        job.done = [this, good = batch.good](auto segment) {
            stored_a_forgery = stored_a_forgery || (segment && !good);
            if (segment) {
                keeper_.add(std::move(*segment), [](Result<void>) {});
            }
            next();
        };
        runtime_.pipeline().submit(std::move(job));
    }

    app::Runtime& runtime_;
    app::ChainKeeper& keeper_;
    const std::vector<Batch>& batches_;
    std::size_t at_ = 0;
    bool over_ = false;
};

//! [child] One life of a node's storing half. Returns its exit code, if it lives so long.
int live(const History& history, const std::filesystem::path& dir, const Round& round) {
    auto manifest = host::parse_manifest(
        "node: {name: t, data_dir: data, genesis: genesis.yaml}\nperformance: {validation_workers: 2}\n"
        "plugin_dir: " SYNOD_BINARY_DIR "/plugins\n",
        dir / "node.yaml");
    auto runtime = manifest ? app::Runtime::start(*manifest) : std::unexpected(manifest.error());
    auto options = history.options();
    options.max_bytes = round.disk_bytes;
    auto store = store::Store::open((dir / "data").string(), options);
    if (!runtime || !store) {
        std::fprintf(stderr, "%s\n", (runtime ? store.error() : runtime.error()).text().c_str());
        return kBroken;
    }
    auto& loop = (*runtime)->loop();
    int faults = 0;
    bool reload = false, conflict = false;
    app::ChainKeeper::Listener listener;
    listener.head = [](const chain::Pointer&, std::uint64_t) {};
    listener.committed = [](const chain::Pointer&, const chain::Pointer&) {};
    listener.store_fault = [&](const Error&) { reload = ++faults < 4; };
    listener.chain_fault = [&](const Error&) { conflict = true; };
    listener.proven = [](const pipeline::ChainSegment&) {};
    app::ChainKeeper keeper((*runtime)->pipeline(), **store, kTreeBlocks, listener);
    if (auto loaded = keeper.load(); !loaded) {
        return loaded.error().code == "store.disk_full" ? kFull : kBroken;
    }
    auto feeder = std::make_unique<Feeder>(**runtime, keeper, history.batches());
    {
        app::Writer writer(**store, [&loop](std::function<void()> task) { loop.post(std::move(task)); });
        keeper.attach(writer);
        std::jthread killer;
        if (round.kill_after_us != 0) {
            killer = std::jthread([&round] {
                ::usleep(round.kill_after_us);
                ::kill(::getpid(), SIGKILL);
            });
        }
        loop.post([&] { feeder->next(); });
        loop.run([&] {
            if (!feeder->over() || !keeper.idle()) {
                return;
            }
            if (reload && keeper.reload()) {  // what was not stored is fed again
                reload = false;
                feeder = std::make_unique<Feeder>(**runtime, keeper, history.batches());
                feeder->next();
                return;
            }
            loop.quit();
        });
        if (killer.joinable()) {
            killer.join();
        }
    }
    return conflict || feeder->stored_a_forgery ? kBroken : faults > 0 ? kFull : kDone;
}

int in_child(const History& history, const std::filesystem::path& dir, const Round& round) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(live(history, dir, round));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("killed at any moment or out of disk, the store holds a prefix and pointers into it") {
    int killed = 0, full = 0;
    for (std::uint64_t seed = 1; seed <= kHistories; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const History history(seed);
        const Scratch scratch;
        std::ofstream(scratch.path / "genesis.yaml") << history.genesis_yaml();
        std::filesystem::create_directory(scratch.path / "data");
        std::uint64_t committed = 0;
        for (int i = 0; i < kRounds; ++i) {
            CAPTURE(i);
            Round round;
            if (i % 2 == 0) {
                round.disk_bytes = 50'000 + random() % 60'000;
            }
            if (i % 3 != 0) {
                round.kill_after_us = 200 + static_cast<std::uint32_t>(random() % 30'000);
            }
            if (i + 1 == kRounds) {
                round = {};
            }
            const int code = in_child(history, scratch.path, round);
            killed += code == -SIGKILL ? 1 : 0;
            full += code == kFull ? 1 : 0;
            REQUIRE((code == kDone || code == kFull || code == -SIGKILL));
            auto store = store::Store::open((scratch.path / "data").string(), history.options());
            REQUIRE_MESSAGE(store.has_value(), store.error().text());
            const auto before = committed;
            CHECK(history.wrong_with(**store, committed) == "");
            CHECK(committed >= before);
        }
        // In peace at last, all of it is there.
        auto store = store::Store::open((scratch.path / "data").string(), history.options());
        REQUIRE(store);
        const auto held = (*store)->load();
        REQUIRE(held);
        REQUIRE(held->head);
        CHECK((held->head->hash == history.last().hash));
        CHECK(held->head->height == history.last().height);
    }
    MESSAGE("killed " << killed << ", out of disk " << full << " of " << kHistories * kRounds);
    CHECK(killed > 0);
    CHECK(full > 0);
}
