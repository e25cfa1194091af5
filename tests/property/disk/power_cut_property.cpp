// SPDX-License-Identifier: Apache-2.0
//! Random commits on a simulated disk that is stopped inside random operations: what was promised
//! is there, what is there is one whole state that was committed, and it is sound.
#include <doctest/doctest.h>

#include <map>

#include "core/sim/random.hpp"
#include "core/sim/disk/sim_disk.hpp"
#include "core/store/signer_store.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace synod;
using namespace synod::store;
using namespace synod::store::test;
using sim::Random;
using sim::SimDisk;
using sim::Stop;

namespace {

constexpr const char* kDir = "/node";
constexpr std::size_t kBlockBytes = 90;

StoreOptions on(const SimDisk& disk, Synchronous synchronous) {
    auto out = options();
    out.vfs = disk.vfs();
    out.synchronous = synchronous;
    return out;
}

//! What a commit leaves: who wrote the block at each height.
struct State {
    std::uint64_t number = 0;
    std::vector<std::uint64_t> writers;
};

Commit change_of(State& state, Random& random) {
    Commit out;
    if (random.one_in(8) && state.writers.size() > 1) {
        out.truncate_from = 1 + random.below(state.writers.size());
        state.writers.resize(std::min<std::size_t>(*out.truncate_from, state.writers.size()));
    }
    const auto count = random.one_in(12) ? 1 + random.below(1500) : 1 + random.below(30);
    out.runs.push_back(run_of(state.writers.size(), count, kBlockBytes, state.number));
    state.writers.resize(state.writers.size() + count, state.number);
    const auto last = state.writers.size() - 1;
    out.head = out.committed = ChainPointer{last, hash_of(last, state.number)};
    out.committed_state = block_of(state.number, 1 + random.below(3000));
    out.put_records = {{"commit", {1}, Bytes(8)}};
    std::memcpy(out.put_records[0].value.data(), &state.number, 8);
    return out;
}

std::uint64_t number_of(Store& store) {
    const auto value = store.get_record("commit", {1});
    REQUIRE(value);
    std::uint64_t out = 0;
    if (*value) {
        std::memcpy(&out, (*value)->data(), 8);
    }
    return out;
}

void agree(Store& store, const State& state) {
    const auto loaded = store.load();
    REQUIRE(loaded);
    REQUIRE(loaded->packed_count == state.writers.size());
    CHECK(loaded->head == loaded->last_packed);
    const auto range = store.read_range(0, 1U << 20U, 64U << 20U, 64U << 20U);
    REQUIRE(range);
    std::uint64_t height = 0;
    bool same = true;
    for (const auto& part : range->parts) {
        std::uint32_t start = 0;
        for (const auto end : part.ends) {
            same = same && equal(part.bytes.view.subspan(start, end - start),
                                 block_of(height, kBlockBytes, state.writers[height]));
            start = end;
            ++height;
        }
    }
    CHECK(same);
    const auto report = store.check();
    REQUIRE(report);
    CHECK(report->sound());
}

//! One disk's life: commits and stops until `rounds` stops have passed.
void live(std::uint64_t seed, Synchronous synchronous, std::uint32_t sync_error_one_in,
          int rounds) {
    CAPTURE(seed);
    Random random(seed);
    SimDisk disk(seed);
    std::map<std::uint64_t, State> possible{{0, {}}};
    std::uint64_t promised = 0;
    std::uint64_t numbers = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto how = random.one_in(4) ? Stop::kill : Stop::power;
        {
            auto store = Store::open(kDir, on(disk, synchronous));
            if (!store) {
                FAIL(store.error().message << " " << store.error().where);
            }
            const auto found = number_of(**store);
            REQUIRE(possible.contains(found));
            CHECK(found >= promised);
            auto now = possible[found];
            agree(**store, now);
            possible = {{found, now}};
            promised = found;  // opening syncs what it found
            disk.set_faults({.sync_error_one_in = sync_error_one_in});
            disk.stop_after(1 + random.below(120), how);
            while (!disk.stopped()) {
                State next = now;
                next.number = ++numbers;
                const auto change = change_of(next, random);
                const auto done = (*store)->commit(change);
                possible[next.number] = next;  // a refused one may come back after a stop
                if (done) {
                    now = next;
                    promised = synchronous == Synchronous::full || how == Stop::kill ? next.number
                                                                                     : promised;
                } else if (!disk.stopped()) {
                    REQUIRE(done.error().code == "store.io");
                    CHECK(number_of(**store) == now.number);
                }
            }
            disk.set_faults({});
        }
        disk.start();
    }
}

}  // namespace

