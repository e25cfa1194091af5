// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A Bitcoin transaction and block header, as far as a merged-mining proof needs them. Pure, any
//! thread; keeps the bytes rather than every field, and never judges amounts or scripts.
#include "plugins/consensus/federation/auxpow/wire.hpp"

namespace synod::federation {

/// A parsed transaction. Owns its bytes.
struct BitcoinTx {
    Bytes base;               ///< the serialisation without witness: what the txid hashes
    Bytes script_sig;         ///< of the first input
    Bytes witness_form;       ///< the bytes as they came when they had a witness, else empty
    uint64_t inputs = 0;      ///< at least 1
    uint64_t outputs = 0;     ///< 0 is allowed: some miners' proofs have none
    Hash32 first_prevout{};   ///< transaction id of the first input's previous output
    uint32_t first_index = 0; ///< its index

    /// One input with the null previous output (Bitcoin: a coinbase transaction).
    bool is_coinbase() const noexcept {
        return inputs == 1 && first_prevout == Hash32{} && first_index == 0xffffffffu;
    }
    /// Transaction id in internal order, by BIP 144 without the witness.
    Hash32 txid(const Hasher& hash) const { return hash(base); }
    /// The bytes as they came.
    ByteView wire() const noexcept {
        return witness_form.empty() ? ByteView(base) : ByteView(witness_form);
    }
};

/// Reads one transaction, witness form (BIP 144) or not, from where `in` stands; leaves `in` after
/// it. Fails `in` with truncated, compact_size, tx_no_inputs, tx_witness_flag or tx_witness_empty.
BitcoinTx read_transaction(Reader& in, ByteView whole);

inline constexpr size_t kBlockHeaderBytes = 80;

/// A Bitcoin block header of 80 bytes (Bitcoin developer reference, "Block Headers").
struct BlockHeader {
    uint32_t version = 0;
    Hash32 previous{};
    Hash32 merkle_root{};
    uint32_t time = 0; ///< s since 1970
    uint32_t bits = 0;
    uint32_t nonce = 0;

    std::array<uint8_t, kBlockHeaderBytes> encode() const;
    Hash32 hash(const Hasher& hash) const { return hash(encode()); }
    /// Merge-mined chains keep their id in the version's upper half.
    uint32_t chain_id() const noexcept { return version >> 16; }
};

BlockHeader read_block_header(Reader& in);

} // namespace synod::federation
