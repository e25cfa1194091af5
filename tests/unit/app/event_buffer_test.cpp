// SPDX-License-Identifier: Apache-2.0
#include "core/app/governance/event_buffer.hpp"

#include <doctest/doctest.h>

#include "core/app/governance/repair.hpp"

using namespace synod;
using namespace synod::app;

namespace {

Bytes event(std::uint64_t n) { return {static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8)}; }

}  // namespace

TEST_CASE("events follow each other; a gap shows and closes, and duplicates change nothing") {
    EventBuffer buffer;
    buffer.carried(4);
    CHECK(buffer.next() == 5);
    CHECK(buffer.append(event(5)) == EventBuffer::Kept::kept);
    CHECK(buffer.hold(8, event(8)) == EventBuffer::Kept::kept);
    CHECK(buffer.hold(8, event(8)) == EventBuffer::Kept::duplicate);
    CHECK(buffer.gap() == std::optional(std::pair<std::uint64_t, std::uint64_t>(6, 7)));
    CHECK_FALSE(buffer.take_next());
    CHECK(buffer.append(event(6)) == EventBuffer::Kept::kept);
    CHECK(buffer.append(event(7)) == EventBuffer::Kept::kept);
    CHECK_FALSE(buffer.gap());
    CHECK(buffer.take_next() == std::optional(event(8)));
    CHECK(buffer.append(event(8)) == EventBuffer::Kept::kept);
    CHECK(buffer.run() == std::vector<Bytes>{event(5), event(6), event(7), event(8)});
}

TEST_CASE("what a block carries waits no more, until the chain turns to a branch without it") {
    EventBuffer buffer;
    for (std::uint64_t n = 1; n <= 3; ++n) {
        buffer.append(event(n));
    }
    buffer.carried(2);
    CHECK(buffer.run() == std::vector<Bytes>{event(3)});
    CHECK(buffer.size() == 1);
    buffer.carried(1);
    CHECK(buffer.run() == std::vector<Bytes>{event(2), event(3)});
    CHECK(buffer.cut(1) == 1);
    CHECK(buffer.run() == std::vector<Bytes>{event(2)});
    CHECK(buffer.next() == 3);
    buffer.carried(9);  // they came with blocks
    CHECK(buffer.run().empty());
    CHECK(buffer.next() == 10);
}

TEST_CASE("the buffer is bounded, and says so when it is full") {
    EventBuffer buffer;
    std::size_t kept = 0;
    for (std::uint64_t n = 2; n < 2 + 2 * kMaxBufferedEvents; ++n) {
        kept += buffer.hold(n, event(n)) == EventBuffer::Kept::kept ? 1 : 0;
    }
    CHECK(kept == kMaxBufferedEvents);
    CHECK(buffer.append(event(1)) == EventBuffer::Kept::full);
    buffer.carried(500);  // room again
    CHECK(buffer.next() == 501);
    CHECK(buffer.hold(3'000, event(0)) == EventBuffer::Kept::kept);
    EventBuffer long_one;
    for (std::uint64_t n = 1; n <= 2 * kMaxBufferedEvents; ++n) {
        REQUIRE(long_one.append(event(n)) == EventBuffer::Kept::kept);
        long_one.carried(n);
    }
    CHECK(long_one.kept().size() == kKeptCarriedEvents);
}

TEST_CASE("missing events are asked for with waits from 1 s to 60 s, with jitter") {
    Repair repair(7);
    Instant now = std::chrono::hours(1);
    CHECK(repair.due(now));
    Duration shortest = kRepairMost, total{};
    for (int i = 0; i < 12; ++i) {
        repair.asked(now);
        const auto asked = now;
        while (!repair.due(now)) {
            now += std::chrono::milliseconds(10);
        }
        const auto waited = now - asked;
        CHECK(waited <= kRepairMost * (100 + kRepairJitterPercent) / 100 + std::chrono::milliseconds(10));
        CHECK(waited >= kRepairFirst * (100 - kRepairJitterPercent) / 100);
        shortest = std::min<Duration>(shortest, waited);
        total += waited;
    }
    CHECK(shortest <= kRepairFirst * (100 + kRepairJitterPercent) / 100 + std::chrono::milliseconds(10));
    CHECK(total > kRepairMost * 5);
    CHECK(repair.wait() == kRepairMost);
    repair.progressed();
    CHECK(repair.due(now));
    CHECK(repair.wait() == kRepairFirst);
}
