// SPDX-License-Identifier: Apache-2.0
//! How much of a long line the scheduler fills, in virtual time: what is asked for ahead must cover what
//! the line holds.
#include <doctest/doctest.h>

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

}  // namespace

TEST_CASE("a line of 100 Mbit/s is filled, however long it is") {
    for (const Duration latency : {Duration(1ms), Duration(50ms), Duration(150ms)}) {
        CAPTURE(latency.count());
        CHECK(use(1, latency, 12.5e6) > 0.95);
    }
    CHECK(use(4, 50ms, 5e6) > 0.9);
}
