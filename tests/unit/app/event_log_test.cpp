// SPDX-License-Identifier: Apache-2.0
//! The log of governance events: by number, of one branch, and nothing is read that wasn't asked for.

#include "core/app/governance/event_log.hpp"

#include <doctest/doctest.h>

#include "tests/unit/store/store_fixture.hpp"

namespace {

using namespace synod;

using store::test::hash_of;

constexpr std::uint64_t kEvents = 300;  // event i stands in block 2 i

app::LoggedEvent event(std::uint64_t sequence, std::uint64_t branch = 0) {
    return {sequence, 2 * sequence, hash_of(2 * sequence, branch), Bytes{static_cast<std::uint8_t>(sequence), 7}};
}

struct Log {
    store::test::TempDir folder;
    std::unique_ptr<store::Store> store;
    std::size_t asked = 0;  // records that were looked at: each once for whether its block is ours

    Log() {
        store::StoreOptions options;
        options.network_id = "test";
        options.genesis_hash = hash_of(0);
        auto opened = store::Store::open(folder.path(), options);
        REQUIRE(opened);
        store = std::move(*opened);
        store::Commit all;
        for (std::uint64_t i = 1; i <= kEvents; ++i) {
            all.put_records.push_back(app::event_record(event(i)));
        }
        all.put_records.push_back({"governance-lof", {1}, {1}});
        all.put_records.push_back({"governance-loh", {1}, {1}});
        REQUIRE(store->commit(all));
    }
    std::vector<app::LoggedEvent> read(std::uint64_t from, std::size_t count, std::uint64_t branch = 0) {
        asked = 0;
        auto out = app::read_event_log(*store, from, count, [&](std::uint64_t height) {
            ++asked;
            return std::optional(hash_of(height, branch));
        });
        REQUIRE(out);
        return *out;
    }
};

}  // namespace

TEST_CASE("as many events as are asked for are read, wherever they stand in the log") {
    Log log;
    const auto three = log.read(257, 3);
    CHECK(log.asked == 3);
    CHECK(three == std::vector{event(257), event(258), event(259)});
    CHECK(log.read(1, 1) == std::vector{event(1)});
    CHECK(log.asked == 1);
    CHECK(log.read(0, 2) == std::vector{event(1), event(2)});
    CHECK(log.read(kEvents, 1'000) == std::vector{event(kEvents)});
    CHECK(log.asked == 1);
    CHECK(log.read(kEvents + 1, 10).empty());
    CHECK(log.read(1, 0).empty());
    CHECK(log.asked == 0);
    // Over the pages in which the store is read.
    const auto all = log.read(1, 1'000);
    REQUIRE(all.size() == kEvents);
    for (std::uint64_t i = 1; i <= kEvents; ++i) {
        CHECK(all[i - 1] == event(i));
    }
    CHECK(log.asked == kEvents);
}

TEST_CASE("what branches carried that lost is passed over, and the answer is as long as was asked for") {
    Log log;
    store::Commit others;
    for (std::uint64_t i = 1; i <= kEvents; ++i) {
        for (const std::uint64_t branch : {5, 6}) {
            others.put_records.push_back(app::event_record(event(i, branch)));
        }
    }
    REQUIRE(log.store->commit(others));
    const auto ours = log.read(100, 150);
    REQUIRE(ours.size() == 150);
    CHECK(ours.front() == event(100));
    CHECK(ours.back() == event(249));
    CHECK(log.read(100, 1, 6) == std::vector{event(100, 6)});
    CHECK(log.read(1, 10, 9).empty());
}

TEST_CASE("records are listed from a key on") {
    Log log;
    const auto key = app::event_record(event(299)).key;
    const auto from = log.store->list_records("governance-log", 10, key);
    REQUIRE(from);
    REQUIRE(from->size() == 2);
    CHECK(from->front().key == key);
    CHECK(log.store->list_records("governance-log", 1'000)->size() == kEvents);
}
