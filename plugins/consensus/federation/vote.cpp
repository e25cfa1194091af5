// SPDX-License-Identifier: Apache-2.0
//! Proposing, approving and certifying: what may be signed and what signatures make. Consensus worker; signs nothing.
//! Voting rule: chained HotStuff (Yin et al., PODC 2019), slots as views; behaviour.md section 7.
#include "plugins/consensus/federation/chain.hpp"

#include <algorithm>
#include <cinttypes>

namespace synod::federation {
namespace {

synod_sign_request request_for(uint32_t purpose, uint64_t slot, const uint8_t* hash, uint32_t offset) {
    synod_sign_request out{};
    out.size = sizeof(out);
    out.purpose = purpose;
    out.slot = slot;
    out.message_length = sign_message(purpose, hash, slot, out.message);
    out.signature_offset = offset;
    return out;
}

void append_item(Bytes& body, ByteView item) {
    std::array<uint8_t, 4> length{};
    put_little(length.data(), item.size(), 4);
    body.insert(body.end(), length.begin(), length.end());
    body.insert(body.end(), item.begin(), item.end());
}

Hash32 tagged(uint8_t tag, ByteView item, const Hasher& hash) {
    return hash(Writer{}.u8(tag).bytes(item).take());
}

} // namespace

Bytes Chain::propose(const synod_state& state, uint64_t slot, ByteView certificate, const synod_payload& payload,
                     synod_sign_request& request) const {
    const Hasher hash = hasher();
    const AuthoritySet& set = *state.rooted->set;
    const std::array<uint8_t, kBitmapBytes> empty{};
    CertificateView view;
    if (slot <= state.head().slot) {
        throw Failure(SYNOD_E_INVALID, "the slot is not after the head's");
    }
    if (!read_certificate(certificate, view) || check_certificate_shape(view, *state.signers, state.height)) {
        throw Failure(SYNOD_E_INVALID, "not a certificate of the head");
    }
    if (certificate.empty()) {
        certificate = empty;
    }
    const Rooted& before = *state.rooted;
    const size_t most = before.max_block_bytes == 0 ? SYNOD_BLOCK_MAX : static_cast<size_t>(before.max_block_bytes);
    size_t room = most - kMinBlockBytes - certificate.size() - kMaxFinalityRecordBytes;
    EffectBuilder builder(state, slot, network_id_, hash);
    // What was for another branch or time must not stop production: it is left out.
    std::vector<ByteView> events, transactions, records;
    for (uint64_t i = 0; i < payload.n_events; ++i) {
        const ByteView item = synod::view(payload.events[i]);
        if (item.size() + 4 <= room && !builder.take_event(item)) {
            room -= item.size() + 4;
            events.push_back(item);
        }
    }
    for (uint64_t i = 0; i < payload.n_transactions && transactions.size() + events.size() < kMaxItems - 1; ++i) {
        const ByteView item = synod::view(payload.transactions[i]);
        if (before.halted || item.size() + 4 > room) {
            break; // the rest waits for the next block
        }
        room -= item.size() + 4;
        transactions.push_back(item);
    }
    for (uint64_t i = 0; i < payload.n_records && records.empty(); ++i) {
        const ByteView item = synod::view(payload.records[i]);
        if (!builder.take_record(item)) {
            records.push_back(item);
        }
    }
    if (before.halted && events.empty()) {
        throw Failure(SYNOD_E_INVALID, "the chain is halted by governance", "a governance event is needed to resume it");
    }
    const auto rooted = builder.finish().rooted;
    if (work_overdue(*rooted, state.height + 1)) {
        throw Failure(SYNOD_E_INVALID, "too many blocks without proof of work", "a finality record is needed");
    }
    Bytes body;
    std::vector<Hash32> leaves(1);
    const auto append = [&](uint8_t tag, const std::vector<ByteView>& items) {
        for (const ByteView item : items) {
            append_item(body, item);
            leaves.push_back(tagged(tag, item, hash));
        }
    };
    append(kTagTransaction, transactions);
    append(kTagEvent, events);
    append(kTagRecord, records);
    std::array<uint8_t, kCountsBytes> counts{};
    put_little(&counts[0], transactions.size(), 4);
    put_little(&counts[4], events.size(), 4);
    put_little(&counts[8], records.size(), 4);
    Bytes leaf;
    body_leaf0(state.head_signature.data(), certificate, counts.data(), leaf);
    leaves[0] = hash(leaf);
    Prefix prefix;
    prefix.author = static_cast<uint16_t>(slot % set.keys.size());
    prefix.authority_set = set.number;
    prefix.height = state.height + 1;
    prefix.slot = slot;
    prefix.parent = state.head().hash;
    prefix.body_root = merkle_root(std::move(leaves), hash);
    prefix.state_root = rooted->root;
    const auto bytes = prefix.encode();
    request = request_for(SYNOD_SIGN_PROPOSE, slot, hash(bytes).data(), kPrefixBytes);
    const std::array<uint8_t, kSignatureBytes> unsigned_yet{};
    return Writer{}.bytes(bytes).bytes(unsigned_yet).bytes(certificate).bytes(counts).bytes(body).take();
}

synod_status Chain::vote(const synod_state& state, uint32_t author, uint64_t last_slot, const synod_lock& lock,
                         Bytes& attestation, synod_sign_request& request, synod_refusal* refusal) const {
    const Ancestor& head = state.head();
    if (author >= state.signers->keys.size() || state.height == 0) {
        return refuse(refusal, 0, broken(RuleId::kVoteAuthor, "author %u can't approve height %" PRIu64, author,
                                         state.height));
    }
    if (head.slot <= last_slot) {
        return refuse(refusal, 0, broken(RuleId::kVoteSlot, "slot %" PRIu64 ", approved up to %" PRIu64, head.slot,
                                         last_slot));
    }
    // The parent is certified by the block itself. An older ancestor than it can't be the lock while the parent's
    // certificate is not later than the lock: slots rise along a branch.
    const Ancestor& parent = state.ancestry.at(state.height - 1);
    Hash32 locked{};
    std::memcpy(locked.data(), lock.hash, 32);
    if (parent.slot <= lock.slot && parent.hash != locked && !(lock.slot == 0 && locked == Hash32{})) {
        return refuse(refusal, 0, broken(RuleId::kVoteLock, "locked at slot %" PRIu64 ", the parent's slot is %" PRIu64,
                                         lock.slot, parent.slot));
    }
    Attestation out;
    out.purpose = SYNOD_SIGN_APPROVE;
    out.author = static_cast<uint16_t>(author);
    out.height = state.height;
    out.slot = head.slot;
    out.hash = head.hash;
    const auto bytes = out.encode();
    attestation.assign(bytes.begin(), bytes.end());
    request = request_for(SYNOD_SIGN_APPROVE, head.slot, head.hash.data(), kAttestationBytes - kSignatureBytes);
    request.new_lock = lock;
    const uint64_t certified = state.certified ? state.height : state.height - 1; // the newest certified block
    if (certified >= 1 && state.ancestry.has(certified - 1)) {
        const Ancestor& two_chain = state.ancestry.at(certified - 1);
        if (two_chain.slot > lock.slot) {
            request.new_lock.slot = two_chain.slot;
            std::memcpy(request.new_lock.hash, two_chain.hash.data(), 32);
        }
    }
    return SYNOD_OK;
}

Bytes Chain::stalled(const synod_state& state, uint32_t author, uint64_t slot, synod_sign_request& request) const {
    if (author >= state.rooted->set->keys.size()) {
        throw Failure(SYNOD_E_INVALID, "no such authority");
    }
    Attestation out;
    out.purpose = SYNOD_SIGN_STALLED;
    out.author = static_cast<uint16_t>(author);
    out.height = state.height;
    out.slot = slot;
    out.hash = state.head().hash;
    request = request_for(SYNOD_SIGN_STALLED, slot, out.hash.data(), kAttestationBytes - kSignatureBytes);
    const auto bytes = out.encode();
    return Bytes(bytes.begin(), bytes.end());
}

synod_status Chain::check_attestation(const synod_state& state, ByteView bytes, synod_attestation& out,
                                      const synod_check_writer& w, synod_refusal* refusal) const {
    Attestation a;
    if (!read_attestation(bytes, a)) {
        return refuse(refusal, 0, broken(RuleId::kAttestationShape, "%zu bytes that say nothing", bytes.size()));
    }
    // An approval is said by those who certify its block, a stall by those who would build upon it.
    const uint64_t judged = a.purpose == SYNOD_SIGN_APPROVE || a.height == UINT64_MAX ? a.height : a.height + 1;
    const auto in_force = set_at(state, judged);
    if (in_force == nullptr || judged > known_sets_end(state)) {
        return not_yet(refusal, 0, broken(RuleId::kSetUnknown, "the authorities of height %" PRIu64 " are not known here",
                                          judged));
    }
    const AuthoritySet& set = *in_force;
    if (a.author >= set.keys.size()) {
        return refuse(refusal, 0, broken(RuleId::kAttestationAuthor, "author %u of %zu", a.author, set.keys.size()));
    }
    // Height and slot of an approval are not signed, so they must be those of the block where we know it.
    const bool known = state.ancestry.has(a.height) && state.ancestry.at(a.height).hash == a.hash;
    const bool is_head = a.hash == state.head().hash;
    if ((is_head && a.height != state.height) || (a.purpose == SYNOD_SIGN_APPROVE && a.height == 0) ||
        (known && a.purpose == SYNOD_SIGN_APPROVE && a.slot != state.ancestry.at(a.height).slot)) {
        return refuse(refusal, 0, broken(RuleId::kAttestationBlock, "height %" PRIu64 " and slot %" PRIu64
                                         " are not the block's", a.height, a.slot));
    }
    out.purpose = a.purpose;
    out.author = a.author;
    out.reserved = 0;
    out.height = a.height;
    out.slot = a.slot;
    std::memcpy(out.hash, a.hash.data(), 32);
    uint8_t* memory = w.arena(w.ctx, 2 * kSignatureBytes + kKeyBytes);
    if (memory == nullptr) {
        throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks");
    }
    const uint32_t length = sign_message(a.purpose, a.hash.data(), a.slot, memory);
    std::memcpy(memory + kSignatureBytes, a.signature.data(), kSignatureBytes);
    std::memcpy(memory + 2 * kSignatureBytes, set.keys[a.author].data(), kKeyBytes);
    w.signature(w.ctx, 0, static_cast<uint32_t>(RuleId::kAttestationSignature), memory + 2 * kSignatureBytes,
                memory + kSignatureBytes, {memory, length});
    return SYNOD_OK;
}

synod_status Chain::certify(const synod_state& state, std::span<const synod_bytes> attestations, Bytes& certificate,
                            synod_refusal* refusal) const {
    std::array<std::array<uint8_t, kSignatureBytes>, kMaxAuthorities> signatures;
    uint64_t bitmap = 0;
    Hash32 hash{};
    for (size_t i = 0; i < attestations.size(); ++i) {
        Attestation a;
        if (!read_attestation(synod::view(attestations[i]), a) || a.purpose != SYNOD_SIGN_APPROVE) {
            return refuse(refusal, 0, broken(RuleId::kAttestationShape, "item %zu is no approval", i));
        }
        if (i > 0 && a.hash != hash) {
            return refuse(refusal, 0, broken(RuleId::kAttestationBlock, "item %zu approves another block", i));
        }
        hash = a.hash;
        const bool head = hash == state.head().hash;
        if (head && (a.height != state.height || a.slot != state.head().slot)) {
            continue; // it was judged by the authorities of another height than its block's
        }
        const AuthoritySet& set = head ? *state.signers : *state.rooted->set;
        if (a.author >= set.keys.size()) {
            return refuse(refusal, 0, broken(RuleId::kAttestationAuthor, "author %u of %zu", a.author, set.keys.size()));
        }
        signatures[a.author] = a.signature;
        bitmap |= uint64_t{1} << a.author;
    }
    const uint32_t quorum = (hash == state.head().hash ? state.signers : state.rooted->set)->quorum;
    const auto have = static_cast<uint32_t>(__builtin_popcountll(bitmap));
    if (have < quorum) {
        return refuse(refusal, 0, broken(RuleId::kQuorum, "%u approvals of %u", have, quorum));
    }
    uint64_t chosen = 0;
    for (uint32_t n = 0; n < quorum; ++n, bitmap &= bitmap - 1) {
        chosen |= bitmap & (~bitmap + 1); // exactly the quorum: the lowest indices
    }
    Writer out;
    out.u64(chosen);
    for (uint64_t left = chosen; left != 0; left &= left - 1) {
        out.bytes(signatures[static_cast<size_t>(__builtin_ctzll(left))]);
    }
    certificate = out.take();
    return SYNOD_OK;
}

synod_status Chain::accept_certificate(synod_state& state, ByteView bytes, const synod_check_writer& writer,
                                       synod_refusal* refusal) const {
    CertificateView c;
    if (!read_certificate(bytes, c)) {
        return refuse(refusal, 0, broken(RuleId::kCertificateShape, "not a certificate"));
    }
    if (const Broken no = check_certificate_shape(c, *state.signers, state.height)) {
        return refuse(refusal, 0, no);
    }
    if (!emit_certificate(c, *state.signers, state.head().hash.data(), 0, writer)) {
        throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks");
    }
    certify_head(state);
    return SYNOD_OK;
}

Bytes Chain::prove_head(ByteView block, ByteView child, ByteView certificate) const {
    BlockParts b, c;
    const char* why = "";
    if (!read_block(block, b, &why) || b.length != block.size()) {
        throw Failure(SYNOD_E_CORRUPT, "the block can't be read", {}, why);
    }
    if (!child.empty()) {
        const Hash32 hash = hasher()(block.first(kPrefixBytes));
        if (!read_block(child, c, &why) || std::memcmp(child.data() + 23, hash.data(), 32) != 0) {
            throw Failure(SYNOD_E_INVALID, "that is not a child of the block");
        }
        certificate = {c.certificate, c.certificate_bytes()};
    }
    CertificateView view;
    if (!read_certificate(certificate, view)) {
        throw Failure(SYNOD_E_INVALID, "not a certificate");
    }
    const std::array<uint8_t, kBitmapBytes> empty{};
    return Writer{}
        .bytes(block.first(kPrefixBytes + kSignatureBytes))
        .little(view.signatures, 2)
        .bytes(certificate.empty() ? ByteView(empty) : certificate)
        .take();
}

synod_status Chain::check_head(const synod_state& state, ByteView proof, synod_header_view& out,
                               const synod_check_writer& w, synod_refusal* refusal) const {
    constexpr size_t kFixed = kPrefixBytes + kSignatureBytes + 2;
    Prefix p;
    CertificateView c;
    if (proof.size() < kFixed + kBitmapBytes || !read_prefix(proof.data(), p) ||
        !read_certificate(proof.subspan(kFixed), c) || get_little(proof.data() + kFixed - 2, 2) != c.signatures) {
        return refuse(refusal, 0, broken(RuleId::kProofShape, "%zu bytes that are no head proof", proof.size()));
    }
    const Hash32 hash = hasher()(proof.first(kPrefixBytes));
    const auto in_force = set_at(state, p.height);
    const bool ahead = p.height > known_sets_end(state);
    if (in_force == nullptr || (ahead && p.authority_set > in_force->number)) {
        return not_yet(refusal, 0, broken(RuleId::kSetUnknown, "set %u is not known here", p.authority_set));
    }
    const AuthoritySet& set = *in_force;
    if (p.authority_set != set.number) {
        return refuse(refusal, 0, broken(RuleId::kAuthoritySet, "set %u, expected %u", p.authority_set, set.number));
    }
    if (p.height == 0 ? hash != genesis_hash_ : p.author != p.slot % set.keys.size()) {
        return refuse(refusal, 0, broken(RuleId::kAuthor, "author %u in slot %" PRIu64, p.author, p.slot));
    }
    if (const Broken no = check_certificate_shape(c, set, p.height)) {
        return refuse(refusal, 0, no);
    }
    out = {};
    out.height = p.height;
    out.slot = p.slot;
    std::memcpy(out.hash, hash.data(), 32);
    std::memcpy(out.parent, p.parent.data(), 32);
    out.length = out.header_length = kPrefixBytes;
    out.author = p.author;
    if (p.height == 0) {
        return SYNOD_OK;
    }
    uint8_t* memory = w.arena(w.ctx, 2 * kSignatureBytes + kKeyBytes);
    if (memory == nullptr || !emit_certificate(c, set, hash.data(), 0, w)) {
        throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks");
    }
    const uint32_t length = sign_message(SYNOD_SIGN_PROPOSE, hash.data(), 0, memory);
    std::memcpy(memory + kSignatureBytes, set.keys[p.author].data(), kKeyBytes);
    std::memcpy(memory + kSignatureBytes + kKeyBytes, proof.data() + kPrefixBytes, kSignatureBytes);
    w.signature(w.ctx, 0, static_cast<uint32_t>(RuleId::kAuthorSignature), memory + kSignatureBytes,
                memory + kSignatureBytes + kKeyBytes, {memory, length});
    return SYNOD_OK;
}

} // namespace synod::federation
