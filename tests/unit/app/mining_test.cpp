// SPDX-License-Identifier: Apache-2.0
//! What is remembered of miners' work and of records that wait for a block.
#include <doctest/doctest.h>

#include "core/app/mining/methods.hpp"
#include "core/app/mining/record_pool.hpp"
#include "core/app/mining/work_book.hpp"

using namespace synod;
using namespace synod::app;

namespace {

constexpr UnixMs kNow = 1'700'000'000'000;

Hash hash_of(std::uint64_t n) {
    Hash out;
    std::memcpy(out.data.data(), &n, sizeof n);
    return out;
}

GivenWork work(std::uint64_t n, std::uint64_t start, std::uint64_t end, UnixMs at = kNow) {
    GivenWork out;
    out.hash = hash_of(n);
    out.task = Bytes(89, static_cast<std::uint8_t>(n));
    out.payout = Bytes(20, 7);
    out.range_start = start;
    out.range_end = end;
    out.bits = 0x207fffff;
    out.number = 3;
    out.given = at;
    return out;
}

WaitingRecord record(std::uint64_t start, std::uint64_t end) {
    return {hash_of(end), start, end, Bytes(300, static_cast<std::uint8_t>(end))};
}

}  // namespace

TEST_CASE("work: who asks again soon gets the same, later what was committed since, or after a final block") {
    WorkBook book;
    const Bytes payout(20, 7), other(20, 8);
    book.add(work(1, 1, 5));
    REQUIRE(book.current(payout, 0, 5, kNow + 1'000'000) != nullptr);
    REQUIRE(book.current(payout, 0, 6, kNow + kWorkRefreshMs - 1) != nullptr);
    CHECK(book.current(payout, 0, 6, kNow + kWorkRefreshMs) == nullptr);
    CHECK(book.current(payout, 5, 8, kNow) == nullptr);
    CHECK(book.current(other, 0, 5, kNow) == nullptr);
    book.solve(hash_of(1));
    CHECK(book.current(payout, 0, 5, kNow) == nullptr);
    CHECK(book.find(hash_of(1))->solved);
}

TEST_CASE("work: bounded, the oldest goes first, and expires") {
    WorkBook book;
    for (std::uint64_t i = 0; i <= kMaxGivenWork; ++i) {
        book.add(work(i, 1, i, kNow + static_cast<UnixMs>(i)));
        book.add(work(i, 1, i, kNow));  // known: once
    }
    CHECK(book.size() == kMaxGivenWork);
    CHECK(book.find(hash_of(0)) == nullptr);
    CHECK(book.find(hash_of(1)) != nullptr);
    book.expire(kNow + kWorkLifeMs + 9);
    CHECK(book.find(hash_of(9)) == nullptr);
    CHECK(book.find(hash_of(10)) != nullptr);
    book.expire(kNow + 10 * kWorkLifeMs);
    CHECK(book.size() == 0);
}

TEST_CASE("work: what is written is read back, and what is damaged changes nothing") {
    WorkBook book;
    book.add(work(1, 1, 5));
    book.add(work(2, 1, 6));
    book.solve(hash_of(1));
    const auto bytes = book.encode();
    WorkBook again;
    REQUIRE(again.decode(bytes));
    CHECK(*again.find(hash_of(1)) == *book.find(hash_of(1)));
    CHECK(*again.find(hash_of(2)) == *book.find(hash_of(2)));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        const auto refused = again.decode(ByteView(bytes).first(cut));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == "mining.record_damaged");
    }
    CHECK(again.size() == 2);
}

TEST_CASE("records: only what reaches further is taken, the furthest comes first, a final block settles them") {
    RecordPool pool;
    CHECK(pool.add(record(1, 5)));
    CHECK_FALSE(pool.add(record(1, 5)));
    CHECK_FALSE(pool.add(record(1, 4)));
    for (std::uint64_t end = 6; end < 6 + kMaxWaitingRecords; ++end) {
        CHECK(pool.add(record(1, end)));
    }
    CHECK(pool.waiting().size() == kMaxWaitingRecords);
    CHECK(pool.waiting().front().range_end == 5 + kMaxWaitingRecords);
    CHECK(pool.reach() == 5 + kMaxWaitingRecords);
    const auto bytes = pool.encode();
    auto read = RecordPool::decode(bytes);
    REQUIRE(read);
    REQUIRE(read->size() == kMaxWaitingRecords);
    CHECK(read->front() == pool.waiting().front().record);
    CHECK_FALSE(RecordPool::decode(ByteView(bytes).first(bytes.size() - 1)));
    CHECK_FALSE(pool.settle(0));
    CHECK(pool.settle(1));
    CHECK_FALSE(pool.reach());
}

TEST_CASE("a payout is 20 to 32 bytes of hex, 0x before them or not") {
    CHECK(read_payout(std::string(40, 'a'))->size() == 20);
    CHECK(read_payout("0x" + std::string(64, 'b'))->size() == 32);
    for (const auto& bad : {std::string(), std::string("0x"), std::string(38, 'a'), std::string(66, 'a'),
                            std::string(39, 'a'), std::string(40, 'g')}) {
        CAPTURE(bad);
        const auto refused = read_payout(bad);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == "control.invalid_params");
    }
}
