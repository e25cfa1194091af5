// SPDX-License-Identifier: Apache-2.0
#include "plugins/consensus/federation/auxpow/bitcoin_tx.hpp"

namespace synod::federation {
namespace {

constexpr uint64_t kLeastInput = 41;  // bytes: previous output 36, empty script 1, sequence 4
constexpr uint64_t kLeastOutput = 9;  // bytes: value 8, empty script 1
constexpr uint64_t kLeastWitness = 1; // byte: the length of an empty item

void read_inputs(Reader& in, BitcoinTx& tx) {
    tx.inputs = in.count(kLeastInput);
    for (uint64_t i = 0; i < tx.inputs && in.ok(); ++i) {
        const Hash32 prevout = in.hash();
        const uint32_t index = in.u32();
        const ByteView script = in.take(in.compact_size());
        in.u32();
        if (i == 0) {
            tx.first_prevout = prevout;
            tx.first_index = index;
            tx.script_sig.assign(script.begin(), script.end());
        }
    }
}

void read_outputs(Reader& in, BitcoinTx& tx) {
    tx.outputs = in.count(kLeastOutput);
    for (uint64_t i = 0; i < tx.outputs && in.ok(); ++i) {
        in.u64();
        in.take(in.compact_size());
    }
}

void read_witness(Reader& in, const BitcoinTx& tx) {
    bool any = false;
    for (uint64_t i = 0; i < tx.inputs && in.ok(); ++i) {
        const uint64_t items = in.count(kLeastWitness);
        any = any || items > 0;
        for (uint64_t k = 0; k < items && in.ok(); ++k) {
            in.take(in.compact_size());
        }
    }
    if (!any) {
        in.fail("tx_witness_empty", "the witness form is used without any witness");
    }
}

} // namespace

BitcoinTx read_transaction(Reader& in, ByteView whole) {
    BitcoinTx tx;
    const size_t start = in.at();
    in.u32(); // version: any
    const bool witness = in.ok() && in.left() > 0 && whole[in.at()] == 0;
    if (witness) {
        in.u8();
        if (in.left() > 0 && whole[in.at()] == 0) {
            in.fail("tx_no_inputs", "a transaction without inputs");
        } else if (in.u8() != 1) {
            in.fail("tx_witness_flag", "the witness flag is not 1");
        }
    }
    const size_t body = in.at();
    read_inputs(in, tx);
    if (tx.inputs == 0) {
        in.fail("tx_no_inputs", "a transaction without inputs");
    }
    read_outputs(in, tx);
    const size_t body_end = in.at();
    if (witness) {
        read_witness(in, tx);
    }
    const size_t tail = in.at();
    in.u32(); // lock time: any
    if (!in.ok()) {
        return {};
    }
    tx.base = Writer{}
                  .bytes(whole.subspan(start, 4))
                  .bytes(whole.subspan(body, body_end - body))
                  .bytes(whole.subspan(tail, 4))
                  .take();
    if (witness) {
        const ByteView form = whole.subspan(start, in.at() - start);
        tx.witness_form.assign(form.begin(), form.end());
    }
    return tx;
}

std::array<uint8_t, kBlockHeaderBytes> BlockHeader::encode() const {
    const Bytes bytes = Writer{}
                            .u32(version)
                            .bytes(previous)
                            .bytes(merkle_root)
                            .u32(time)
                            .u32(bits)
                            .u32(nonce)
                            .take();
    std::array<uint8_t, kBlockHeaderBytes> out{};
    std::memcpy(out.data(), bytes.data(), out.size());
    return out;
}

BlockHeader read_block_header(Reader& in) {
    BlockHeader out;
    out.version = in.u32();
    out.previous = in.hash();
    out.merkle_root = in.hash();
    out.time = in.u32();
    out.bits = in.u32();
    out.nonce = in.u32();
    return out;
}

} // namespace synod::federation
