// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/check_set.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::pipeline;

TEST_CASE("checks.first_failure_is_lowest_block_then_lowest_rule_across_groups") {
    CheckSet set;
    const auto* w = set.writer();
    const std::uint8_t zero[96]{};
    w->signature(w->ctx, 2, 7, zero, zero, {zero, 1});
    w->digest(w->ctx, 1, 9, {zero, 1}, zero);
    w->merkle(w->ctx, 1, 3, zero, 1, zero);
    w->target(w->ctx, 0, 1, zero, zero);
    const auto batch = set.batch();
    CHECK(set.first_failure()->block == 0);  // unknown is not success
    batch.targets.verdicts[0] = SYNOD_VERDICT_HOLDS;
    batch.signatures.verdicts[0] = SYNOD_VERDICT_FAILS;
    batch.digests.verdicts[0] = SYNOD_VERDICT_FAILS;
    batch.merkles.verdicts[0] = SYNOD_VERDICT_FAILS;
    CHECK(set.first_failure()->block == 1);
    CHECK(set.first_failure()->rule == 3);
    batch.merkles.verdicts[0] = SYNOD_VERDICT_HOLDS;
    CHECK(set.first_failure()->rule == 9);
    batch.digests.verdicts[0] = SYNOD_VERDICT_HOLDS;
    batch.signatures.verdicts[0] = SYNOD_VERDICT_HOLDS;
    CHECK(!set.first_failure());
    CHECK(set.verdicts() == Bytes{1, 1, 1, 1});
    CHECK(set.size() == 4);
}

TEST_CASE("checks.arena_is_aligned_stable_and_bounded") {
    CheckSet set;
    const auto* w = set.writer();
    auto* first = w->arena(w->ctx, 5);
    first[4] = 42;
    std::size_t total = 0;
    while (auto* p = w->arena(w->ctx, 1u << 20)) {
        CHECK(reinterpret_cast<std::uintptr_t>(p) % 16 == 0);
        p[(1u << 20) - 1] = 1;
        total += 1u << 20;
        REQUIRE(total <= kMaxArenaBytes);
    }
    CHECK(total >= kMaxArenaBytes / 2);
    CHECK(first[4] == 42);
}
