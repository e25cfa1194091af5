// SPDX-License-Identifier: Apache-2.0
//! Finality records against the state. Pure; consensus worker.
#include "plugins/consensus/federation/records.hpp"

#include "plugins/consensus/federation/auxpow/asert.hpp"

#include <cinttypes>

namespace synod::federation {
namespace {

Outcome<Hash32> root_of_range(const synod_state& state, uint64_t start, uint64_t end, const Hasher& hash) {
    std::vector<Hash32> hashes;
    hashes.reserve(static_cast<size_t>(end - start + 1));
    for (uint64_t h = start; h <= end; ++h) {
        hashes.push_back(state.ancestry.at(h).hash);
    }
    return range_root(std::move(hashes), hash);
}

bool known_range(const synod_state& state, uint64_t start, uint64_t end) {
    return start >= 1 && start <= end && state.ancestry.has(start) && state.ancestry.has(end);
}

// Miners are told apart what they can get wrong: the chain in the parent's version, the place in the tree of chains.
RuleId rule_of(std::string_view code) {
    return code == "auxpow.parent_chain_id" ? RuleId::kRecordParentChain
           : code == "auxpow.slot"          ? RuleId::kRecordIndex
                                            : RuleId::kRecordProof;
}

} // namespace

Outcome<uint32_t> bits_of_next(const Rooted& r) {
    if (r.record_count == 0) {
        return r.record_bits;
    }
    const auto easiest = target_from_bits(r.pow_limit_bits);
    if (!easiest) {
        return easiest.fault();
    }
    AsertParams params;
    params.easiest = *easiest;
    return next_bits({r.record_bits, r.record_time_s, r.record_previous_s}, params);
}

Outcome<BundleHeader> next_bundle(const synod_state& state, uint64_t range_end, Bytes payout, const Hasher& hash) {
    const Rooted& r = *state.rooted;
    BundleHeader out;
    out.range_start = r.final_height + 1;
    out.range_end = range_end == 0 ? state.committed : range_end;
    if (out.range_end < out.range_start || out.range_end > state.committed) {
        return Fault{"bundle.none", "committed up to " + std::to_string(state.committed) + ", final up to " +
                                        std::to_string(r.final_height), "range_end"};
    }
    if (r.max_blocks_without_pow == 0 || !known_range(state, out.range_start, out.range_end)) {
        return Fault{"bundle.range", "this chain has no merged mining, or the hashes are gone", "range_start"};
    }
    const auto bits = bits_of_next(r);
    if (!bits) {
        return bits.fault();
    }
    const auto root = root_of_range(state, out.range_start, out.range_end, hash);
    if (!root) {
        return root.fault();
    }
    out.chain_id = r.chain_id;
    out.bits = *bits;
    out.blocks_root = *root;
    out.payout = payout.empty() ? Bytes(kDefaultPayoutBytes, 0) : std::move(payout);
    out.governance_sequence = r.governance_sequence;
    return out;
}

Broken check_record(const synod_state& state, uint64_t slot, ByteView bytes, const Hasher& hash, RecordEffect& out) {
    const Rooted& r = *state.rooted;
    const auto record = decode_record(bytes);
    if (!record) {
        return broken(RuleId::kRecordShape, "%s: %s", record.fault().code, record.fault().message.c_str());
    }
    const BundleHeader& b = record->bundle;
    const uint64_t committed = committed_under_child(state);
    if (r.max_blocks_without_pow == 0 || b.range_start != r.final_height + 1 || b.range_end > committed ||
        !known_range(state, b.range_start, b.range_end)) {
        return broken(RuleId::kRecordRange, "range %" PRIu64 "..%" PRIu64 ", final %" PRIu64 ", committed %" PRIu64,
                      b.range_start, b.range_end, r.final_height, committed);
    }
    if (b.governance_sequence != r.governance_sequence) {
        return broken(RuleId::kRecordGovernance, "governance sequence %" PRIu64 ", expected %" PRIu64,
                      b.governance_sequence, r.governance_sequence);
    }
    const auto root = root_of_range(state, b.range_start, b.range_end, hash);
    if (!root || *root != b.blocks_root) {
        return broken(RuleId::kRecordRoot, "not the blocks %" PRIu64 "..%" PRIu64 " of this branch", b.range_start,
                      b.range_end);
    }
    if (b.chain_id != r.chain_id) {
        return broken(RuleId::kRecordChain, "chain id %u, expected %u", b.chain_id, r.chain_id);
    }
    const auto bits = bits_of_next(r);
    const auto target = target_from_bits(b.bits);
    if (!bits || !target || *bits != b.bits) {
        return broken(RuleId::kRecordBits, "bits %08x, expected %08x", b.bits, bits ? *bits : 0);
    }
    const auto aux = bundle_hash(b, hash);
    if (!aux) {
        return broken(RuleId::kRecordShape, "%s", aux.fault().code);
    }
    const CheckReport report = check_auxpow(record->proof, *aux, r.chain_id, std::nullopt, hash);
    if (const Rule* failed = report.first_failure()) {
        return broken(rule_of(failed->code), "%s: %s", failed->code, failed->detail.c_str());
    }
    out.final_hash = state.ancestry.at(b.range_end).hash;
    out.time_s = r.time_of(slot) / 1000;
    out.bundle = b;
    out.hash = *aux;
    out.header = record->proof.parent.encode();
    out.target = target->to_hash();
    return {};
}

void RecordEffect::apply(Rooted& rooted) const {
    rooted.final_height = bundle.range_end;
    rooted.final_hash = final_hash;
    rooted.record_previous_s = rooted.record_time_s;
    rooted.record_time_s = time_s;
    rooted.record_bits = bundle.bits;
    ++rooted.record_count;
}

bool work_overdue(const Rooted& rooted, uint64_t child_height) {
    return rooted.max_blocks_without_pow != 0 && child_height - rooted.final_height > rooted.max_blocks_without_pow;
}

Outcome<Bytes> mine_record(ByteView bundle, uint32_t seed, uint32_t time_s, const Hasher& hash) {
    auto header = decode_bundle(bundle);
    if (!header) {
        return header.fault();
    }
    const auto aux = bundle_hash(*header, hash);
    const auto target = target_from_bits(header->bits);
    if (!aux || !target) {
        return aux ? target.fault() : aux.fault();
    }
    BuildInput input;
    input.aux_hash = *aux;
    input.chain_id = header->chain_id;
    input.target = *target;
    input.parent_time = time_s;
    input.first_nonce = seed;
    input.max_tries = kMineTries;
    auto proof = build_auxpow(input, hash);
    if (!proof) {
        return proof.fault();
    }
    normalise(*proof);
    return encode_record({*header, *proof});
}

} // namespace synod::federation
