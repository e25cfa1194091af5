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

TEST_CASE("checks.an_emptied_set_is_as_new_and_keeps_its_memory") {
    CheckSet set;
    const auto* w = set.writer();
    const std::uint8_t zero[96]{};
    const auto fill = [&] {
        for (std::uint32_t i = 0; i < 100; ++i) {
            w->signature(w->ctx, i, 1, zero, zero, {zero, 1});
            w->merkle(w->ctx, i, 2, zero, 1, zero);
        }
        return w->arena(w->ctx, 1'000);
    };
    const auto* scratch = fill();
    w->digest(w->ctx, 500, 9, {nullptr, 4}, zero);
    set.set_number(7);
    const auto* verdicts = set.batch().signatures.verdicts;
    set.clear();
    CHECK(set.writer() == w);
    CHECK(set.size() == 0);
    CHECK(set.signatures() == 0);
    CHECK(set.last_block() == 0);
    CHECK(set.number() == 0);
    CHECK_FALSE(set.has_null());
    CHECK(set.answered());
    CHECK_FALSE(set.first_failure());
    CHECK(set.verdicts().empty());
    CHECK(fill() == scratch);
    CHECK(set.batch().signatures.verdicts == verdicts);
    CHECK(set.size() == 200);
    CHECK(set.first_failure()->block == 0);
}

TEST_CASE("checks.an_emptied_set_has_all_of_its_scratch_again") {
    CheckSet set;
    const auto* w = set.writer();
    // However it was cut up before: a piece beyond the usual chunk first, one within it first.
    std::vector<std::size_t> room;
    for (const std::uint64_t piece : {1u << 20, 1u << 20, 1u << 10, 1u << 10, 1u << 20}) {
        REQUIRE(w->arena(w->ctx, piece) != nullptr);
        room.push_back(0);
        while (w->arena(w->ctx, 1u << 20) != nullptr) {
            ++room.back();
        }
        CHECK(room.back() >= (kMaxArenaBytes >> 20) - 2);
        set.clear();
    }
    CHECK(w->arena(w->ctx, kMaxArenaBytes) != nullptr);
    set.clear();
    CHECK(w->arena(w->ctx, kMaxArenaBytes) != nullptr);
}

TEST_CASE("checks.a_set_of_more_than_the_usual_checks_works_on_once_emptied") {
    CheckSet set;
    const auto* w = set.writer();
    const std::uint8_t zero[96]{};
    for (std::size_t i = 0; i <= kKeptChecks; ++i) {
        w->target(w->ctx, 0, 1, zero, zero);
    }
    set.clear();
    w->target(w->ctx, 3, 4, zero, zero);
    CHECK(set.batch().targets.n == 1);
    CHECK(set.first_failure()->rule == 4);
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
