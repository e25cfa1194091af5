// SPDX-License-Identifier: Apache-2.0
//! Whom to dial and when.
#include "core/app/node/dialer.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace synod;
using namespace synod::app;
using namespace std::chrono_literals;

namespace {

constexpr UnixMs kUnix = 1'700'000'000'000;
constexpr Instant kNow{1h};
const auto kNobody = [](const PublicKey&) { return false; };
const auto kAlike = [](const PublicKey&) { return peers::Tier::kRegular; };

PublicKey key(std::uint8_t n) {
    PublicKey out;
    out.data.fill(n);
    return out;
}

net::PeerInfo link(std::string dialled, std::uint16_t port, std::uint8_t who) {
    net::PeerInfo out;
    out.id = who;
    out.identity = key(who);
    out.address = "127.0.0.1";
    out.dialled = std::move(dialled);
    out.port = port;
    out.outbound = true;
    return out;
}

}  // namespace

TEST_CASE("dialer: a host name is dialled once, and again after its link ended") {
    Dialer dialer({{"localhost", 9000, {}}}, key(9), 1);
    auto due = dialer.due(kNow, 0, kNobody, kAlike);
    REQUIRE(due.size() == 1);
    CHECK(due[0].address == "localhost");
    CHECK(dialer.due(kNow + 1h, 0, kNobody, kAlike).empty());  // still open
    const auto up = link("localhost", 9000, 1);
    CHECK(dialer.up(up, 1, kUnix, kNow));
    CHECK(dialer.due(kNow + 1h, 1, kNobody, kAlike).empty());  // linked
    dialer.down(up, kNow + kShortLink);
    CHECK(dialer.due(kNow + kShortLink, 0, kNobody, kAlike).size() == 1);
}

TEST_CASE("dialer: who hangs up at once is dialled ever more rarely") {
    Dialer dialer({{"10.0.0.1", 9000, {}}}, key(9), 1);
    auto now = kNow;
    Duration last{};
    for (int i = 0; i < 12; ++i) {
        REQUIRE(dialer.due(now, 0, kNobody, kAlike).size() == 1);
        const auto up = link("10.0.0.1", 9000, 1);
        dialer.up(up, 1, kUnix, now);
        dialer.down(up, now);
        const auto ended = now;
        while (dialer.due(now, 0, kNobody, kAlike).empty()) {
            now += 100ms;
            REQUIRE(now - ended < 2min);
        }
        dialer.failed("10.0.0.1", 9000, kUnix, now - 1h);  // close that dial, without a wait
        last = now - ended;
    }
    CHECK(last > 30s);
}

TEST_CASE("dialer: failures back off; the identity decides who is skipped") {
    Dialer dialer({{"10.0.0.1", 9000, key(1)}, {"10.0.0.2", 9000, key(2)}}, key(9), 1);
    CHECK(dialer.due(kNow, 0, [](const PublicKey& k) { return k == key(2); }, kAlike).size() == 1);
    dialer.failed("10.0.0.1", 9000, kUnix, kNow);
    const auto soon = dialer.due(kNow + 1ms, 0, kNobody, kAlike);
    REQUIRE(soon.size() == 1);
    CHECK(soon[0].address == "10.0.0.2");
    CHECK(dialer.due(kNow + 1min, 0, kNobody, kAlike).size() == 1);
}

TEST_CASE("dialer: what others say fills up, within bounds, and never ourselves") {
    Dialer dialer({}, key(9), 1, 3);
    std::vector<net::ListedPeer> listed;
    for (std::uint8_t i = 0; i < 200; ++i) {
        listed.push_back({"10.0.1." + std::to_string(i), 9000, key(i)});
    }
    listed.push_back({"not an address", 9000, key(201)});
    listed.push_back({"10.0.2.1", 0, key(202)});
    dialer.learn(listed, 5);
    CHECK(dialer.known() == kMaxLearned);
    auto due = dialer.due(kNow, 1, kNobody, kAlike);
    CHECK(due.size() == 2);  // with one link up, two more are wanted
    CHECK(std::ranges::none_of(due, [](const auto& d) { return d.identity == key(9); }));
    CHECK(dialer.due(kNow + 2s, 1, kNobody, kAlike).empty());
}

