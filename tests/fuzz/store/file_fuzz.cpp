// SPDX-License-Identifier: Apache-2.0
//! Seeded heavy damage to a store's files, the log included: never a crash, never a false block.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/unit/store/store_fixture.hpp"

using namespace synod;
using namespace synod::store;
using namespace synod::store::test;
namespace fs = std::filesystem;

namespace {

void scramble(const std::string& path, std::mt19937_64& random) {
    const auto size = fs::file_size(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto places = 1 + random() % 6;
    for (std::uint64_t i = 0; i < places && size > 0; ++i) {
        file.seekp(static_cast<std::streamoff>(random() % (i % 2 == 0 ? size : size / 8 + 1)));
        for (auto n = 1 + random() % 40; n > 0; --n) {
            file.put(static_cast<char>(random()));
        }
    }
    file.close();
    fs::resize_file(path, random() % 5 == 0 ? random() % (size + 1) : size);
}

}  // namespace

TEST_CASE("store: scrambled files give typed errors and never a false block") {
    TempDir origin;
    auto live = Store::open(origin.path(), options());
    REQUIRE(live);
    for (std::uint64_t h = 0; h < 3000; h += 150) {
        REQUIRE((*live)->commit(commit_of(h, 150, 80)));
    }
    std::mt19937_64 random(4711);
    int noticed = 0;
    for (int i = 0; i < 120; ++i) {
        CAPTURE(i);
        TempDir copy;
        fs::copy_file(origin.db(), copy.db());
        // The store is still open, so its log holds what the database does not.
        fs::copy_file(origin.db() + "-wal", copy.db() + "-wal");
        scramble(copy.db() + (i % 3 == 0 ? "" : "-wal"), random);
        auto store = Store::open(copy.path(), options());
        if (!store) {
            CHECK(store.error().code.starts_with("store."));
            ++noticed;
            continue;
        }
        const auto state = (*store)->load();
        for (std::uint64_t h = 0; h < 3000; h += 50) {
            const auto block = (*store)->read_block(h);
            CHECK((!block || equal(block->view, block_of(h, 80))));
        }
        const auto report = (*store)->check();
        noticed += !report || !report->sound() || !state || state->packed_count < 3000 ? 1 : 0;
        if (report && report->sound() && state) {
            // A damaged log loses its end, as a power cut would; what is left is whole commits.
            CHECK(state->packed_count % 150 == 0);
            CHECK(holds_chain(**store, state->packed_count, 80));
        }
        (void)(*store)->commit(commit_of(3000, 5, 80));
        (void)(*store)->find_hash(hash_of(1));
    }
    MESSAGE("damage noticed: " << noticed << " of 120");
    CHECK(noticed > 60);
}
