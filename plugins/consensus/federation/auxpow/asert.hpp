// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The target of the next finality record: ASERT, integer form aserti3-2d (Bitcoin Cash upgrade
//! specification 2020-11-15, "ASERT difficulty adjustment algorithm"). Pure functions, any thread,
//! no clock.
#include "plugins/consensus/federation/auxpow/compact.hpp"

namespace synod::federation {

inline constexpr int64_t kAsertAimS = 60;        // s between records
inline constexpr int64_t kAsertHalfLifeS = 3600; // s of delay that double the target
inline constexpr int64_t kAsertMaxDiffS = int64_t{1}
                                          << 40; // s; larger differences count as this one

/// How the target moves. `easiest` is the chain's limit; `hardest` at least 1.
struct AsertParams {
    int64_t aim_s = kAsertAimS;
    int64_t half_life_s = kAsertHalfLifeS;
    U256 easiest;
    U256 hardest = U256::of(1);
};

/// anchor * 2^((time_diff_s - aim (record_diff + 1)) / half_life), clamped to [hardest, easiest].
/// `time_diff_s` counts from the anchor's parent to the newest record, `record_diff` records from
/// the anchor to the newest. Exact integer arithmetic: the same on every machine. Asserts aim and
/// half-life > 0, 1 <= hardest <= easiest.
U256 asert_target(const U256& anchor, int64_t time_diff_s, int64_t record_diff,
                  const AsertParams& params);

/// What the rule needs of the parent record: its bits and the chain's times of it and of the one
/// before it (s).
struct ParentRecord {
    uint32_t bits = 0;
    uint64_t time_s = 0;
    uint64_t previous_time_s = 0; ///< for the first record: the genesis time
};

/// nBits of the record after `parent`, with the parent as anchor. Faults: bits.* for a parent's
/// bits that are no target.
Outcome<uint32_t> next_bits(const ParentRecord& parent, const AsertParams& params);

} // namespace synod::federation
