// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <chrono>

#include "core/store/sqlite.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace synod;
using namespace synod::store;
using namespace synod::store::test;

namespace {
std::string code_of(const auto& result) { return result ? "ok" : result.error().code; }
}  // namespace

TEST_CASE("store: blocks read back across packs and after reopening") {
    TempDir dir;
    {
        auto store = Store::open(dir.path(), options());
        REQUIRE(store);
        REQUIRE((*store)->commit(commit_of(0, 3000, 600)));
        REQUIRE((*store)->commit(commit_of(3000, 500, 600)));
        CHECK(holds_chain(**store, 3500, 600));
        CHECK(equal((*store)->read_block(3499)->view, block_of(3499, 600)));
        CHECK(code_of((*store)->read_block(3500)) == "store.missing");
    }
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    const auto state = (*store)->load();
    REQUIRE(state);
    CHECK(state->packed_count == 3500);
    CHECK(state->last_packed == ChainPointer{3499, hash_of(3499)});
    CHECK(state->head == ChainPointer{3499, hash_of(3499)});
    CHECK_FALSE(state->final_);
    CHECK(holds_chain(**store, 3500, 600));
    CHECK((*store)->hashes(1020, 10)->at(5) == hash_of(1025));
    const auto report = (*store)->check();
    REQUIRE(report);
    CHECK(report->sound());
    CHECK(report->blocks == 3500);
}

