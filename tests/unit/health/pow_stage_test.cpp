// SPDX-License-Identifier: Apache-2.0
#include "core/health/pow_stage.hpp"

#include <doctest/doctest.h>

using namespace synod::health;

TEST_CASE("pow stage: warning at half of the limit, critical at 80 %, halted at all of it") {
    CHECK(pow_stage(0, 10'000) == PowStage::fine);
    CHECK(pow_stage(4'999, 10'000) == PowStage::fine);
    CHECK(pow_stage(5'000, 10'000) == PowStage::warning);
    CHECK(pow_stage(7'999, 10'000) == PowStage::warning);
    CHECK(pow_stage(8'000, 10'000) == PowStage::critical);
    CHECK(pow_stage(9'999, 10'000) == PowStage::critical);
    CHECK(pow_stage(10'000, 10'000) == PowStage::halted);
    CHECK(pow_stage(10'001, 10'000) == PowStage::halted);
    CHECK(pow_stage(0, 1) == PowStage::fine);
    CHECK(pow_stage(1, 1) == PowStage::halted);
}

TEST_CASE("pow stage: a chain without merged mining has none") {
    CHECK(pow_stage(1'000'000, ~0ull) == PowStage::off);
    CHECK(pow_stage(5, 0) == PowStage::off);
    CHECK(name(PowStage::halted) == "halted");
}
