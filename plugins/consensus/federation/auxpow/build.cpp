// SPDX-License-Identifier: Apache-2.0
#include "plugins/consensus/federation/auxpow/auxpow.hpp"

namespace synod::federation {
namespace {

constexpr size_t kGrindLanes = 16; // headers hashed in one call

// One null input whose script is a push of magic, root, size 1, nonce 0; no output, as Namecoin's
// own minimal proof.
BitcoinTx commitment_coinbase(const Hash32& aux_hash) {
    constexpr uint8_t kPushed = 4 + 32 + 4 + 4;
    BitcoinTx tx;
    tx.inputs = 1;
    tx.first_index = 0xffffffffu;
    tx.script_sig = Writer{}
                        .u8(kPushed)
                        .bytes(kMergedMiningMagic)
                        .bytes(reversed(aux_hash))
                        .u32(1)
                        .u32(0)
                        .take();
    tx.base = Writer{}
                  .u32(1)
                  .compact_size(1)
                  .bytes(tx.first_prevout)
                  .u32(tx.first_index)
                  .compact_size(tx.script_sig.size())
                  .bytes(tx.script_sig)
                  .u32(0xffffffffu)
                  .compact_size(0)
                  .u32(0)
                  .take();
    return tx;
}

// Tries nonces from parent.nonce on; leaves the one that meets the target. False when max_tries are
// used up.
bool grind(BlockHeader& parent, const BuildInput& input, const Hasher& hash) {
    std::array<std::array<uint8_t, kBlockHeaderBytes>, kGrindLanes> headers;
    std::array<synod_bytes, kGrindLanes> spans;
    std::array<uint8_t, 32 * kGrindLanes> digests;
    headers.fill(parent.encode());
    uint32_t nonce = parent.nonce;
    for (uint64_t tried = 0; tried < input.max_tries; tried += kGrindLanes) {
        const auto lanes =
            static_cast<size_t>(std::min<uint64_t>(kGrindLanes, input.max_tries - tried));
        for (size_t i = 0; i < lanes; ++i) {
            const uint32_t n = nonce + static_cast<uint32_t>(i);
            for (size_t b = 0; b < 4; ++b) {
                headers[i][kBlockHeaderBytes - 4 + b] = static_cast<uint8_t>(n >> (8 * b));
            }
            spans[i] = {headers[i].data(), kBlockHeaderBytes};
        }
        hash.function(hash.ctx, spans.data(), lanes, digests.data());
        for (size_t i = 0; i < lanes; ++i) {
            Hash32 digest;
            std::memcpy(digest.data(), digests.data() + 32 * i, 32);
            if (U256::from_hash(digest) <= input.target) {
                parent.nonce = nonce + static_cast<uint32_t>(i);
                return true;
            }
        }
        nonce += static_cast<uint32_t>(lanes);
    }
    return false;
}

} // namespace

Outcome<AuxPow> build_auxpow(const BuildInput& input, const Hasher& hash) {
    AuxPow out;
    out.coinbase = commitment_coinbase(input.aux_hash);
    out.parent.version =
        input.chain_id == 0 ? 0x00010001u : 1u; // the parent must not have this chain's id
    out.parent.merkle_root = out.coinbase.txid(hash);
    out.parent.time = input.parent_time;
    out.parent.bits = input.parent_bits;
    out.parent.nonce = input.first_nonce;
    if (!grind(out.parent, input, hash)) {
        return Fault{"auxpow.exhausted",
                     "no nonce met the target in " + std::to_string(input.max_tries) + " tries",
                     "target " + input.target.hex()};
    }
    return out;
}

} // namespace synod::federation