TEST_CASE("store: soft and hard limits and the maximum count") {
    TempDir dir;
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    REQUIRE((*store)->commit(commit_of(0, 2000, 1000)));
    CHECK((*store)->read_range(1000, 100, 1U << 20U, 8U << 20U)->count == 100);
    CHECK((*store)->read_range(5, 1000, 10'500, 8U << 20U)->count == 10);
    CHECK((*store)->read_range(5, 1000, 10, 8U << 20U)->count == 1);
    CHECK((*store)->read_range(5, 1000, 1U << 20U, 3'000)->count == 3);
    CHECK(code_of((*store)->read_range(5, 10, 10, 999)) == "store.too_large");
    CHECK((*store)->read_range(1990, 100, 1U << 20U, 8U << 20U)->count == 10);
    CHECK((*store)->read_range(5, 0, 1U << 20U, 8U << 20U)->count == 0);
    const auto crossing = (*store)->read_range(1000, 100, 1U << 20U, 8U << 20U);
    CHECK(crossing->parts.size() == 2);
    CHECK(crossing->bytes == 100'000);
}

TEST_CASE("store: a commit that doesn't fit changes nothing") {
    TempDir dir;
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    CHECK(code_of((*store)->commit(commit_of(1, 5, 100))) == "store.not_contiguous");
    REQUIRE((*store)->commit(commit_of(0, 10, 100)));
    auto gap = commit_of(10, 5, 100);
    gap.runs.push_back(run_of(16, 5, 100));
    gap.put_records.push_back({"s", {1}, {2}});
    CHECK(code_of((*store)->commit(gap)) == "store.not_contiguous");
    CHECK(code_of((*store)->commit(commit_of(9, 5, 100))) == "store.not_contiguous");
    auto bad = commit_of(10, 5, 100);
    bad.runs[0].ends[2] = bad.runs[0].ends[1];
    CHECK(code_of((*store)->commit(bad)) == "store.bad_run");
    bad = commit_of(10, 5, 100);
    bad.runs[0].hashes.pop_back();
    CHECK(code_of((*store)->commit(bad)) == "store.bad_run");
    CHECK(holds_chain(**store, 10, 100));
    CHECK((*store)->load()->head == ChainPointer{9, hash_of(9)});
    CHECK_FALSE(*(*store)->get_record("s", {1}));
    CHECK((*store)->check()->sound());
}

TEST_CASE("store: single blocks at the tip share packs") {
    TempDir dir;
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    for (std::uint64_t h = 0; h < 600; ++h) {
        REQUIRE((*store)->commit(commit_of(h, 1, 300)));
        if (h % 50 == 0) {
            CHECK(holds_chain(**store, h + 1, 300));
        }
    }
    const auto report = (*store)->check();
    CHECK(report->sound());
    CHECK(report->packs == 5);
    CHECK(holds_chain(**store, 600, 300));
}

TEST_CASE("store: a block larger than a pack is kept alone") {
    TempDir dir;
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    REQUIRE((*store)->commit(commit_of(0, 3, 2U << 20U)));
    CHECK(holds_chain(**store, 3, 2U << 20U));
    CHECK((*store)->check()->packs == 3);
}

TEST_CASE("store: fork blocks, pointers and records travel in one commit") {
    TempDir dir;
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    Commit change = commit_of(0, 3, 50);
    change.add_forks = {{hash_of(4, 1), hash_of(3, 1), 4, SharedBytes(block_of(4, 70))},
                        {hash_of(3, 1), hash_of(2), 3, SharedBytes(block_of(3, 60))}};
    change.head = ChainPointer{4, hash_of(4, 1)};
    change.committed_state = Bytes{1, 2, 3};
    change.head_certificate = Bytes{};
    change.put_records = {{"ban", {1}, {9}}, {"ban", {0}, {8}}, {"peer", {1}, {}}};
    REQUIRE((*store)->commit(change));
    const auto forks = (*store)->fork_blocks();
    REQUIRE(forks->size() == 2);
    CHECK(forks->front().hash == hash_of(3, 1));
    CHECK((*(*store)->fork_block(hash_of(4, 1)))->parent == hash_of(3, 1));
    CHECK(equal((*(*store)->fork_block(hash_of(4, 1)))->bytes.view, block_of(4, 70)));
    CHECK_FALSE(*(*store)->fork_block(hash_of(9)));
    CHECK((*store)->load()->committed_state == Bytes{1, 2, 3});
    CHECK((*store)->load()->head_certificate == Bytes{});
    CHECK((*store)->check()->sound());
    Commit drop;
    drop.drop_forks = {hash_of(3, 1), hash_of(77)};
    REQUIRE((*store)->commit(drop));
    CHECK((*store)->fork_blocks()->size() == 1);
    CHECK((*store)->list_records("ban", 10)->front().value == Bytes{8});
    REQUIRE((*store)->remove_record("ban", {0}));
    CHECK((*store)->list_records("ban", 10)->size() == 1);
    CHECK(*(*store)->get_record("peer", {1}) == Bytes{});
    drop.drop_forks = {hash_of(4, 1)};
    REQUIRE((*store)->commit(drop));
    CHECK_FALSE((*store)->check()->sound());  // the head now names no stored block
}

TEST_CASE("store: find_hash over complete segments and the tail; rewind") {
    TempDir dir;
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    constexpr std::uint64_t kBlocks = 41'000;
    for (std::uint64_t h = 0; h < kBlocks; h += 1000) {
        REQUIRE((*store)->commit(commit_of(h, 1000, 40)));
    }
    const auto all_found = [&](std::uint64_t count) {
        for (std::uint64_t h = 0; h < count; h += 97) {
            if (*(*store)->find_hash(hash_of(h)) != h) {
                return false;
            }
        }
        return *(*store)->find_hash(hash_of(count - 1)) == count - 1;
    };
    CHECK(all_found(kBlocks));
    for (const std::uint64_t h : {0U, 16383U, 16384U, 32767U, 32768U}) {
        CHECK(*(*store)->find_hash(hash_of(h)) == h);
    }
    CHECK_FALSE(*(*store)->find_hash(hash_of(kBlocks)));
    auto near = hash_of(20'000);
    near.data[31] ^= 1U;  // same prefix, another hash
    CHECK_FALSE(*(*store)->find_hash(near));
    CHECK((*store)->check()->sound());

    Commit rewind = commit_of(20'005, 100, 40);
    rewind.truncate_from = 20'005;
    REQUIRE((*store)->commit(rewind));
    CHECK((*store)->load()->packed_count == 20'105);
    CHECK_FALSE(*(*store)->find_hash(hash_of(30'000)));
    CHECK(all_found(20'105));
    CHECK(holds_chain(**store, 20'105, 40));
    REQUIRE((*store)->commit(commit_of(20'105, 15'000, 40)));
    CHECK(all_found(35'105));
    CHECK((*store)->check()->sound());
}

TEST_CASE("store: refuses what is not its own") {
    TempDir dir;
    {
        auto none = options();
        none.create_if_missing = false;
        CHECK(code_of(Store::open(dir.path(), none)) == "store.missing");
        auto store = Store::open(dir.path(), options());
        REQUIRE(store);
        REQUIRE((*store)->commit(commit_of(0, 3, 50)));
        CHECK(code_of(Store::open(dir.path(), options())) == "store.locked");
    }
    auto other = options();
    other.network_id = "other";
    CHECK(code_of(Store::open(dir.path(), other)) == "store.wrong_network");
    other = options();
    other.genesis_hash = hash_of(1);
    CHECK(code_of(Store::open(dir.path(), other)) == "store.wrong_network");
    {
        auto reading = options();
        reading.read_only = true;
        auto a = Store::open(dir.path(), reading);
        auto b = Store::open(dir.path(), reading);
        REQUIRE(a);
        REQUIRE(b);
        CHECK(holds_chain(**b, 3, 50));
        CHECK(code_of((*a)->commit(commit_of(3, 1, 50))) == "store.read_only");
        CHECK(code_of(Store::open(dir.path(), options())) == "store.locked");
    }
    {
        auto db = Database::open(dir.db(), Access::read_write);
        REQUIRE(db);
        REQUIRE(db->exec("PRAGMA user_version=2"));
    }
    CHECK(code_of(Store::open(dir.path(), options())) == "store.schema_newer");
}

TEST_CASE("store: a full disk refuses the commit and loses nothing") {
    TempDir dir;
    auto small = options();
    small.max_bytes = 3U << 20U;
    std::uint64_t kept = 0;
    {
        auto store = Store::open(dir.path(), small);
        REQUIRE(store);
        std::string code;
        for (int i = 0; i < 100; ++i) {
            const auto done = (*store)->commit(commit_of(kept, 500, 600));
            if (!done) {
                code = done.error().code;
                break;
            }
            kept += 500;
        }
        CHECK(code == "store.disk_full");
        CHECK(kept > 0);
        CHECK(holds_chain(**store, kept, 600));
    }
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    CHECK((*store)->load()->head == ChainPointer{kept - 1, hash_of(kept - 1)});
    CHECK((*store)->check()->sound());
    CHECK((*store)->commit(commit_of(kept, 5000, 600)));
    CHECK(holds_chain(**store, kept + 5000, 600));
}