TEST_CASE("disk: with synchronous=full every commit that returned survives any power cut") {
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        live(seed, Synchronous::full, 0, 12);
    }
}

TEST_CASE("disk: with synchronous=normal a power cut loses the newest commits at most") {
    for (std::uint64_t seed = 101; seed <= 124; ++seed) {
        live(seed, Synchronous::normal, 0, 12);
    }
}

TEST_CASE("disk: a commit whose sync failed is refused, and takes no earlier one with it") {
    for (std::uint64_t seed = 201; seed <= 224; ++seed) {
        live(seed, Synchronous::full, 6, 12);
    }
}

TEST_CASE("disk: what a failed sync left in the log is made safe before anything is built on it") {
    int came_back = 0;
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        CAPTURE(seed);
        SimDisk disk(seed);
        const auto options = on(disk, Synchronous::full);
        {
            auto store = Store::open(kDir, options);
            REQUIRE(store);
            REQUIRE((*store)->commit(commit_of(0, 10, kBlockBytes)));
            disk.set_faults({.sync_error_one_in = 1});
            CHECK((*store)->commit(commit_of(10, 10, kBlockBytes)).error().code == "store.io");
            disk.stop(Stop::kill);
        }
        disk.set_faults({});
        disk.start();
        std::uint64_t count = 0;
        {
            auto store = Store::open(kDir, options);
            REQUIRE(store);
            count = (*store)->load()->packed_count;
            came_back += count == 20 ? 1 : 0;
            REQUIRE((*store)->commit(commit_of(count, 10, kBlockBytes)));
            disk.stop(Stop::power);
        }
        disk.start();
        auto store = Store::open(kDir, options);
        REQUIRE(store);
        CHECK(holds_chain(**store, count + 10, kBlockBytes));
    }
    CHECK(came_back > 0);
}

TEST_CASE("disk: a power cut within the making of a store leaves none or a whole one") {
    int whole = 0;
    std::uint64_t steps = 0;
    for (std::uint64_t seed = 0; whole < 20; ++seed) {
        const auto step = 1 + seed / 20;  // each step of it with 20 seeds
        SimDisk disk(seed);
        disk.stop_after(step, Stop::power);
        const bool made = Store::open(kDir, on(disk, Synchronous::normal)).has_value();
        whole = made ? whole + 1 : 0;
        steps = std::max(steps, step);
        disk.start();
        auto store = Store::open(kDir, on(disk, Synchronous::normal));
        CAPTURE(seed);
        REQUIRE(store);
        agree(**store, {});
    }
    CHECK(steps > 10);
}

TEST_CASE("disk: a signer never forgets what it was allowed to sign") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        SimDisk disk(seed);
        PublicKey key;
        std::uint64_t slot = 0;
        std::uint64_t promised = 0;
        for (int round = 0; round < 8; ++round) {
            disk.stop_after(1 + random.below(90), Stop::power);
            if (auto signer = SignerStore::open(kDir, true, disk.vfs())) {
                const auto found = (*signer)->load(key);
                if (found && *found) {
                    CHECK((*found)->last_approved_slot >= promised);
                    CHECK((*found)->last_approved_slot <= slot);
                } else {
                    CHECK((promised == 0 || disk.stopped()));
                }
                while (!disk.stopped()) {
                    ++slot;
                    if ((*signer)->record_approval(key, slot, slot, hash_of(slot))) {
                        promised = slot;
                    }
                }
            }
            disk.stop(Stop::power);
            disk.start();
        }
        CHECK(slot > 0);
    }
}
