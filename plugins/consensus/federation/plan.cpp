// SPDX-License-Identifier: Apache-2.0
//! The rules of a block in the order of cost: what is cheap is decided here, the rest becomes checks. Consensus worker.
#include "plugins/consensus/federation/chain.hpp"

#include <cinttypes>

#include "plugins/consensus/federation/evidence.hpp"

namespace synod::federation {

/// Where the leaves of every block of a run lie, hashed all at once.
struct Chain::Leaves {
    const uint8_t* first = nullptr; ///< 32 bytes a leaf, block after block
    size_t blocks = 0;              ///< blocks whose shape is right
};

namespace {

uint8_t* take_arena(const synod_check_writer& w, uint64_t bytes) {
    uint8_t* p = w.arena(w.ctx, bytes == 0 ? 1 : bytes);
    if (p == nullptr) {
        throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks", "make the run shorter");
    }
    return p;
}

// What a header alone can show.
Broken check_header(const Prefix& p, const Hash32& parent_hash, uint64_t parent_height, uint64_t parent_slot,
                    const AuthoritySet& set, uint64_t max_slot) {
    if (p.height != parent_height + 1) {
        return broken(RuleId::kHeight, "height %" PRIu64 ", expected %" PRIu64, p.height, parent_height + 1);
    }
    if (p.parent != parent_hash) {
        return broken(RuleId::kParentLink, "the parent's hash at height %" PRIu64 " is another", parent_height);
    }
    if (p.slot <= parent_slot) {
        return broken(RuleId::kSlotOrder, "slot %" PRIu64 " after slot %" PRIu64, p.slot, parent_slot);
    }
    if (p.slot > max_slot) {
        return broken(RuleId::kSlotFuture, "slot %" PRIu64 ", at most %" PRIu64, p.slot, max_slot);
    }
    if (p.authority_set == set.number && p.author != p.slot % set.keys.size()) {
        return broken(RuleId::kAuthor, "author %u in slot %" PRIu64 " of %zu authorities", p.author, p.slot,
                      set.keys.size());
    }
    if (p.authority_set != set.number) {
        return broken(RuleId::kAuthoritySet, "set %u, expected %u", p.authority_set, set.number);
    }
    return {};
}

// What body_leaf0() makes, for a block in its encoding, where certificate and counts lie side by side.
size_t write_leaf0(const uint8_t* parent_signature, const BlockParts& b, uint8_t* to) {
    const size_t rest = b.certificate_bytes() + kCountsBytes;
    std::memcpy(to, parent_signature, kSignatureBytes);
    std::memcpy(to + kSignatureBytes, b.certificate, rest);
    return kSignatureBytes + rest;
}

CertificateView certificate_of(const BlockParts& b) {
    return {b.bitmap, b.signatures, b.certificate + kBitmapBytes};
}

} // namespace

synod_status refuse(synod_refusal* refusal, uint32_t block, const Broken& why) {
    if (refusal != nullptr) {
        refusal->block = block;
        refusal->rule = static_cast<uint32_t>(why.rule);
        if (has_field(refusal, &synod_refusal::detail)) {
            synod::detail::copy_text(refusal->detail, why.detail);
        }
    }
    return SYNOD_REFUSED;
}

Broken check_certificate_shape(const CertificateView& c, const AuthoritySet& set, uint64_t height) {
    const uint32_t needed = height == 0 ? 0 : set.quorum;
    if (c.signatures != needed) {
        return broken(RuleId::kCertificateShape, "%u signatures, exactly %u are needed", c.signatures, needed);
    }
    if (set.keys.size() < kMaxAuthorities && (c.bitmap >> set.keys.size()) != 0) {
        return broken(RuleId::kCertificateShape, "a signature of nobody: bitmap %016" PRIx64, c.bitmap);
    }
    return {};
}

bool emit_certificate(const CertificateView& c, const AuthoritySet& set, const uint8_t* hash, uint32_t block,
                      const synod_check_writer& w) {
    if (c.signatures == 0) {
        return true;
    }
    // Keys and signatures are copied: the set and the caller's bytes may be gone before the verdicts.
    uint8_t* memory = w.arena(w.ctx, kSignatureBytes + uint64_t{c.signatures} * (kKeyBytes + kSignatureBytes));
    if (memory == nullptr) {
        return false;
    }
    const uint32_t length = sign_message(SYNOD_SIGN_APPROVE, hash, 0, memory);
    uint8_t* key = memory + kSignatureBytes;
    const uint8_t* signature = c.first;
    for (uint64_t left = c.bitmap; left != 0; left &= left - 1) {
        std::memcpy(key, set.keys[static_cast<size_t>(__builtin_ctzll(left))].data(), kKeyBytes);
        std::memcpy(key + kKeyBytes, signature, kSignatureBytes);
        w.signature(w.ctx, block, static_cast<uint32_t>(RuleId::kCertificateSignature), key, key + kKeyBytes,
                    {memory, length});
        key += kKeyBytes + kSignatureBytes;
        signature += kSignatureBytes;
    }
    return true;
}

synod_status not_yet(synod_refusal* refusal, uint32_t block, const Broken& why) {
    if (refusal != nullptr) {
        refusal->flags = SYNOD_REFUSAL_NOT_YET;
    }
    return refuse(refusal, block, why);
}

bool emit_event(const Event& event, const Hash32& id, const Hasher& hash, uint32_t block, const synod_check_writer& w) {
    uint8_t* memory = w.arena(w.ctx, kSignatureBytes + event.approvals.size() * kApprovalBytes);
    if (memory == nullptr) {
        return false;
    }
    event_message(id, memory);
    uint8_t* at = memory + kSignatureBytes;
    for (const EventApproval& a : event.approvals) {
        std::memcpy(at, a.key.data(), kKeyBytes);
        std::memcpy(at + kKeyBytes, a.signature.data(), kSignatureBytes);
        w.signature(w.ctx, block, static_cast<uint32_t>(RuleId::kEventSignature), at, at + kKeyBytes,
                    {memory, kHashMessageBytes});
        at += kApprovalBytes;
    }
    if (event.evidence.empty()) {
        return true;
    }
    Evidence evidence;
    Contradiction found;
    [[maybe_unused]] const Broken no =
        check_removal_evidence(event.evidence, event.change.key, hash, evidence, found);
    assert(!no);
    return emit_statements(evidence, found, block, RuleId::kEventEvidence, w);
}

Broken Chain::hash_bodies(const synod_state& state, ByteView run, std::span<const synod_header_view> views,
                          const synod_check_writer& writer, Leaves& out) {
    parts_.resize(views.size());
    size_t bytes = 0, leaves = 0;
    Broken shape;
    for (out.blocks = 0; out.blocks < views.size(); ++out.blocks) {
        const synod_header_view& v = views[out.blocks];
        BlockParts& b = parts_[out.blocks];
        const char* why = "not where the view says";
        if (v.offset > run.size() || v.length > run.size() - v.offset ||
            !read_block(run.subspan(static_cast<size_t>(v.offset), v.length), b, &why) || b.length != v.length) {
            shape = broken(RuleId::kShape, "%s", why);
            break;
        }
        bytes += kSignatureBytes + b.certificate_bytes() + kCountsBytes + static_cast<size_t>(b.base + b.length - b.item);
        leaves += 1 + b.items();
    }
    if (preimages_.size() < bytes) {
        preimages_.resize(bytes); // tags take less than the length fields that they replace
    }
    spans_.clear();
    spans_.reserve(leaves);
    uint8_t* to = preimages_.data();
    const uint8_t* parent_signature = state.head_signature.data();
    for (size_t i = 0; i < out.blocks; ++i) {
        const BlockParts& b = parts_[i];
        spans_.push_back({to, write_leaf0(parent_signature, b, to)});
        to += spans_.back().n;
        const uint8_t* item = b.item;
        for (uint32_t k = 0; k < b.items(); ++k) {
            const auto n = static_cast<size_t>(get_little(item, 4));
            *to = item_tag(b, k);
            std::memcpy(to + 1, item + 4, n);
            spans_.push_back({to, 1 + n});
            to += 1 + n;
            item += 4 + n;
        }
        parent_signature = b.signature();
    }
    assert(static_cast<size_t>(to - preimages_.data()) <= bytes);
    uint8_t* digests = take_arena(writer, 32 * leaves);
    host_.sha256d(spans_, digests);
    out.first = digests;
    return shape;
}

namespace {

// What the block carries, the rules about the state as a whole, and which state root follows.
Broken check_effects(const synod_state& state, const BlockParts& b, const Prefix& p, EffectBuilder& builder,
                     Effects& out) {
    const Rooted& before = *state.rooted;
    if (b.records > 1) {
        return broken(RuleId::kRecordShape, "%u finality records, at most one", b.records);
    }
    if (before.halted && (b.events == 0 || b.transactions > 0)) {
        return broken(RuleId::kHalted, "the chain is halted: a block carries governance events and no transactions");
    }
    if (before.max_block_bytes != 0 && b.length > before.max_block_bytes) {
        return broken(RuleId::kBlockBytes, "%" PRIu64 " bytes, at most %" PRIu64, b.length, before.max_block_bytes);
    }
    const uint8_t* item = b.item;
    for (uint32_t i = 0; i < b.items(); ++i) {
        const ByteView bytes(item + 4, static_cast<size_t>(get_little(item, 4)));
        item += 4 + bytes.size();
        const uint8_t tag = item_tag(b, i);
        if (tag == kTagTransaction) {
            continue;
        }
        if (Broken no = tag == kTagEvent ? builder.take_event(bytes) : builder.take_record(bytes)) {
            return no;
        }
    }
    out = builder.finish();
    if (p.state_root != out.rooted->root) {
        return broken(RuleId::kStateRoot, "the state after this block has another root");
    }
    if (work_overdue(*out.rooted, p.height)) {
        return broken(RuleId::kWorkOverdue, "%" PRIu64 " blocks since the last proof of work, at most %" PRIu64,
                      p.height - out.rooted->final_height, out.rooted->max_blocks_without_pow);
    }
    return {};
}

// Of events and records, whoever vouches for the block: an event can change who may vouch.
bool emit_effects(const Effects& effects, const Hasher& hash, uint32_t block, const synod_check_writer& w) {
    for (size_t i = 0; i < effects.events.size(); ++i) {
        if (!emit_event(effects.events[i], effects.hashes[i], hash, block, w)) {
            return false;
        }
    }
    if (effects.record) {
        uint8_t* memory = w.arena(w.ctx, kBlockHeaderBytes + 32);
        if (memory == nullptr) {
            return false;
        }
        std::memcpy(memory, effects.record->header.data(), kBlockHeaderBytes);
        std::memcpy(memory + kBlockHeaderBytes, effects.record->target.data(), 32);
        w.target(w.ctx, block, static_cast<uint32_t>(RuleId::kRecordTarget), memory, memory + kBlockHeaderBytes);
    }
    return true;
}

Broken check_body_root(const BlockParts& b, const Prefix& p, const uint8_t* leaves, uint32_t block,
                       const synod_check_writer& w) {
    if (b.items() > 0) {
        w.merkle(w.ctx, block, static_cast<uint32_t>(RuleId::kBodyRoot), leaves, 1 + b.items(), b.base + 55);
        return {};
    }
    // One leaf is its own root: nothing is left to prove.
    if (std::memcmp(leaves, p.body_root.data(), 32) != 0) {
        return broken(RuleId::kBodyRoot, "the certificate, the parent's signature or the counts are not what it commits to");
    }
    return {};
}

void emit_author(const synod_state& state, const BlockParts& b, const Prefix& p, const uint8_t* hash, uint32_t block,
                 const synod_check_writer& w) {
    uint8_t* memory = take_arena(w, kSignatureBytes + kKeyBytes);
    const uint32_t length = sign_message(SYNOD_SIGN_PROPOSE, hash, 0, memory);
    std::memcpy(memory + kSignatureBytes, state.rooted->set->keys[p.author].data(), kKeyBytes);
    w.signature(w.ctx, block, static_cast<uint32_t>(RuleId::kAuthorSignature), memory + kSignatureBytes, b.signature(),
                {memory, length});
}

} // namespace

synod_status Chain::plan(synod_state& state, ByteView run, std::span<const synod_header_view> views,
                         const synod_plan_options& options, const synod_check_writer& writer, synod_refusal* refusal) {
    Leaves leaves;
    const Broken shape = hash_bodies(state, run, views, writer, leaves);
    const uint8_t* leaf = leaves.first;
    for (size_t i = 0; i < leaves.blocks; ++i) {
        const BlockParts& b = parts_[i];
        const auto block = static_cast<uint32_t>(i);
        const Ancestor parent = state.head();
        Prefix p;
        (void)read_prefix(b.base, p);
        if (const Broken no = check_header(p, parent.hash, state.height, parent.slot, *state.rooted->set,
                                           options.max_slot)) {
            return refuse(refusal, block, no);
        }
        if (const Broken no = check_body_root(b, p, leaf, block, writer)) {
            return refuse(refusal, block, no);
        }
        leaf += 32 * (size_t{1} + b.items());
        EffectBuilder builder(state, p.slot, network_id_, hasher());
        Effects effects;
        if (const Broken no = check_effects(state, b, p, builder, effects)) {
            return refuse(refusal, block, no);
        }
        const CertificateView certificate = certificate_of(b);
        if (const Broken no = check_certificate_shape(certificate, *state.signers, state.height)) {
            return refuse(refusal, block, no);
        }
        if (options.level >= SYNOD_LEVEL_FULL && !emit_effects(effects, hasher(), block, writer)) {
            throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks", "make the run shorter");
        }
        if (i >= options.vouched && options.level >= SYNOD_LEVEL_FULL) {
            emit_author(state, b, p, views[i].hash, block, writer);
            if (!emit_certificate(certificate, *state.signers, parent.hash.data(), block, writer)) {
                throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks", "make the run shorter");
            }
        }
        Ancestor head;
        std::memcpy(head.hash.data(), views[i].hash, 32);
        head.slot = p.slot;
        advance(state, head, b.signature(), std::move(effects.rooted));
    }
    return shape ? refuse(refusal, static_cast<uint32_t>(leaves.blocks), shape) : SYNOD_OK;
}

synod_status Chain::plan_headers(const synod_state& state, const synod_header_view& parent, ByteView run,
                                 std::span<const synod_header_view> views, const synod_plan_options& options,
                                 synod_refusal* refusal) const {
    Hash32 hash{};
    std::memcpy(hash.data(), parent.hash, 32);
    uint64_t height = parent.height, slot = parent.slot;
    std::shared_ptr<const AuthoritySet> set;
    for (size_t i = 0; i < views.size(); ++i) {
        const synod_header_view& v = views[i];
        const auto at = static_cast<uint32_t>(i);
        Prefix p;
        if (v.offset > run.size() || run.size() - v.offset < kPrefixBytes || !read_prefix(run.data() + v.offset, p)) {
            return refuse(refusal, at, broken(RuleId::kShape, "not where the view says"));
        }
        // Looked up anew only where a change is known to be due: most runs have none.
        if (set == nullptr || !state.rooted->pending.empty() || height + 1 <= state.height + 1) {
            set = set_at(state, height + 1);
        }
        if (set == nullptr) {
            return not_yet(refusal, at, broken(RuleId::kSetUnknown, "height %" PRIu64 " is too long ago", height + 1));
        }
        if (i == 0 && p.authority_set > set->number && height + 1 > known_sets_end(state)) {
            return not_yet(refusal, at, broken(RuleId::kSetUnknown, "set %u is in force from height %" PRIu64
                                               ", known is %u", p.authority_set, p.height, set->number));
        }
        if (const Broken no = check_header(p, hash, height, slot, *set, options.max_slot)) {
            return refuse(refusal, at, no);
        }
        std::memcpy(hash.data(), v.hash, 32);
        height = p.height;
        slot = p.slot;
    }
    return SYNOD_OK;
}

} // namespace synod::federation
