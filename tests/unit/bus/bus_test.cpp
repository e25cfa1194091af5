// SPDX-License-Identifier: Apache-2.0
#include "core/bus/bus.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <thread>

#include "core/bus/journal.hpp"

using namespace synod;
using namespace synod::bus;

namespace {

std::vector<std::uint64_t> seqs(const std::vector<Event>& events) {
    std::vector<std::uint64_t> out;
    for (const auto& e : events) {
        out.push_back(e.seq);
    }
    return out;
}

}  // namespace

TEST_CASE("catalogue.rows_are_in_order_and_unique") {
    for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
        CHECK(static_cast<std::size_t>(kCatalogue[i].topic) == i + 1);
        CHECK(find_topic(kCatalogue[i].name) == &kCatalogue[i]);
    }
    CHECK(find_topic("peer.banned") == nullptr);
    CHECK(find_topic(Topic::kCount) == nullptr);
}

TEST_CASE("bus.overflow_policies_leave_visible_gaps") {
    Bus bus;
    const auto run = [&](Overflow policy) {
        auto sub = bus.subscribe({Topic::kAlert}, 2, policy).value();
        for (int i = 0; i < 4; ++i) {
            CHECK(bus.publish(Topic::kAlert, {std::uint8_t(i)}, Instant{i}));
        }
        CHECK(sub->dropped() == (policy == Overflow::kCoalesce ? 3 : 2));
        return seqs(sub->take());
    };
    CHECK(run(Overflow::kDropOldest) == std::vector<std::uint64_t>{3, 4});
    CHECK(run(Overflow::kDropNewest) == std::vector<std::uint64_t>{5, 6});
    CHECK(run(Overflow::kCoalesce) == std::vector<std::uint64_t>{12});
}

TEST_CASE("bus.subscriber_gets_only_its_topics_and_is_woken_once_per_run") {
    Bus bus;
    int woken = 0;
    auto sub = bus.subscribe({Topic::kHealth}, 8, Overflow::kDropOldest, [&] { ++woken; }).value();
    CHECK(bus.publish(Topic::kAlert, {}, {}));
    CHECK(woken == 0);
    CHECK(bus.publish(Topic::kHealth, {1}, {}));
    CHECK(bus.publish(Topic::kHealth, {2}, {}));
    CHECK(woken == 1);
    CHECK(sub->take(1).size() == 1);
    CHECK(sub->take().size() == 1);
    CHECK(bus.publish(Topic::kHealth, {3}, {}));
    CHECK(woken == 2);
}

TEST_CASE("bus.refuses_what_is_out_of_bounds") {
    Bus bus;
    CHECK(bus.publish(Topic::kNone, {}, {}).error().code == "bus.unknown_topic");
    CHECK(bus.publish(Topic::kAlert, Bytes(kMaxPayloadBytes + 1), {}).error().code ==
          "bus.payload_too_large");
    CHECK(bus.subscribe({Topic::kAlert}, 0, Overflow::kDropOldest).error().code == "bus.queue_bound");
    CHECK(bus.subscribe({Topic::kCount}, 1, Overflow::kDropOldest).error().code ==
          "bus.unknown_topic");
}

TEST_CASE("bus.order_holds_across_publishing_threads") {
    Bus bus;
    auto sub = bus.subscribe({Topic::kAlert}, 40'000, Overflow::kDropOldest).value();
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 5'000; ++i) {
                    if (!bus.publish(Topic::kAlert, {}, {})) {
                        return;
                    }
                }
            });
        }
    }
    const auto got = seqs(sub->take());
    REQUIRE(got.size() == 20'000);
    for (std::size_t i = 0; i < got.size(); ++i) {
        REQUIRE(got[i] == i + 1);
    }
}

TEST_CASE("journal.replays_what_was_carried") {
    Journal journal;
    Bus bus(&journal);
    CHECK(bus.publish(Topic::kAlert, {1, 2}, Instant{7}));
    CHECK(bus.publish(Topic::kHealth, {3}, Instant{8}));
    const auto bytes = journal.encode();
    const auto events = Journal::decode(bytes).value();

    Journal second;
    Bus other(&second);
    auto sub = other.subscribe({Topic::kAlert}, 4, Overflow::kDropOldest).value();
    CHECK(Journal::replay(events, other));
    CHECK(second.encode() == bytes);
    const auto got = sub->take();
    REQUIRE(got.size() == 1);
    CHECK(got[0].payload.bytes() == Bytes{1, 2});
    CHECK(got[0].at == Instant{7});
}

TEST_CASE("journal.is_bounded_and_refuses_damage") {
    Journal journal(3 * (sizeof(Event) + 1));
    Bus bus(&journal);
    for (int i = 0; i < 10; ++i) {
        CHECK(bus.publish(Topic::kAlert, {std::uint8_t(i)}, {}));
    }
    CHECK(seqs(journal.events()) == std::vector<std::uint64_t>{8, 9, 10});
    auto bytes = journal.encode();
    for (std::size_t cut = 9; cut < bytes.size(); ++cut) {
        if ((cut - 8) % 25 != 0) {  // 25 bytes an event here: other cuts end inside one
            const auto part = Journal::decode(ByteView(bytes).first(cut));
            REQUIRE(!part);
            CHECK(part.error().code == "bus.journal_corrupt");
        }
    }
    bytes[8] = 99;
    CHECK(!Journal::decode(bytes));
}

TEST_CASE("payload.small_and_large_ones_arrive_as_they_were") {
    Bus bus;
    auto sub = bus.subscribe({Topic::kAlert}, 300, Overflow::kDropOldest).value();
    const auto bytes_of = [](std::size_t n) {
        Bytes out(n);
        std::iota(out.begin(), out.end(), std::uint8_t(n));
        return out;
    };
    for (std::size_t n = 0; n < 2 * kInlineBytes; ++n) {
        CHECK(bus.publish(Topic::kAlert, bytes_of(n), {}));
    }
    const auto got = sub->take();
    REQUIRE(got.size() == 2 * kInlineBytes);
    for (std::size_t n = 0; n < got.size(); ++n) {
        CHECK(got[n].payload.bytes() == bytes_of(n));
        CHECK(got[n].payload.beside() == (n > kInlineBytes ? n : 0));
    }
}

TEST_CASE("queue.keeps_order_through_growth_and_wrapping") {
    Bus bus;
    auto sub = bus.subscribe({Topic::kAlert}, 1'000, Overflow::kDropOldest).value();
    std::uint64_t published = 0, expected = 1;
    for (const std::size_t burst : {1, 15, 16, 17, 200, 3, 900, 40}) {
        for (std::size_t i = 0; i < burst; ++i, ++published) {
            CHECK(bus.publish(Topic::kAlert, {}, {}));
        }
        for (const auto& event : sub->take(burst - burst / 3)) {
            CHECK(event.seq == expected++);
        }
    }
    for (const auto& event : sub->take()) {
        CHECK(event.seq == expected++);
    }
    CHECK(expected == published + 1);
    CHECK(sub->dropped() == 0);
}