TEST_CASE("dialer: the book survives a restart, and what worked comes first") {
    Dialer dialer({{"10.0.0.1", 9000, {}}, {"10.0.0.2", 9000, {}}}, key(9), 1);
    CHECK_FALSE(dialer.changed_book());
    dialer.due(kNow, 0, kNobody, kAlike);
    dialer.up(link("10.0.0.2", 9000, 2), 1, kUnix, kNow);
    dialer.failed("10.0.0.1", 9000, kUnix, kNow);
    const auto book = dialer.changed_book();
    REQUIRE(book);
    CHECK_FALSE(dialer.changed_book());
    Dialer again({}, key(9), 1, 1);
    REQUIRE(again.restore(*book));
    const auto due = again.due(kNow, 0, kNobody, kAlike);
    REQUIRE(due.size() == 1);
    CHECK(due[0].address == "10.0.0.2");
    CHECK(due[0].identity == key(2));
    CHECK_FALSE(again.restore(Bytes(3, 7)));
}

TEST_CASE("dialer: with all places taken one unknown endpoint is felt for now and then, and let go") {
    Dialer dialer({{"10.0.0.3", 9000, {}}}, key(9), 1, 1);
    REQUIRE(dialer.due(kNow, 0, kNobody, kAlike).size() == 1);
    CHECK(dialer.up(link("10.0.0.3", 9000, 3), 1, kUnix, kNow));
    dialer.learn({{"10.0.1.1", 9000, key(1)}, {"10.0.1.2", 9000, key(2)}}, 5);
    const auto felt = dialer.due(kNow, 1, kNobody, kAlike);
    REQUIRE(felt.size() == 1);
    CHECK(dialer.due(kNow + kFeelerEvery - 1s, 1, kNobody, kAlike).empty());
    CHECK_FALSE(dialer.up(link(felt[0].address, 9000, 1), 5, kUnix, kNow));
    const auto next = dialer.due(kNow + kFeelerEvery, 1, kNobody, kAlike);
    REQUIRE(next.size() == 1);
    CHECK(next[0].address != felt[0].address);  // that one is known to work now
    dialer.failed(next[0].address, 9000, kUnix, kNow + kFeelerEvery);
    // Once there is room, the one that was felt is dialled for good.
    const auto due = dialer.due(kNow + kFeelerEvery + 1ms, 0, kNobody, kAlike);
    REQUIRE(due.size() == 1);
    CHECK(due[0].address == felt[0].address);
    CHECK(dialer.up(link(due[0].address, 9000, 1), 5, kUnix, kNow));
}

TEST_CASE("dialer: the federation is dialled first, then miners, then the rest") {
    const auto tier = [](const PublicKey& k) {
        return k == key(3) || k == key(40)   ? peers::Tier::kFederation
               : k == key(2) || k == key(30) ? peers::Tier::kMiner
                                             : peers::Tier::kRegular;
    };
    const auto ports = [](const std::vector<PeerAddress>& due) {
        std::vector<std::uint16_t> out;
        for (const auto& one : due) {
            out.push_back(one.port);
        }
        return out;
    };
    std::vector<PeerAddress> told{{"10.0.0.1", 1, key(1)}, {"10.0.0.2", 2, key(2)},
                                  {"10.0.0.3", 3, key(3)}, {"10.0.0.4", 4, {}}};
    Dialer dialer(told, key(9), 1);
    CHECK(ports(dialer.due(kNow, 0, kNobody, tier)) == std::vector<std::uint16_t>{3, 2, 1, 4});
    // A name that isn't told but was proven counts too.
    for (const auto& one : told) {
        dialer.failed(one.address, one.port, kUnix, kNow - 1h);
    }
    auto proven = link("10.0.0.4", 4, 40);
    CHECK(dialer.up(proven, 1, kUnix, kNow));
    dialer.down(proven, kNow + kShortLink);
    CHECK(ports(dialer.due(kNow + 2h, 0, kNobody, tier)) == std::vector<std::uint16_t>{3, 4, 2, 1});

    Dialer filling({}, key(9), 1, 3);
    filling.learn({{"10.0.1.1", 11, key(11)}, {"10.0.1.2", 12, key(12)}, {"10.0.1.3", 30, key(30)},
                   {"10.0.1.4", 40, key(40)}}, 5);
    const auto filled = ports(filling.due(kNow, 0, kNobody, tier));
    REQUIRE(filled.size() == 3);
    CHECK(filled[0] == 40);
    CHECK(filled[1] == 30);  // the third is drawn
}

