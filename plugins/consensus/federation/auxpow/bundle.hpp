// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a finality record says: the bundle header that is committed to in a parent chain's
//! coinbase, and the record (header and proof) that a block carries. One valid encoding each. Pure
//! functions, any thread.
#include "plugins/consensus/federation/auxpow/auxpow.hpp"

namespace synod::federation {

inline constexpr uint32_t kBundleVersion = 1;
inline constexpr size_t kMinPayoutBytes = 20;                // bytes
inline constexpr size_t kMaxPayoutBytes = 32;                // bytes
inline constexpr size_t kMaxFinalityRecordBytes = 64 * 1024; // bytes of header and proof together

struct BundleHeader {
    uint32_t version = kBundleVersion;
    uint32_t chain_id = 0;
    uint64_t range_start = 1; ///< first height, at least 1: the genesis block is in no bundle
    uint64_t range_end = 1;   ///< last height, inclusive
    uint32_t bits = 0;        ///< the target that the proof meets
    Hash32 blocks_root{};     ///< range_root() of the block hashes in height order
    Bytes payout;             ///< 20..32 bytes, opaque
    uint64_t governance_sequence = 0;

    friend bool operator==(const BundleHeader&, const BundleHeader&) = default;
};

/// The header's only encoding (69 + payout bytes). Faults: bundle.version, bundle.range,
/// bundle.payout.
Outcome<Bytes> encode_bundle(const BundleHeader& header);
/// Reads exactly one header. Faults as above and bundle.truncated, bundle.trailing.
Outcome<BundleHeader> decode_bundle(ByteView bytes);
/// Double SHA-256 of the encoding, internal order: the aux block hash. Faults as encode_bundle().
Outcome<Hash32> bundle_hash(const BundleHeader& header, const Hasher& hash);

/// Merkle root of the block hashes, oldest first: pairs hashed, an odd last node moves up
/// unchanged. The header's range fixes the number of leaves, so no two lists of it share a root.
/// Fault: bundle.range for an empty list.
Outcome<Hash32> range_root(std::vector<Hash32> hashes, const Hasher& hash);

struct FinalityRecord {
    BundleHeader bundle;
    AuxPow proof;
};

/// Header then proof, the proof in normal form (see normalise()). Faults: bundle.*,
/// record.too_large.
Outcome<Bytes> encode_record(const FinalityRecord& record);
/// Reads exactly one record. Faults: record.too_large, record.trailing, record.not_normal (a
/// witness or a non-zero block hash: bytes that no rule binds), bundle.*, auxpow.*. It checks
/// encoding only: the rules are check_auxpow()'s.
Outcome<FinalityRecord> decode_record(ByteView bytes);

} // namespace synod::federation
