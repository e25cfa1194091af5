// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A merged-mining proof (AuxPoW) in Namecoin's wire format: reading, writing, checking rule by
//! rule, and building a minimal one. Pure functions, any thread; the hash is injected. It knows
//! nothing of blocks, stores or the network.
#include "plugins/consensus/federation/auxpow/bitcoin_tx.hpp"
#include "plugins/consensus/federation/auxpow/compact.hpp"

namespace synod::federation {

inline constexpr size_t kMaxAuxPowBytes = 64 * 1024; // bytes of one encoded proof
inline constexpr size_t kMaxChainBranch = 30;        // hashes (Namecoin: 30)
inline constexpr size_t kMaxCoinbaseBranch = 30;     // hashes: a parent block of 2^30 transactions
inline constexpr size_t kLegacyRootReach =
    20; // bytes before the root when there is no magic (Namecoin)
inline constexpr std::array<uint8_t, 4> kMergedMiningMagic{0xfa, 0xbe, 0x6d, 0x6d};

/// The siblings on the way from a leaf to a Merkle root; bit i of `index` set: sibling i stands on
/// the left.
struct MerkleBranch {
    std::vector<Hash32> siblings;
    uint32_t index =
        0; ///< int32 on the wire; a negative one reads as >= 2^31 and is never a valid slot

    Hash32 fold(const Hasher& hash, Hash32 leaf) const;
};

struct AuxPow {
    BitcoinTx coinbase;
    Hash32 block_hash{}; ///< carried, never looked at
    MerkleBranch coinbase_branch;
    MerkleBranch chain_branch;
    BlockHeader parent;
};

/// Reads a proof from where `in` stands over `whole`; leaves `in` after it. Faults of `in` as in
/// read_transaction().
AuxPow read_auxpow(Reader& in, ByteView whole);
/// Reads exactly one proof. Faults: auxpow.too_large, auxpow.trailing, auxpow.truncated,
/// auxpow.compact_size, auxpow.tx_no_inputs, auxpow.tx_witness_flag, auxpow.tx_witness_empty.
/// `where` is the byte's offset.
Outcome<AuxPow> parse_auxpow(ByteView bytes);
/// The wire form; parse_auxpow() of it gives the same proof.
Bytes encode_auxpow(const AuxPow& proof);
/// Drops what no rule binds: the coinbase's witness and the ignored block hash.
void normalise(AuxPow& proof);
/// A coded constant for a reader's sticky failure under `auxpow.`.
Fault auxpow_fault(const Reader& in);

/// The slot of a chain in the tree of 2^height chains (Namecoin's getExpectedIndex; arithmetic
/// modulo 2^32). Height
/// <= 30.
uint32_t expected_slot(uint32_t nonce, uint32_t chain_id, uint32_t height);

enum class Verdict { holds, fails, unreached };

/// One rule's outcome. `unreached`: an earlier rule took away what it looks at, or no target was
/// given.
struct Rule {
    const char* code; ///< such as "auxpow.slot"
    const char* name; ///< what must be true
    Verdict verdict;
    std::string detail;
};

struct CheckReport {
    std::vector<Rule> rules; ///< always all kRuleCount, in the order of the README

    bool ok() const noexcept; ///< no rule fails (those unreached for want of a target do not count)
    const Rule* first_failure() const noexcept; ///< null when ok()
};
inline constexpr size_t kRuleCount = 14;

/// Checks that `proof` is work for the block `aux_hash` (internal order) of the chain `chain_id`.
/// Without a target the last rule is unreached. Rules as in Namecoin's CAuxPow::check, two added:
/// see the README.
CheckReport check_auxpow(const AuxPow& proof, const Hash32& aux_hash, uint32_t chain_id,
                         const std::optional<U256>& target, const Hasher& hash);

/// What build_auxpow() needs. Everything is the caller's, so the same input gives the same proof.
struct BuildInput {
    Hash32 aux_hash{}; ///< internal order
    uint32_t chain_id = 0;
    U256 target;
    uint32_t parent_time = 0;               ///< s since 1970, goes into the parent header
    uint32_t parent_bits = 0x207fffff;      ///< goes into the parent header, meaningless here
    uint32_t first_nonce = 0;               ///< grinding starts here and wraps
    uint64_t max_tries = uint64_t{1} << 32; ///< hashes of the parent header at most
};

/// A minimal proof: empty branches, a coinbase of one input with the commitment and no output, an
/// otherwise empty parent. Takes about 2^256 / target hashes. Fault: auxpow.exhausted after
/// max_tries.
Outcome<AuxPow> build_auxpow(const BuildInput& input, const Hasher& hash);

} // namespace synod::federation