TEST_CASE("dialer: a third of what the book fills is drawn from all that is known, not preferred") {
    constexpr std::size_t kProven = 30, kTold = 60, kWanted = 12;
    std::size_t strangers = 0, drawn = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Dialer dialer({}, key(9), seed, kWanted);
        for (std::uint8_t i = 1; i <= kProven; ++i) {
            const auto proven = link("10.0." + std::to_string(i) + ".1", 9000, i);
            CHECK(dialer.up(proven, i, kUnix, kNow - 1h));
            dialer.down(proven, kNow - 1h + kShortLink);
        }
        for (std::uint8_t i = 1; i <= kTold; ++i) {
            dialer.learn({{"10.1." + std::to_string(i) + ".1", 9000, key(static_cast<std::uint8_t>(100 + i))}}, i);
        }
        const auto due = dialer.due(kNow, 0, kNobody, kAlike);
        REQUIRE(due.size() == kWanted);
        const auto told = std::ranges::count_if(due, [](const auto& d) { return d.address.starts_with("10.1."); });
        CHECK(told <= 4);
        strangers += static_cast<std::size_t>(told);
        // Preference alone would never get past the newest anchors and, of the equal ones, the first names.
        drawn += told > 0;
    }
    // 400 draws, each a stranger in two of three cases.
    CHECK(strangers > 200);
    CHECK(strangers < 320);
    CHECK(drawn > 90);
}

TEST_CASE("dialer: a draw that failed is drawn again, and what is preferred doesn't take its place") {
    Dialer dialer({}, key(9), 1, 12);
    std::vector<net::PeerInfo> proven;
    for (std::uint8_t i = 1; i <= 12; ++i) {
        proven.push_back(link("10.0." + std::to_string(i) + ".1", 9000, i));
        dialer.up(proven.back(), i, kUnix, kNow - 1h);
        dialer.down(proven.back(), kNow - 1h + kShortLink);
    }
    for (std::uint8_t i = 1; i <= 60; ++i) {
        dialer.learn({{"10.1." + std::to_string(i) + ".1", 9000, key(static_cast<std::uint8_t>(100 + i))}}, i);
    }
    // Every stranger fails and whoever is proven is linked: eight of them by preference at the very most
    // until the draw has fallen on others.
    auto now = kNow;
    std::size_t links = 0;
    for (const auto& due : dialer.due(now, 0, kNobody, kAlike)) {
        if (due.address.starts_with("10.0.")) {
            dialer.up(link(due.address, due.port, 1), 1, kUnix, now);
            ++links;
        } else {
            dialer.failed(due.address, due.port, kUnix, now);
        }
    }
    REQUIRE(links < 12);
    const auto again = dialer.due(now + kFillEvery, links, kNobody, kAlike);
    CHECK(again.size() == 12 - links);
    const bool any_stranger =
        std::ranges::any_of(again, [](const auto& d) { return d.address.starts_with("10.1."); });
    CHECK(any_stranger);
}

TEST_CASE("dialer: however many come in, three in ten links are dialled") {
    constexpr std::size_t kInbound = 70;
    Dialer dialer({}, key(9), 1, 50);
    for (std::uint8_t i = 1; i <= 100; ++i) {
        dialer.learn({{"10.1." + std::to_string(i) + ".1", 9000, key(static_cast<std::uint8_t>(100 + i))}}, i);
    }
    std::size_t outbound = 0;
    for (auto now = kNow; now < kNow + 1min; now += kFillEvery) {
        const auto due = dialer.due(now, kInbound + outbound, kNobody, kAlike);
        for (const auto& one : due) {
            outbound += dialer.up(link(one.address, one.port, 1), 1, kUnix, now) ? 1 : 0;
        }
    }
    CHECK(outbound == 30);
    // Who wants none but the manifest's peers is taken at its word.
    Dialer closed({}, key(9), 1, 0);
    closed.learn({{"10.1.1.1", 9000, key(1)}}, 5);
    CHECK(closed.due(kNow, kInbound, kNobody, kAlike).empty());
}
