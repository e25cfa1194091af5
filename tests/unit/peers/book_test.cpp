// SPDX-License-Identifier: Apache-2.0
#include "core/peers/book.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace synod;
using namespace synod::peers;
using std::chrono::hours;

namespace {

constexpr std::uint64_t kSeed = 42;
Endpoint at(int n) { return {"10.0." + std::to_string(n / 256) + "." + std::to_string(n % 256), 9000}; }
PublicKey key(std::uint8_t n) {
    PublicKey out;
    out.data.fill(n);
    return out;
}
AddressBook sample() {
    AddressBook book(kSeed);
    CHECK(book.add(at(1)));
    CHECK(book.add(at(2), key(2)));
    CHECK(book.succeeded(at(3), key(3), 5'000));
    book.failed(at(1), 6'000, Instant{});
    book.set_anchors({at(3), at(2)});
    return book;
}

}  // namespace

TEST_CASE("dial_wait.doubles_to_its_bound_with_a_jitter_of_a_quarter") {
    auto nominal = kDialWaitFirst;
    std::set<std::int64_t> different;
    for (std::uint32_t failures = 1; failures <= 40; ++failures) {
        const auto wait = dial_wait(kSeed, at(1), failures);
        CHECK(wait >= nominal * 3 / 4);
        CHECK(wait < nominal * 5 / 4);
        CHECK(wait == dial_wait(kSeed, at(1), failures));
        nominal = std::min(nominal * 2, kDialWaitMax);
    }
    for (int i = 0; i < 50; ++i) {
        different.insert(dial_wait(kSeed, at(i), 1).count());
        different.insert(dial_wait(kSeed + 1, at(i), 1).count());
    }
    CHECK(different.size() > 95);
    CHECK(dial_wait(kSeed, at(1), 0xffffffffu) < kDialWaitMax * 5 / 4);
}

TEST_CASE("book.waits_after_a_failure_and_not_after_a_success") {
    AddressBook book(kSeed);
    CHECK(!book.may_dial(at(1), Instant{}));
    CHECK(book.add(at(1)));
    CHECK(book.may_dial(at(1), Instant{}));
    book.failed(at(1), 1'000, hours(1));
    const auto wait = dial_wait(kSeed, at(1), 1);
    CHECK(!book.may_dial(at(1), hours(1) + wait - Duration(1)));
    CHECK(book.may_dial(at(1), hours(1) + wait));
    book.failed(at(1), 2'000, hours(2));
    CHECK(!book.may_dial(at(1), hours(2) + wait));
    CHECK(book.succeeded(at(1), key(7), 3'000));
    CHECK(book.may_dial(at(1), hours(2)));
    REQUIRE(book.find(at(1)) != nullptr);
    CHECK(*book.find(at(1)) == Known{key(7), 3'000, 2'000, 0});
}

TEST_CASE("book.hearsay_never_changes_what_a_handshake_proved") {
    AddressBook book(kSeed);
    CHECK(book.succeeded(at(1), key(1), 10));
    CHECK(book.add(at(1), key(9)));
    CHECK(book.find(at(1))->identity == key(1));
}

TEST_CASE("book.candidates_are_anchors_then_the_most_promising") {
    AddressBook book(kSeed);
    for (int i = 1; i <= 5; ++i) {
        CHECK(book.add(at(i)));
    }
    CHECK(book.succeeded(at(3), key(3), 100));
    CHECK(book.succeeded(at(4), key(4), 200));
    book.failed(at(1), 1, Instant{});
    book.set_anchors({at(5)});
    const auto later = hours(1);
    CHECK(book.candidates(later, 10) == std::vector{at(5), at(4), at(3), at(2), at(1)});
    CHECK(book.candidates(Instant{}, 10) == std::vector{at(5), at(4), at(3), at(2)});
    CHECK(book.candidates(later, 2) == std::vector{at(5), at(4)});
}

TEST_CASE("book.is_bounded_and_gives_up_the_worst_that_never_worked") {
    AddressBook book(kSeed);
    for (std::size_t i = 0; i < kMaxKnownEndpoints; ++i) {
        CHECK(book.add(at(static_cast<int>(i))));
    }
    CHECK(book.succeeded(at(1), key(1), 1));
    book.failed(at(1), 1, Instant{});
    book.failed(at(1), 1, Instant{});
    book.failed(at(2), 1, Instant{});
    CHECK(book.add(at(60'000)));
    CHECK(book.size() == kMaxKnownEndpoints);
    CHECK(book.find(at(2)) == nullptr);
    CHECK(book.find(at(1)) != nullptr);
    for (std::size_t i = 0; i < kMaxKnownEndpoints; ++i) {
        CHECK(book.succeeded(at(static_cast<int>(i)), key(1), 1));
    }
    CHECK(book.size() == kMaxKnownEndpoints);
    CHECK(book.add({"host.example", 1}).error().code == "peers.book_full");
}

TEST_CASE("book.refuses_what_can_not_be_dialled") {
    AddressBook book(kSeed);
    for (const auto& bad : {Endpoint{"", 1}, Endpoint{"10.0.0.1", 0}, Endpoint{"a b", 1},
                            Endpoint{std::string(kMaxAddressBytes + 1, 'a'), 1}}) {
        CHECK(book.add(bad).error().code == "peers.bad_address");
    }
    CHECK(book.add({"2001:db8::1", 9'000}));
    CHECK(book.add({"node-1.example", 9'000}));
}

TEST_CASE("book.anchors_are_known_unique_and_few") {
    AddressBook book(kSeed);
    std::vector<Endpoint> many{at(500), at(0), at(0)};
    for (int i = 0; i < 20; ++i) {
        CHECK(book.add(at(i)));
        many.push_back(at(i));
    }
    book.set_anchors(many);
    REQUIRE(book.anchors().size() == kMaxAnchors);
    CHECK(book.anchors()[0] == at(0));
    CHECK(book.anchors()[1] == at(1));
    book.forget(at(0));
    CHECK(book.anchors()[0] == at(1));
    CHECK(book.find(at(0)) == nullptr);
}

TEST_CASE("book.survives_through_its_bytes") {
    const auto bytes = sample().encode();
    AddressBook other(7);
    REQUIRE(other.restore(bytes));
    CHECK(other.encode() == bytes);
    CHECK(other.anchors() == std::vector{at(3), at(2)});
    CHECK(*other.find(at(1)) == Known{std::nullopt, 0, 6'000, 1});
    CHECK(other.may_dial(at(1), Instant{}));
    AddressBook empty(7);
    CHECK(other.restore(empty.encode()));
    CHECK(other.size() == 0);
}

TEST_CASE("book.refuses_damage_and_stays_as_it_was") {
    const auto bytes = sample().encode();
    AddressBook book(kSeed);
    CHECK(book.add(at(99)));
    const auto before = book.encode();
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        const auto read = book.restore(ByteView(bytes).first(cut));
        REQUIRE(!read);
        REQUIRE(read.error().code == "peers.book_corrupt");
    }
    auto longer = bytes;
    longer.push_back(0);
    CHECK(!book.restore(longer));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int bit : {0, 3, 7}) {
            auto flipped = bytes;
            flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1 << bit));
            AddressBook other(kSeed);
            if (other.restore(flipped)) {
                REQUIRE(other.encode() == flipped);  // another value, not another spelling of ours
            } else {
                REQUIRE(other.size() == 0);
            }
        }
    }
    CHECK(book.encode() == before);
}

TEST_CASE("book: one network's hearsay fills its own share only") {
    AddressBook book(kSeed);
    std::size_t taken = 0;
    for (std::uint16_t port = 1; port <= 2 * kMaxPerSource; ++port) {
        taken += book.add({"10.9.0.1", port}, {}, 7).has_value() ? 1 : 0;
    }
    CHECK(taken == kMaxPerSource);
    CHECK(book.add({"10.9.0.2", 1}, {}, 7).error().code == "peers.source_full");
    CHECK(book.add({"10.9.0.2", 1}, {}, 8));
    CHECK(book.add({"10.9.0.3", 1}));
}

TEST_CASE("book.shuffled_lets_sources_take_turns_and_prefers_nobody") {
    AddressBook book(kSeed);
    for (int i = 0; i < 200; ++i) {
        CHECK(book.add(at(i), {}, 7));  // one network floods
    }
    for (int source = 1; source <= 4; ++source) {
        CHECK(book.add(at(1'000 + source), {}, 100 + source));
    }
    CHECK(book.succeeded(at(0), key(1), 5'000));
    book.set_anchors({at(0)});
    std::size_t anchor_first = 0;
    std::set<std::vector<Endpoint>> orders;
    for (std::uint64_t dice = 0; dice < 100; ++dice) {
        const auto order = book.shuffled(Instant{}, dice);
        REQUIRE(order.size() == 204);
        CHECK(order == book.shuffled(Instant{}, dice));
        orders.insert(order);
        // All five networks, and whoever has worked, have had their turn before any has its second.
        const std::set<Endpoint> first(order.begin(), order.begin() + 6);
        for (int source = 1; source <= 4; ++source) {
            CHECK(first.contains(at(1'000 + source)));
        }
        CHECK(first.contains(at(0)));
        anchor_first += order[0] == at(0);
    }
    CHECK(orders.size() == 100);
    CHECK(anchor_first > 5);  // one in six
    CHECK(anchor_first < 35);
    book.failed(at(1'001), 6'000, Instant{});
    CHECK(book.shuffled(Instant{}, 1).size() == 203);  // it waits
}
