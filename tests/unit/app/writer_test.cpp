// SPDX-License-Identifier: Apache-2.0
//! The node's writer: order, groups, and what a failure does to those that were posted behind it.

#include "core/app/node/writer.hpp"

#include <doctest/doctest.h>

#include "core/sim/disk/sim_disk.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace {

using namespace synod;

using store::test::hash_of;

store::Commit block_at(std::uint64_t height, std::size_t bytes = 100) {
    return store::test::commit_of(height, 1, bytes);
}

//! A writer whose tasks run when the test says so.
struct Bench {
    store::test::TempDir folder;
    std::unique_ptr<store::Store> store;
    std::vector<std::function<void()>> tasks;
    std::vector<std::string> outcomes;  // "" for success, else the code; in the order of delivery
    std::unique_ptr<app::Writer> writer;

    //! `vfs`: of a simulated disk; empty: a real folder.
    explicit Bench(const std::string& vfs = {}) {
        store::StoreOptions options;
        options.vfs = vfs;
        options.network_id = "test";
        options.genesis_hash = hash_of(0);
        auto opened = store::Store::open(folder.path(), options);
        REQUIRE(opened);
        store = std::move(*opened);
        writer = std::make_unique<app::Writer>(
            *store, [](std::function<void()> told) { told(); },
            [this](std::function<void()> task) { tasks.push_back(std::move(task)); });
    }
    void post(store::Commit change) {
        writer->post(std::move(change),
                     [this](const Result<void>& done) { outcomes.push_back(done ? "" : done.error().code); });
    }
    std::uint64_t stored() { return store->load()->packed_count; }
};

}  // namespace

TEST_CASE("commits that wait are stored together and reported one by one, in order") {
    Bench bench;
    for (std::uint64_t height = 0; height < 10; ++height) {
        bench.post(block_at(height));
    }
    REQUIRE(bench.tasks.size() == 10);
    CHECK(bench.stored() == 0);
    bench.tasks.front()();
    CHECK(bench.stored() == 10);
    CHECK(bench.outcomes == std::vector<std::string>(10));
    CHECK(bench.store->load()->head == store::ChainPointer{9, hash_of(9)});
    bench.tasks[1]();  // nothing is left for it
    CHECK(bench.outcomes.size() == 10);
}

TEST_CASE("a group is bounded in commits and in bytes") {
    Bench bench;
    for (std::uint64_t height = 0; height < app::kGroupCommits + 3; ++height) {
        bench.post(block_at(height));
    }
    bench.tasks.front()();
    CHECK(bench.stored() == app::kGroupCommits);
    bench.tasks.front()();
    CHECK(bench.stored() == app::kGroupCommits + 3);
    const auto next = app::kGroupCommits + 3;
    for (std::uint64_t height = next; height < next + 3; ++height) {
        bench.post(block_at(height, app::kGroupBytes / 2));
    }
    bench.tasks.front()();
    CHECK(bench.stored() == next + 2);
    bench.post(block_at(next + 3, 2 * app::kGroupBytes));  // too large for any group, so alone
    bench.tasks.front()();
    CHECK(bench.stored() == next + 3);
    bench.tasks.front()();
    CHECK(bench.stored() == next + 4);
}

TEST_CASE("of a group with a bad commit what stands before it is stored, and what follows is refused") {
    Bench bench;
    bench.post(block_at(0));
    bench.post(block_at(1));
    bench.post(block_at(5));  // leaves a gap
    bench.post(block_at(2));  // would fit, but was made when the one before it was to be there
    bench.tasks.front()();
    CHECK(bench.stored() == 2);
    CHECK(bench.outcomes == std::vector<std::string>{"", "", "store.not_contiguous", "store.io"});
    bench.post(block_at(2));
    bench.tasks.front()();
    CHECK(bench.outcomes.back() == "store.io");
    bench.writer->resume();
    bench.post(block_at(2));
    bench.tasks.front()();
    CHECK(bench.outcomes.back() == "");
    CHECK(bench.stored() == 3);
}

TEST_CASE("a record that a full disk refused takes nothing along") {
    sim::SimDisk disk(1);
    Bench bench(disk.vfs());
    bench.post(block_at(0));
    bench.tasks.back()();
    REQUIRE(bench.outcomes.back().empty());
    disk.set_capacity(disk.used());
    store::Commit record;
    record.put_records.push_back({"peers", Bytes{1}, Bytes(1 << 20)});
    bench.post(record);
    bench.tasks.back()();
    CHECK(bench.outcomes.back() == "store.disk_full");
    disk.set_capacity(0);
    bench.post(block_at(1));
    bench.tasks.back()();
    CHECK(bench.outcomes.back().empty());
    CHECK(bench.stored() == 2);
}

TEST_CASE("what was posted is written before the writer goes") {
    Bench bench;
    bench.post(block_at(0));
    bench.post(block_at(1));
    bench.writer.reset();
    CHECK(bench.stored() == 2);
    {
        app::Writer threaded(*bench.store, [](std::function<void()> told) { told(); });
        for (std::uint64_t height = 2; height < 50; ++height) {
            threaded.post(block_at(height), [](const Result<void>&) {});
        }
    }
    CHECK(bench.stored() == 50);
}
