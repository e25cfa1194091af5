// SPDX-License-Identifier: Apache-2.0
//! How much of a long line the scheduler fills, in virtual time: what is asked for ahead must cover what
//! the line holds. And that a narrow one is asked for no more than it brings before a deadline.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/sync/fake_net.hpp"

using namespace synod;
using namespace synod::sync;
using namespace synod::sync::test;

namespace {

constexpr Height kTip = 200'000;

//! Share of all lines' speed that blocks arrived at, between a tenth and nine tenths of the chain.
double use(std::size_t peers, Duration latency, double speed) {
    FakeNet net(1, kTip);
    for (PeerId id = 1; id <= peers; ++id) {
        net.peer(id, {Manner::honest, latency, speed, {}});
    }
    net.feed(EvidenceVerified{1, kTip, hash_of(kTip), kTip});
    net.feed(Start{});
    const auto reach = [&](Height height) {
        while (net.head < height && net.now < 600s) {
            (void)net.run_until(State::synced, 1ms);
        }
        return net.head;
    };
    const auto from = reach(kTip / 10);
    const auto began = net.now;
    const auto to = reach(kTip / 10 * 9);
    REQUIRE(to > from);
    const auto seconds = std::chrono::duration<double>(net.now - began).count();
    return static_cast<double>((to - from) * FakeNet::kBlockBytes) / seconds /
           (speed * static_cast<double>(peers));
}

//! Narrow as it is, half of the line at least is used, and nobody is blamed for it.
void syncs_over(FakeNet& net, std::uint64_t bytes, double speed) {
    const std::chrono::duration<double> least(static_cast<double>(bytes) / speed);
    CHECK(net.run_until(State::synced, std::chrono::duration_cast<Duration>(least * 2)));
    CHECK(std::ranges::find(net.states, State::failed) == net.states.end());
    CHECK(std::ranges::find(net.states, State::recovering) == net.states.end());
    CHECK(net.penalised.empty());
    CHECK(net.disconnected.empty());
    CHECK(net.faults.empty());
}

}  // namespace

TEST_CASE("a line of 100 Mbit/s is filled, however long it is") {
    for (const Duration latency : {Duration(1ms), Duration(50ms), Duration(150ms)}) {
        CAPTURE(latency.count());
        CHECK(use(1, latency, 12.5e6) > 0.95);
    }
    CHECK(use(4, 50ms, 5e6) > 0.9);
}

TEST_CASE("a line that brings no usual reply before the longest deadline is asked for smaller ones, and syncs") {
    constexpr Height kShortTip = 4'000;
    for (const double speed : {5e3, 10e3, 20e3, 40e3}) {
        CAPTURE(speed);
        FakeNet net(1, kShortTip);
        net.peer(1, {Manner::honest, 100ms, speed, {}});
        net.feed(EvidenceVerified{1, kShortTip, hash_of(kShortTip), kShortTip});
        net.feed(Start{});
        syncs_over(net, kShortTip * (FakeNet::kBlockBytes + FakeNet::kHeaderBytes), speed);
    }
}

TEST_CASE("a line that becomes narrow while blocks flow is asked for smaller replies, and syncs") {
    constexpr Height kLongerTip = 20'000;
    constexpr double kWide = 2e6, kNarrow = 40e3;
    FakeNet net(1, kLongerTip);
    net.peer(1, {Manner::honest, 100ms, kWide, {}});
    net.feed(EvidenceVerified{1, kLongerTip, hash_of(kLongerTip), kLongerTip});
    net.feed(Start{});
    while (net.head < kLongerTip / 2 && net.now < 60s) {
        (void)net.run_until(State::synced, 1ms);
    }
    REQUIRE(net.head >= kLongerTip / 2);
    REQUIRE(net.head < kLongerTip);
    net.line(1, kNarrow);
    syncs_over(net, (kLongerTip - net.head) * FakeNet::kBlockBytes, kNarrow);
}
