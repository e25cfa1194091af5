// SPDX-License-Identifier: Apache-2.0
//! A disk that is full, does not read or decays: refused with the right code, undone by what undoes
//! it, and nothing wrong is ever handed out.
#include <doctest/doctest.h>

#include "core/sim/random.hpp"
#include "core/sim/disk/sim_disk.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace synod;
using namespace synod::store;
using namespace synod::store::test;
using sim::Random;
using sim::SimDisk;
using sim::Stop;

namespace {

constexpr const char* kDir = "/node";
constexpr const char* kFile = "/node/synod.db";
constexpr std::size_t kBlockBytes = 120;

StoreOptions on(const SimDisk& disk) {
    auto out = options();
    out.vfs = disk.vfs();
    return out;
}

}  // namespace

TEST_CASE("disk: a full disk refuses the commit whole, and takes the next when there is space") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        SimDisk disk(seed);
        auto store = Store::open(kDir, on(disk));
        REQUIRE(store);
        std::uint64_t count = 0;
        int refused = 0;
        for (int i = 0; i < 60; ++i) {
            disk.set_capacity(i % 12 < 6 ? 0 : disk.used() + random.below(200'000));
            const auto more = 1 + random.below(600);
            const auto done = (*store)->commit(commit_of(count, more, kBlockBytes));
            if (done) {
                count += more;
            } else {
                CHECK(done.error().code == "store.disk_full");
                CHECK_FALSE(done.error().hint.empty());
                ++refused;
            }
            CHECK((*store)->load()->packed_count == count);
        }
        CHECK(refused > 0);
        CHECK(refused < 31);
        // Full, and the power goes: it opens nevertheless once there is space for its log.
        disk.set_capacity(disk.used() + 1000);
        (void)(*store)->commit(commit_of(count, 500, kBlockBytes));
        disk.stop(Stop::kill);
        store->reset();
        disk.start();
        disk.set_capacity(0);
        store = Store::open(kDir, on(disk));
        REQUIRE(store);
        CHECK(holds_chain(**store, count, kBlockBytes));
        CHECK((*store)->check()->sound());
    }
}

TEST_CASE("disk: what can't be read is store.io; what can is right; it passes with its cause") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        SimDisk disk(seed);
        constexpr std::uint64_t kCount = 5000;
        REQUIRE((*Store::open(kDir, on(disk)))->commit(commit_of(0, kCount, kBlockBytes)));
        int failed = 0;
        for (int i = 0; i < 10; ++i) {
            disk.set_faults({.read_error_one_in = 20});
            auto store = Store::open(kDir, on(disk));
            if (!store) {
                CHECK(store.error().code == "store.io");
                ++failed;
                continue;
            }
            for (std::uint64_t h = 0; h < kCount; h += 333) {
                const auto block = (*store)->read_block(h);
                if (block) {
                    CHECK(equal(block->view, block_of(h, kBlockBytes)));
                } else {
                    CHECK(block.error().code == "store.io");
                    ++failed;
                }
            }
            disk.set_faults({});
            CHECK(holds_chain(**store, kCount, kBlockBytes));
        }
        CHECK(failed > 0);
    }
}

TEST_CASE("disk: a decayed bit is refused, reported or harmless, and never served") {
    int reported = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        SimDisk disk(seed);
        constexpr std::uint64_t kCount = 3000;
        REQUIRE((*Store::open(kDir, on(disk)))->commit(commit_of(0, kCount, kBlockBytes)));
        REQUIRE(disk.damage(kFile));
        auto store = Store::open(kDir, on(disk));
        if (!store) {
            CHECK(store.error().code == "store.corrupt");
            ++reported;
            continue;
        }
        const auto report = (*store)->check();
        if (report && report->sound()) {
            CHECK(holds_chain(**store, kCount, kBlockBytes));
            continue;
        }
        ++reported;
        for (std::uint64_t h = 0; h < kCount; h += 61) {
            const auto block = (*store)->read_block(h);
            CHECK((!block || equal(block->view, block_of(h, kBlockBytes))));
        }
    }
    CHECK(reported > 40);
}

TEST_CASE("disk: the same seed and the same calls leave the same bytes") {
    const auto run = [](std::uint64_t seed) {
        SimDisk disk(seed);
        std::vector<std::uint64_t> out;
        std::uint64_t count = 0;
        for (int round = 0; round < 10; ++round) {
            if (auto store = Store::open(kDir, on(disk))) {
                count = (*store)->load()->packed_count;
                disk.stop_after(40, Stop::power);
                while ((*store)->commit(commit_of(count, 50, kBlockBytes))) {
                    count += 50;
                }
            }
            disk.start();
            out.insert(out.end(), {count, disk.used(), disk.operations()});
        }
        return out;
    };
    CHECK(run(7) == run(7));
    CHECK(run(7) != run(8));
}

TEST_CASE("disk: one writer a folder, until it ends in whatever way") {
    SimDisk disk(1);
    auto first = Store::open(kDir, on(disk));
    REQUIRE(first);
    CHECK(Store::open(kDir, on(disk)).error().code == "store.locked");
    disk.stop(Stop::kill);
    disk.start();
    CHECK(Store::open(kDir, on(disk)).has_value());
    first->reset();  // what is left of the dead one holds nothing
    CHECK(Store::open(kDir, on(disk)).has_value());
    CHECK(Store::open("/x",
                      [] {
                          auto out = options();
                          out.vfs = "no-such-disk";
                          return out;
                      }())
              .error()
              .code == "store.io");
}
