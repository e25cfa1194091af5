// SPDX-License-Identifier: Apache-2.0
#include "plugins/consensus/federation/auxpow/bundle.hpp"

namespace synod::federation {
namespace {

std::optional<Fault> invalid(const BundleHeader& h) {
    if (h.version != kBundleVersion) {
        return Fault{"bundle.version", "version " + std::to_string(h.version) + " is not known",
                     "version"};
    }
    if (h.range_start == 0 || h.range_end < h.range_start) {
        return Fault{"bundle.range",
                     std::to_string(h.range_start) + ".." + std::to_string(h.range_end) +
                         " is not a range of blocks",
                     "range"};
    }
    if (h.payout.size() < kMinPayoutBytes || h.payout.size() > kMaxPayoutBytes) {
        return Fault{"bundle.payout",
                     std::to_string(h.payout.size()) + " bytes; 20 to 32 are allowed", "payout"};
    }
    return std::nullopt;
}

Outcome<BundleHeader> read_bundle(Reader& in) {
    BundleHeader out;
    out.version = in.u32();
    out.chain_id = in.u32();
    out.range_start = in.u64();
    out.range_end = in.u64();
    out.bits = in.u32();
    out.blocks_root = in.hash();
    const uint8_t payout_size = in.u8();
    const ByteView payout = in.take(payout_size);
    out.payout.assign(payout.begin(), payout.end());
    out.governance_sequence = in.u64();
    if (!in.ok()) {
        Fault fault = in.fault();
        fault.code = "bundle.truncated";
        return fault;
    }
    if (auto fault = invalid(out)) {
        return *fault;
    }
    return out;
}

} // namespace

Outcome<Bytes> encode_bundle(const BundleHeader& h) {
    if (auto fault = invalid(h)) {
        return *fault;
    }
    Writer out;
    out.u32(h.version)
        .u32(h.chain_id)
        .u64(h.range_start)
        .u64(h.range_end)
        .u32(h.bits)
        .bytes(h.blocks_root);
    out.u8(static_cast<uint8_t>(h.payout.size())).bytes(h.payout).u64(h.governance_sequence);
    return out.take();
}

Outcome<BundleHeader> decode_bundle(ByteView bytes) {
    Reader in(bytes);
    auto out = read_bundle(in);
    if (out && in.left() != 0) {
        return Fault{"bundle.trailing", std::to_string(in.left()) + " bytes after the header",
                     "byte " + std::to_string(in.at())};
    }
    return out;
}

Outcome<Hash32> bundle_hash(const BundleHeader& header, const Hasher& hash) {
    const auto bytes = encode_bundle(header);
    if (!bytes) {
        return bytes.fault();
    }
    return hash(*bytes);
}

Outcome<Hash32> range_root(std::vector<Hash32> level, const Hasher& hash) {
    if (level.empty()) {
        return Fault{"bundle.range", "a bundle has at least one block", "range"};
    }
    while (level.size() > 1) {
        const size_t pairs = level.size() / 2;
        std::vector<synod_bytes> spans(pairs);
        for (size_t i = 0; i < pairs; ++i) {
            spans[i] = {level[2 * i].data(),
                        64}; // neighbours in the vector: left and right in one span
        }
        std::vector<Hash32> up(pairs + level.size() % 2);
        hash.function(hash.ctx, spans.data(), pairs, up[0].data());
        if (level.size() % 2 != 0) {
            up.back() = level.back();
        }
        level = std::move(up);
    }
    return level[0];
}

Outcome<Bytes> encode_record(const FinalityRecord& record) {
    auto header = encode_bundle(record.bundle);
    if (!header) {
        return header.fault();
    }
    AuxPow proof = record.proof;
    normalise(proof);
    Bytes out = std::move(*header);
    const Bytes tail = encode_auxpow(proof);
    out.insert(out.end(), tail.begin(), tail.end());
    if (out.size() > kMaxFinalityRecordBytes) {
        return Fault{"record.too_large", std::to_string(out.size()) + " bytes", "record"};
    }
    return out;
}

Outcome<FinalityRecord> decode_record(ByteView bytes) {
    if (bytes.size() > kMaxFinalityRecordBytes) {
        return Fault{"record.too_large", std::to_string(bytes.size()) + " bytes", "record"};
    }
    Reader in(bytes);
    auto header = read_bundle(in);
    if (!header) {
        return header.fault();
    }
    AuxPow proof = read_auxpow(in, bytes);
    if (!in.ok()) {
        return auxpow_fault(in);
    }
    if (in.left() != 0) {
        return Fault{"record.trailing", std::to_string(in.left()) + " bytes after the record",
                     "byte " + std::to_string(in.at())};
    }
    if (!proof.coinbase.witness_form.empty() || proof.block_hash != Hash32{}) {
        return Fault{"record.not_normal",
                     "the proof carries a witness or a block hash, which no rule binds", "proof"};
    }
    return FinalityRecord{std::move(*header), std::move(proof)};
}

} // namespace synod::federation
