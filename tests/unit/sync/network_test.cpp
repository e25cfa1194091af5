// SPDX-License-Identifier: Apache-2.0
//! The machine against whole fake networks under virtual time.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/sync/fake_net.hpp"

using namespace synod;
using namespace synod::sync;
using namespace synod::sync::test;

namespace {

void evidence(FakeNet& net, Height tip) {
    net.feed(EvidenceVerified{1, tip, hash_of(tip), tip});
}

}  // namespace

TEST_CASE("100,000 blocks from honest peers: synced, in order, at speed") {
    FakeNet net(1, 100'000);
    for (PeerId id = 1; id <= 4; ++id) {
        net.peer(id, {});
    }
    evidence(net, 100'000);
    net.feed(Start{});
    REQUIRE(net.run_until(State::synced, 120s));
    CHECK(net.head == 100'000);
    CHECK(net.faults.empty());
    CHECK(net.penalised.empty());
    CHECK(net.stalled.empty());
    // 60 MB over 4 x 5 MB/s is 3 s; slots and headers come on top.
    CHECK(net.now < 12s);
    CHECK(net.machine.snapshot(net.now).percentage == 100.0);
}

TEST_CASE("headers wait where the authorities change until the blocks are there, and nobody is blamed") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        FakeNet net(seed, 100'000);
        net.changes = {5'000, 5'001, 5'130, 60'000, 99'990};
        for (PeerId id = 1; id <= 3; ++id) {
            net.peer(id, {});
        }
        net.feed(Start{});
        const bool done = net.run_until(State::synced, 120s);
        INFO(net.machine.dump(net.now));
        REQUIRE(done);
        CHECK(net.head == 100'000);
        CHECK(net.faults.empty());
        CHECK(net.penalised.empty());
        CHECK(net.suspicions == 0);
        CHECK(net.stalled.empty());
        CHECK(net.now < 30s);
    }
}

TEST_CASE("who invents authorities holds the walk for a while, and is found out") {
    std::size_t found = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        FakeNet net(seed, 100'000);
        net.changes = {50'000};
        net.peer(1, {});
        net.peer(2, {});
        net.peer(3, {Manner::inventing, 5ms, 9e6, {}});
        evidence(net, 100'000);
        net.feed(Start{});
        REQUIRE(net.run_until(State::synced, 300s));
        CHECK(net.head == 100'000);
        for (const Penalise& p : net.penalised) {
            CHECK(p.peer == 3);
        }
        found += net.penalised.empty() ? 0 : 1;
    }
    CHECK(found > 0);
}

TEST_CASE("a machine that needs long for what came fast is not stalled") {
    FakeNet net(1, 40'000);
    net.block_cost = 8ms;
    for (PeerId id = 1; id <= 4; ++id) {
        net.peer(id, {Manner::honest, 5ms, 100e6, {}});
    }
    evidence(net, 40'000);
    net.feed(Start{});
    CHECK(net.run_until(State::synced, 400s));
    CHECK(net.stalled.empty());
    CHECK(net.faults.empty());
}

TEST_CASE("who cools down is asked again when nobody else has anything") {
    FakeNet net(1, 1'000);
    net.peer(1, {Manner::silent, 20ms, 5e6, {}});
    net.peer(2, {Manner::empty, 20ms, 5e6, {}});
    net.feed(PeerClaim{2, 0});
    evidence(net, 1'000);
    net.feed(Start{});
    CHECK_FALSE(net.run_until(State::synced, 20s));
    REQUIRE_FALSE(net.cooled.empty());
    net.manner(1, Manner::honest);
    CHECK(net.run_until(State::synced, 10s));  // no cool-down is over so soon
    CHECK(net.penalised.empty());
}

TEST_CASE("hostile, slow and dropping peers delay, and never stop, for many seeds") {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        CAPTURE(seed);
        FakeNet net(seed, 100'000);
        net.peer(1, {});
        net.peer(2, {Manner::honest, 80ms, 2e6, {}});
        net.peer(3, {Manner::slow, 300ms, 0, {}});
        net.peer(4, {Manner::dropping, 30ms, 3e6, {}});
        net.peer(5, {Manner::lying, 5ms, 9e6, {}});
        net.peer(6, {Manner::corrupt, 5ms, 9e6, {}});
        net.peer(7, {Manner::silent, 5ms, 9e6, {}});
        net.peer(8, {Manner::empty, 5ms, 9e6, {}});
        net.peer(9, {Manner::busy, 5ms, 3e6, {}});
        evidence(net, 100'000);
        net.feed(Start{});
        const bool done = net.run_until(State::synced, 600s);
        INFO(net.machine.dump(net.now));
        REQUIRE(done);
        CHECK(net.head == 100'000);
        CHECK(net.faults.empty());
        for (const Penalise& p : net.penalised) {
            const bool guilty = p.peer == 5 || p.peer == 6 || p.peer == 8;
            CHECK(guilty);  // the slow, the silent and the busy are never called liars
        }
    }
}

TEST_CASE("a silent peer is cooled down although others race past it, and nobody else is") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        SyncConfig config;
        config.window_blocks = 2'048;
        FakeNet net(seed, 20'000, config);
        for (PeerId id = 1; id <= 3; ++id) {
            net.peer(id, {});
        }
        net.peer(4, {Manner::silent, 5ms, 9e6, {}});
        evidence(net, 20'000);
        net.feed(Start{});
        REQUIRE(net.run_until(State::synced, 120s));
        CHECK(net.now < 30s);
        CHECK_FALSE(net.run_until(State::failed, 20s));  // its requests end while it is synced
        CHECK_FALSE(net.cooled.empty());
        for (const CoolDown& c : net.cooled) {
            CHECK(c.peer == 4);
        }
        for (const Disconnect& d : net.disconnected) {
            CHECK(d.peer == 4);
        }
        CHECK(net.penalised.empty());
        CHECK(net.faults.empty());
        CHECK(net.machine.snapshot(net.now).open_requests <= 1);  // a look above the tip at most
    }
}

TEST_CASE("silent peers hold the walk of the headers for seconds only; a slow line stops nothing") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        SyncConfig config;
        config.headers_max = 2'000;
        FakeNet net(seed, 20'000, config);
        net.peer(1, {});
        net.peer(2, {});
        net.peer(3, {Manner::silent, 5ms, 9e6, {}});
        net.peer(4, {Manner::silent, 5ms, 9e6, {}});
        evidence(net, 20'000);
        net.feed(Start{});
        REQUIRE(net.run_until(State::synced, 120s));
        CHECK(net.now < 15s);  // 4 s of it are two slots at the tip

        FakeNet far(seed, 20'000, config);
        for (PeerId id = 1; id <= 3; ++id) {
            far.peer(id, {Manner::honest, 4s, 1e6, {}});
        }
        evidence(far, 20'000);
        far.feed(Start{});
        REQUIRE(far.run_until(State::synced, 300s));
        CHECK(far.penalised.empty());
        CHECK(far.cooled.empty());
    }
}

TEST_CASE("headers that a peer cuts where its packs end cost one more request, and no wait") {
    FakeNet net(1, 20'000);
    net.header_seam = 19'998;
    net.peer(1, {});
    evidence(net, 20'000);
    net.feed(Start{});
    REQUIRE(net.run_until(State::downloading_blocks, 10s));
    CHECK(net.now < 1s);
}

TEST_CASE("a peer that is often busy is asked for nothing twice") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        SyncConfig config;
        config.soft_bytes = 32U << 10;  // a range takes many replies
        FakeNet net(seed, 20'000, config);
        net.peer(1, {Manner::busy, 20ms, 5e6, {}});
        evidence(net, 20'000);
        net.feed(Start{});
        const bool done = net.run_until(State::synced, 600s);
        INFO(net.machine.dump(net.now));
        REQUIRE(done);
        CHECK(net.delivered <= 21'000);
        CHECK(net.penalised.empty());
    }
}

TEST_CASE("one peer is enough, and its lie is found when an honest one comes") {
    FakeNet net(3, 20'000);
    net.peer(1, {});
    evidence(net, 20'000);
    net.feed(Start{});
    CHECK(net.run_until(State::synced, 60s));
}
