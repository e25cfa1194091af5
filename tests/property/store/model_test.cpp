// SPDX-License-Identifier: Apache-2.0
//! Random sequences of commits, rewinds, refused commits and restarts against a model in memory.
#include <doctest/doctest.h>

#include <map>
#include <random>

#include "tests/unit/store/store_fixture.hpp"

using namespace synod;
using namespace synod::store;
using namespace synod::store::test;

namespace {

struct Model {
    std::vector<Bytes> blocks;
    std::vector<Hash> hashes;
    std::map<Hash, ForkBlock> forks;
    std::map<Bytes, Bytes> records;
};

void agree(Store& store, const Model& model, std::mt19937_64& random) {
    const auto count = model.blocks.size();
    REQUIRE(store.load()->packed_count == count);
    const auto from = random() % (count + 1);
    const auto range = store.read_range(from, 1 + random() % 300, random() % 60'000, 1U << 20U);
    REQUIRE(range);
    CHECK((range->count > 0) == (from < count));
    auto height = from;
    for (const auto& part : range->parts) {
        std::uint32_t start = 0;
        CHECK(part.first_height == height);
        for (const auto end : part.ends) {
            CHECK(equal(part.bytes.view.subspan(start, end - start), model.blocks.at(height)));
            start = end;
            ++height;
        }
    }
    CHECK(height - from == range->count);
    if (from < count) {
        CHECK(*store.find_hash(model.hashes[from]) == from);
    }
    CHECK(store.fork_blocks()->size() == model.forks.size());
    CHECK(store.list_records("r", 1000)->size() == model.records.size());
    for (const auto& [key, value] : model.records) {
        CHECK(*store.get_record("r", key) == value);
    }
}

void step(Store& store, Model& model, std::mt19937_64& random, std::uint64_t salt) {
    Model next = model;
    Commit change;
    if (random() % 8 == 0 && next.blocks.size() > 1) {
        change.truncate_from = 1 + random() % next.blocks.size();
        const auto kept = std::min<std::size_t>(*change.truncate_from, next.blocks.size());
        next.blocks.resize(kept);
        next.hashes.resize(kept);
    }
    for (auto runs = random() % 3; runs > 0; --runs) {
        const auto count = random() % 4 == 0 ? 1 + random() % 1500 : 1 + random() % 20;
        const auto size = random() % 10 == 0 ? 1 + random() % 9000 : 1 + random() % 90;
        const auto first = next.blocks.size();
        change.runs.push_back(run_of(first, count, size, salt));
        for (std::size_t i = 0; i < count; ++i) {
            next.blocks.push_back(block_of(first + i, size, salt));
            next.hashes.push_back(hash_of(first + i, salt));
        }
    }
    const Hash fork = hash_of(random() % 8, 99);
    if (random() % 2 == 0) {
        change.add_forks.push_back({fork, Hash{}, salt, SharedBytes(block_of(1, 30))});
        next.forks.emplace(fork, change.add_forks.back());
    } else {
        change.drop_forks.push_back(fork);
        next.forks.erase(fork);
    }
    const Bytes key{static_cast<std::uint8_t>(random() % 10)};
    change.put_records.push_back({"r", key, block_of(salt, random() % 50)});
    next.records[key] = change.put_records.back().value;
    const bool refused = random() % 6 == 0;
    if (refused) {
        change.runs.push_back(run_of(next.blocks.size() + 1, 2, 10, salt));
    }
    const auto done = store.commit(change);
    REQUIRE(done.has_value() != refused);
    if (!refused) {
        model = std::move(next);
    }
}

}  // namespace

TEST_CASE("store: any sequence of commits reads as the model says") {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        TempDir dir;
        Model model;
        auto store = Store::open(dir.path(), options());
        REQUIRE(store);
        for (std::uint64_t i = 0; i < 40; ++i) {
            step(**store, model, random, seed * 1000 + i);
            agree(**store, model, random);
            if (random() % 10 == 0) {
                store->reset();
                store = Store::open(dir.path(), options());
                REQUIRE(store);
            }
        }
        const auto report = (*store)->check();
        REQUIRE(report);
        CHECK(report->sound());
        CHECK(report->blocks == model.blocks.size());
    }
}
