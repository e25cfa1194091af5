// SPDX-License-Identifier: Apache-2.0
//! Mode catchup: a small gap is closed with as little delay as there can be, a large one as always.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/sync/fake_net.hpp"

using namespace synod;
using namespace synod::sync;
using namespace synod::sync::test;

namespace {

constexpr Height kSmall = 640;
constexpr Height kLarge = 50'000;

struct Run {
    Duration took{};
    std::uint64_t delivered = 0;
};

//! Until all is stored, with one of three peers silent.
Run run(Mode mode, Height tip, std::uint64_t seed) {
    FakeNet net(seed, tip);
    net.peer(1, {});
    net.peer(2, {});
    net.peer(3, {Manner::silent, 5ms, 9e6, {}});
    net.feed(EvidenceVerified{1, tip, hash_of(tip), tip});
    net.feed(Start{mode, {}, {}});
    REQUIRE(net.run_until(State::catching_up, 120s));
    while (net.head < tip && net.now < 120s) {
        (void)net.run_until(State::synced, 10ms);
    }
    CHECK(net.head == tip);
    CHECK(net.faults.empty());
    CHECK(net.penalised.empty());
    return {net.now, net.delivered};
}

}  // namespace

TEST_CASE("catchup: a silent peer costs a small gap no second, and a wait for more peers nothing") {
    Duration hurried{}, patient{};
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        hurried += run(Mode::catchup, kSmall, seed).took;
        patient += run(Mode::fast, kSmall, seed).took;
    }
    CHECK(hurried < patient / 2);
}

TEST_CASE("catchup: one usable peer is enough to begin with") {
    SyncConfig config;
    config.min_peers = 3;
    for (const auto mode : {Mode::catchup, Mode::fast}) {
        FakeNet net(1, kSmall, config);
        net.peer(1, {});
        net.feed(Start{mode, {}, {}});
        CHECK(net.run_until(State::downloading_headers, 1s) == (mode == Mode::catchup));
    }
}

TEST_CASE("catchup: a large gap is fetched in the same large ranges as in mode fast") {
    for (const auto mode : {Mode::catchup, Mode::fast}) {
        FakeNet net(1, kLarge);
        for (PeerId id = 1; id <= 4; ++id) {
            net.peer(id, {});
        }
        net.feed(EvidenceVerified{1, kLarge, hash_of(kLarge), kLarge});
        net.feed(Start{mode, {}, {}});
        REQUIRE(net.run_until(State::downloading_blocks, 60s));
        std::uint32_t largest = 0;
        while (net.head + 2'000 < kLarge && net.now < 60s) {
            (void)net.run_until(State::synced, 10ms);
            largest = std::max(largest, net.machine.snapshot(net.now).batch_blocks);
        }
        CHECK(largest > kAnchorStride);
        REQUIRE(net.run_until(State::catching_up, 60s));
        CHECK((net.machine.snapshot(net.now).batch_blocks == kAnchorStride) == (mode == Mode::catchup));
    }
}
