// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/unit/store/store_fixture.hpp"

using namespace synod;
using namespace synod::store;
using namespace synod::store::test;

namespace {

constexpr std::uint64_t kBlocks = 17'000;
constexpr std::size_t kBlockSize = 60;

void fill(const std::string& dir) {
    auto store = Store::open(dir, options());
    REQUIRE(store);
    auto change = commit_of(0, kBlocks, kBlockSize);
    change.add_forks = {{hash_of(kBlocks, 1), hash_of(kBlocks - 1), kBlocks,
                         SharedBytes(block_of(kBlocks, 500))}};
    change.committed_state = block_of(1, 3000);
    change.put_records = {{"peer", {1, 2}, block_of(2, 400)}};
    REQUIRE((*store)->commit(change));
}

bool whole(Store& store) {
    const auto state = store.load();
    const auto forks = store.fork_blocks();
    const auto record = store.get_record("peer", {1, 2});
    return state && forks && record && state->packed_count == kBlocks &&
           state->head == ChainPointer{kBlocks - 1, hash_of(kBlocks - 1)} &&
           state->committed_state == block_of(1, 3000) && forks->size() == 1 &&
           forks->front().hash == hash_of(kBlocks, 1) &&
           equal(forks->front().bytes.view, block_of(kBlocks, 500)) &&
           *record == block_of(2, 400) && *store.find_hash(hash_of(5)) == 5 &&
           holds_chain(store, kBlocks, kBlockSize);
}

void flip(const std::string& path, std::uint64_t offset, std::uint8_t mask) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ mask);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
}

}  // namespace

TEST_CASE("store: a flipped bit is refused, reported or harmless, and never served") {
    TempDir dir;
    fill(dir.path());
    const auto size = std::filesystem::file_size(dir.db());
    std::mt19937_64 random(20'240'601);
    int refused = 0;
    int reported = 0;
    int harmless = 0;
    for (int i = 0; i < 160; ++i) {
        // A third in the headers and the schema, where a flip does most.
        const auto offset = random() % (i % 3 == 0 ? 200 : size);
        const auto mask = static_cast<std::uint8_t>(1U << (random() % 8));
        CAPTURE(offset);
        CAPTURE(mask);
        TempDir copy;
        std::filesystem::copy_file(dir.db(), copy.db());
        flip(copy.db(), offset, mask);
        auto store = Store::open(copy.path(), options());
        if (!store) {
            CHECK(store.error().code.starts_with("store."));
            CHECK_FALSE(store.error().message.empty());
            ++refused;
            continue;
        }
        const auto report = (*store)->check();
        if (!report || !report->sound()) {
            // Whatever can still be read must be true.
            for (std::uint64_t h = 0; h < kBlocks; h += 500) {
                const auto block = (*store)->read_block(h);
                CHECK((!block || equal(block->view, block_of(h, kBlockSize))));
            }
            ++reported;
            continue;
        }
        CHECK(whole(**store));
        ++harmless;
    }
    MESSAGE("refused " << refused << ", reported " << reported << ", harmless " << harmless);
    CHECK(refused > 0);
    CHECK(reported > 80);
}

TEST_CASE("store: damage in a block names its heights and stops its being served") {
    TempDir dir;
    fill(dir.path());
    std::ifstream in(dir.db(), std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto needle = block_of(2000, kBlockSize);
    const auto at = all.find(std::string(needle.begin(), needle.end()));
    REQUIRE(at != std::string::npos);
    flip(dir.db(), at + 7, 0x10);
    auto store = Store::open(dir.path(), options());
    REQUIRE(store);
    const auto read = (*store)->read_range(1999, 5, 1U << 20U, 8U << 20U);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == "store.corrupt");
    CHECK(read.error().where == "heights 1024 to 2047");
    CHECK((*store)->read_block(2048));
    const auto report = (*store)->check();
    REQUIRE(report->faults.size() == 1);
    CHECK(report->faults[0].find("heights 1024 to 2047") != std::string::npos);
}

TEST_CASE("store: a truncated, emptied, foreign or missing file is refused or reported") {
    TempDir dir;
    fill(dir.path());
    const auto size = std::filesystem::file_size(dir.db());
    for (const auto cut : {size - 1, size - 16384, size / 2, std::uintmax_t{16384},
                           std::uintmax_t{100}, std::uintmax_t{1}, std::uintmax_t{0}}) {
        CAPTURE(cut);
        TempDir copy;
        std::filesystem::copy_file(dir.db(), copy.db());
        std::filesystem::resize_file(copy.db(), cut);
        auto store = Store::open(copy.path(), options());
        if (!store) {
            CHECK(store.error().code == "store.corrupt");
            continue;
        }
        const auto report = (*store)->check();
        CHECK((!report || !report->sound()));
    }
    TempDir foreign;
    std::ofstream(foreign.db()) << "this is no database, whatever its name may say";
    CHECK(Store::open(foreign.path(), options()).error().code == "store.corrupt");
}

TEST_CASE("store: kill -9 while committing leaves a prefix that ends with a whole commit") {
    TempDir dir;
    REQUIRE(Store::open(dir.path(), options()));
    std::mt19937_64 random(7);
    std::uint64_t at_least = 0;
    for (int round = 0; round < 20; ++round) {
        int pipe_ends[2];
        REQUIRE(::pipe(pipe_ends) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            auto store = Store::open(dir.path(), options());
            if (!store) {
                ::_exit(1);
            }
            auto next = (*store)->load()->packed_count;
            for (std::uint64_t i = 0;; ++i) {
                const auto count = 1 + mix(next + i) % 200;
                auto change = commit_of(next, count, 100);
                change.committed_state = block_of(next + count, 64);
                if (!(*store)->commit(change)) {
                    ::_exit(2);
                }
                next += count;
                if (::write(pipe_ends[1], &next, sizeof next) != sizeof next) {
                    ::_exit(3);
                }
            }
        }
        ::close(pipe_ends[1]);
        const auto commits = 1 + random() % 12;
        std::uint64_t acknowledged = 0;
        for (std::uint64_t i = 0; i < commits; ++i) {
            REQUIRE(::read(pipe_ends[0], &acknowledged, sizeof acknowledged) == 8);
        }
        ::usleep(static_cast<useconds_t>(random() % 2000));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFSIGNALED(status));
        while (::read(pipe_ends[0], &acknowledged, sizeof acknowledged) == 8) {
        }
        ::close(pipe_ends[0]);
        auto store = Store::open(dir.path(), options());
        REQUIRE(store);
        const auto state = (*store)->load();
        REQUIRE(state);
        CHECK(state->packed_count >= acknowledged);
        CHECK(state->packed_count > at_least);
        at_least = state->packed_count;
        CHECK(state->head == state->last_packed);
        CHECK(state->committed == state->last_packed);
        CHECK(state->committed_state == block_of(state->packed_count, 64));
        CHECK(holds_chain(**store, state->packed_count, 100));
        CHECK((*store)->check()->sound());
    }
}
