// SPDX-License-Identifier: Apache-2.0
//! Who goes when a newcomer wants a place.
#include "core/peers/eviction.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::peers;
using namespace std::chrono_literals;

namespace {

Evictable inbound(std::uint64_t id, std::uint64_t group, Duration connected) {
    Evictable out;
    out.id = id;
    out.group = group;
    out.inbound = true;
    out.latency = 100ms;
    out.connected = connected;
    return out;
}

//! Twenty honest links from twenty networks, an hour old and older.
std::vector<Evictable> honest() {
    std::vector<Evictable> out;
    for (std::uint64_t i = 1; i <= 20; ++i) {
        out.push_back(inbound(i, i, 1h + i * 1min));
    }
    return out;
}

}  // namespace

TEST_CASE("eviction: the youngest link of the most crowded network goes") {
    auto links = honest();
    for (std::uint64_t i = 100; i < 140; ++i) {
        links.push_back(inbound(i, 7'777, 1min + (i - 100) * 1s));
    }
    CHECK(choose_eviction(links) == 100);
}

TEST_CASE("eviction: a flood from one network never pushes out the others") {
    auto links = honest();
    std::uint64_t next = 1'000;
    for (int i = 0; i < 50; ++i) {
        links.push_back(inbound(next++, 7'777, 1s));
    }
    for (int round = 0; round < 200; ++round) {
        const auto goes = choose_eviction(links);
        REQUIRE(goes);
        CHECK(*goes >= 1'000);
        std::erase_if(links, [&](const Evictable& l) { return l.id == *goes; });
        links.push_back(inbound(next++, 7'777, 1s));
    }
}

TEST_CASE("eviction: links that we dialled, authorities, miners, the near and the useful stay") {
    std::vector<Evictable> links;
    for (std::uint64_t i = 1; i <= 40; ++i) {
        links.push_back(inbound(i, 1, 1s));
    }
    for (int i = 0; i < 10; ++i) {
        links[i].inbound = false;
        links[10 + i].tier = i % 2 == 0 ? Tier::kFederation : Tier::kMiner;
    }
    for (int i = 20; i < 24; ++i) {
        links[i].latency = 1ms;
        links[i + 4].blocks = 100;
    }
    for (int round = 0; round < 40; ++round) {
        const auto goes = choose_eviction(links);
        if (!goes) {
            break;
        }
        CHECK(*goes > 28);
        std::erase_if(links, [&](const Evictable& l) { return l.id == *goes; });
    }
    CHECK(links.size() == 28);  // who is left is who stays
    CHECK_FALSE(choose_eviction({}));
}
