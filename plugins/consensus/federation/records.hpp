// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The rules of finality records on this chain: which bundle is next, and whether a record is it. Pure; consensus worker.
#include "plugins/consensus/federation/state.hpp"

namespace synod::federation {

inline constexpr size_t kDefaultPayoutBytes = 20;
inline constexpr uint64_t kMineTries = uint64_t{1} << 28; // hashes that record.mine spends at most

/// What the record changes, and its last check: the parent header's hash is at or below the target.
struct RecordEffect {
    BundleHeader bundle;
    Hash32 final_hash{};     ///< of the block at the end of the bundle's range
    uint64_t time_s = 0;     ///< of the slot that carries the record
    Hash32 hash{}; ///< of the bundle, internal order
    std::array<uint8_t, kBlockHeaderBytes> header{};
    Hash32 target{}; ///< little-endian

    void apply(Rooted& rooted) const;
};

/// Target of the next record after `rooted`. Fault: bits.*.
Outcome<uint32_t> bits_of_next(const Rooted& rooted);
/// The bundle that finalises up to `range_end` (0: the newest committed block). Fault: bundle.none, bundle.range.
Outcome<BundleHeader> next_bundle(const synod_state& state, uint64_t range_end, Bytes payout, const Hasher& hash);
/// Checks a record carried by the child of `state`'s head at `slot`.
Broken check_record(const synod_state& state, uint64_t slot, ByteView bytes, const Hasher& hash, RecordEffect& out);
/// True when a child of the head would be too far above the last final block. `rooted` is the state after the child.
bool work_overdue(const Rooted& rooted, uint64_t child_height);
/// Works on the bundle, the seed choosing where to start. Faults: bundle.*, auxpow.exhausted, bits.*.
Outcome<Bytes> mine_record(ByteView bundle, uint32_t seed, uint32_t time_s, const Hasher& hash);

} // namespace synod::federation
