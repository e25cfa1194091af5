// SPDX-License-Identifier: Apache-2.0
//! What each tier may cost within ten seconds (behaviour.md section 11).
#include "core/app/node/cost_limits.hpp"

#include <doctest/doctest.h>

#include "core/net/token_bucket.hpp"

using namespace synod;
using namespace synod::app;

TEST_CASE("cost: what the operator gives a regular peer scales the others' share") {
    constexpr std::uint64_t kGiB = 1ull << 30;
    CHECK(cost_share(peers::Tier::kRegular, kGiB) == kGiB);
    CHECK(cost_share(peers::Tier::kMiner, kGiB) == 2 * kGiB);
    CHECK(cost_share(peers::Tier::kFederation, kGiB) == 8 * kGiB);
}

TEST_CASE("cost: in 10 s a regular peer may cost 32 MiB, a miner 64, an authority 256") {
    constexpr std::uint64_t kMiB = 1u << 20;
    const auto granted = [&](peers::Tier tier) {
        net::TokenBucket bucket(cost_share(tier), kCostPeriod, Instant{});
        std::uint64_t mib = 0;
        while (bucket.try_take(kMiB, Instant{})) {
            ++mib;
        }
        CHECK(bucket.wait(cost_share(tier), Instant{}) >= std::chrono::seconds(10));
        return mib;
    };
    CHECK(granted(peers::Tier::kRegular) == 32);
    CHECK(granted(peers::Tier::kMiner) == 64);
    CHECK(granted(peers::Tier::kFederation) == 256);
}
