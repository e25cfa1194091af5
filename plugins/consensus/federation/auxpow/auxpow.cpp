// SPDX-License-Identifier: Apache-2.0
#include "plugins/consensus/federation/auxpow/auxpow.hpp"

namespace synod::federation {
namespace {

MerkleBranch read_branch(Reader& in) {
    MerkleBranch out;
    const uint64_t n = in.count(32);
    out.siblings.reserve(static_cast<size_t>(n)); // count() made sure that the bytes are there
    for (uint64_t i = 0; i < n; ++i) {
        out.siblings.push_back(in.hash());
    }
    out.index = in.u32();
    return out;
}

void write_branch(Writer& out, const MerkleBranch& branch) {
    out.compact_size(branch.siblings.size());
    for (const Hash32& h : branch.siblings) {
        out.bytes(h);
    }
    out.u32(branch.index);
}

} // namespace

Hash32 MerkleBranch::fold(const Hasher& hash, Hash32 leaf) const {
    for (size_t i = 0; i < siblings.size(); ++i) {
        const bool left = i < 32 && (index >> i & 1u) != 0;
        leaf = left ? hash.pair(siblings[i], leaf) : hash.pair(leaf, siblings[i]);
    }
    return leaf;
}

AuxPow read_auxpow(Reader& in, ByteView whole) {
    AuxPow out;
    out.coinbase = read_transaction(in, whole);
    out.block_hash = in.hash();
    out.coinbase_branch = read_branch(in);
    out.chain_branch = read_branch(in);
    out.parent = read_block_header(in);
    return out;
}

Fault auxpow_fault(const Reader& in) {
    Fault fault = in.fault();
    const std::string_view code = fault.code;
    fault.code = code == "truncated"          ? "auxpow.truncated"
                 : code == "compact_size"     ? "auxpow.compact_size"
                 : code == "tx_no_inputs"     ? "auxpow.tx_no_inputs"
                 : code == "tx_witness_flag"  ? "auxpow.tx_witness_flag"
                 : code == "tx_witness_empty" ? "auxpow.tx_witness_empty"
                                              : "auxpow.malformed";
    return fault;
}

Outcome<AuxPow> parse_auxpow(ByteView bytes) {
    if (bytes.size() > kMaxAuxPowBytes) {
        return Fault{"auxpow.too_large",
                     "a proof has at most " + std::to_string(kMaxAuxPowBytes) + " bytes", "byte 0"};
    }
    Reader in(bytes);
    AuxPow out = read_auxpow(in, bytes);
    if (!in.ok()) {
        return auxpow_fault(in);
    }
    if (in.left() != 0) {
        return Fault{"auxpow.trailing", std::to_string(in.left()) + " bytes after the proof",
                     "byte " + std::to_string(in.at())};
    }
    return out;
}

Bytes encode_auxpow(const AuxPow& proof) {
    Writer out;
    out.bytes(proof.coinbase.wire()).bytes(proof.block_hash);
    write_branch(out, proof.coinbase_branch);
    write_branch(out, proof.chain_branch);
    out.bytes(proof.parent.encode());
    return out.take();
}

void normalise(AuxPow& proof) {
    proof.coinbase.witness_form.clear();
    proof.block_hash = {};
}

} // namespace synod::federation
