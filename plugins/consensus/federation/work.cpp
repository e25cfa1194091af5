// SPDX-License-Identifier: Apache-2.0
//! Merged mining as the host sees it: tasks for miners, records from their proofs. Consensus worker; make_record shared.
#include "plugins/consensus/federation/chain.hpp"

namespace synod::federation {
namespace {

Broken unreadable(const Fault& fault) {
    return broken(RuleId::kRecordShape, "%s: %s", fault.code, fault.message.c_str());
}

void describe(const BundleHeader& bundle, const Hash32& hash, const Hash32& target, const Rooted& before,
              const Hash32& genesis_hash, synod_work& out) {
    const uint32_t size = out.size;
    out = {};
    out.size = size;
    out.chain_id = bundle.chain_id;
    std::memcpy(out.hash, hash.data(), 32);
    std::memcpy(out.target, target.data(), 32);
    std::memcpy(out.previous, before.final_height == 0 ? genesis_hash.data() : before.final_hash.data(), 32);
    out.range_start = bundle.range_start;
    out.range_end = bundle.range_end;
    out.number = before.record_count + 1;
    out.bits = bundle.bits;
}

} // namespace

synod_status Chain::next_work(const synod_state& state, ByteView payout, Bytes& task, synod_work& out,
                              synod_refusal* refusal) const {
    if (state.rooted->max_blocks_without_pow == 0) {
        throw Failure(SYNOD_E_UNSUPPORTED, "this chain has no merged mining");
    }
    if (!payout.empty() && (payout.size() < kMinPayoutBytes || payout.size() > kMaxPayoutBytes)) {
        throw Failure(SYNOD_E_INVALID, "a payout has 20 to 32 bytes", {}, "payout");
    }
    const auto bundle = next_bundle(state, 0, Bytes(payout.begin(), payout.end()), hasher());
    if (!bundle) {
        return refuse(refusal, 0, broken(RuleId::kWorkNone, "%s", bundle.fault().message.c_str()));
    }
    const auto bytes = encode_bundle(*bundle);
    const auto target = target_from_bits(bundle->bits);
    if (!bytes || !target) {
        throw Failure(SYNOD_E_INTERNAL, "the next bundle can't be written");
    }
    task = *bytes;
    describe(*bundle, hasher()(*bytes), target->to_hash(), *state.rooted, genesis_hash_, out);
    return SYNOD_OK;
}

synod_status Chain::make_record(ByteView task, ByteView proof, Bytes& record, synod_refusal* refusal) const {
    const auto bundle = decode_bundle(task);
    if (!bundle) {
        return refuse(refusal, 0, unreadable(bundle.fault()));
    }
    auto parsed = parse_auxpow(proof);
    if (!parsed) {
        return refuse(refusal, 0, unreadable(parsed.fault()));
    }
    normalise(*parsed);
    auto encoded = encode_record({*bundle, *parsed});
    if (!encoded) {
        return refuse(refusal, 0, unreadable(encoded.fault()));
    }
    record = std::move(*encoded);
    return SYNOD_OK;
}

synod_status Chain::judge_record(const synod_state& state, ByteView record, synod_work& out,
                                 const synod_check_writer& writer, synod_refusal* refusal) const {
    RecordEffect effect;
    // The slot that carries it becomes the record's time, which nothing here depends on.
    if (const Broken no = check_record(state, state.head().slot + 1, record, hasher(), effect)) {
        return refuse(refusal, 0, no);
    }
    uint8_t* memory = writer.arena(writer.ctx, kBlockHeaderBytes + 32);
    if (memory == nullptr) {
        throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks");
    }
    std::memcpy(memory, effect.header.data(), kBlockHeaderBytes);
    std::memcpy(memory + kBlockHeaderBytes, effect.target.data(), 32);
    writer.target(writer.ctx, 0, static_cast<uint32_t>(RuleId::kRecordTarget), memory, memory + kBlockHeaderBytes);
    describe(effect.bundle, effect.hash, effect.target, *state.rooted, genesis_hash_, out);
    return SYNOD_OK;
}

} // namespace synod::federation
