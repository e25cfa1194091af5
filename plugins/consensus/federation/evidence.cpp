// SPDX-License-Identifier: Apache-2.0
//! Equivocation: what convicts, in bytes and in rules. See chain.hpp for threads.
#include "plugins/consensus/federation/evidence.hpp"

#include <algorithm>
#include <cinttypes>

#include "plugins/consensus/federation/chain.hpp"

namespace synod::federation {
namespace {

bool known_purpose(uint8_t purpose) { return purpose == SYNOD_SIGN_PROPOSE || purpose == SYNOD_SIGN_APPROVE; }

Statement statement_at(ByteView bytes, size_t at) {
    Statement out;
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), kPrefixBytes, out.prefix.begin());
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at + kPrefixBytes), kSignatureBytes, out.signature.begin());
    return out;
}

/// The set that has the key, and where; the head's set may differ from the next block's.
std::optional<uint32_t> index_of(const synod_state& state, const std::array<uint8_t, kKeyBytes>& key) {
    for (const auto* set : {state.rooted->set.get(), state.signers.get()}) {
        if (const auto at = set->index_of(key)) {
            return at;
        }
    }
    return std::nullopt;
}

} // namespace

Bytes Testimony::encode() const {
    return Writer{}.u8(purpose).little(author, 2).bytes(statement.prefix).bytes(statement.signature).take();
}

std::optional<Testimony> read_testimony(ByteView bytes) {
    if (bytes.size() != kTestimonyBytes || !known_purpose(bytes[0])) {
        return std::nullopt;
    }
    return Testimony{bytes[0], static_cast<uint16_t>(get_little(bytes.data() + 1, 2)), statement_at(bytes, 3)};
}

Bytes Evidence::encode() const {
    return Writer{}
        .u8(kEvidenceVersion)
        .u8(purpose)
        .bytes(key)
        .bytes(first.prefix)
        .bytes(first.signature)
        .bytes(second.prefix)
        .bytes(second.signature)
        .take();
}

std::optional<Evidence> read_evidence(ByteView bytes) {
    if (bytes.size() != kEvidenceBytes || bytes[0] != kEvidenceVersion || !known_purpose(bytes[1])) {
        return std::nullopt;
    }
    Evidence out;
    out.purpose = bytes[1];
    std::copy_n(bytes.begin() + 2, kKeyBytes, out.key.begin());
    out.first = statement_at(bytes, 2 + kKeyBytes);
    out.second = statement_at(bytes, 2 + kKeyBytes + kStatementBytes);
    return out;
}

Broken check_contradiction(const Evidence& evidence, const Hasher& hash, Contradiction& out) {
    if (!read_prefix(evidence.first.prefix.data(), out.first) ||
        !read_prefix(evidence.second.prefix.data(), out.second)) {
        return broken(RuleId::kEvidenceShape, "a block of an unknown version");
    }
    if (out.first.height == 0 || out.second.height == 0) {
        return broken(RuleId::kEvidenceShape, "nobody signs genesis");
    }
    out.first_hash = hash(evidence.first.prefix);
    out.second_hash = hash(evidence.second.prefix);
    if (out.first.slot != out.second.slot) {
        return broken(RuleId::kEvidenceAgrees, "blocks of slots %" PRIu64 " and %" PRIu64, out.first.slot,
                      out.second.slot);
    }
    if (out.first_hash == out.second_hash) {
        return broken(RuleId::kEvidenceAgrees, "one block twice");
    }
    if (out.second_hash < out.first_hash) {
        return broken(RuleId::kEvidenceShape, "the larger hash stands first");
    }
    return {};
}

Broken check_removal_evidence(ByteView bytes, const std::array<uint8_t, kKeyBytes>& key, const Hasher& hash,
                              Evidence& out, Contradiction& found) {
    const auto evidence = read_evidence(bytes);
    if (!evidence) {
        return broken(RuleId::kEventEvidence, "%zu bytes that are no evidence", bytes.size());
    }
    if (evidence->key != key) {
        return broken(RuleId::kEventEvidence, "it is about another key than the one that is removed");
    }
    if (const Broken no = check_contradiction(*evidence, hash, found)) {
        return broken(RuleId::kEventEvidence, "%s: %s", rule_text(static_cast<uint32_t>(no.rule)), no.detail);
    }
    out = *evidence;
    return {};
}

bool emit_statements(const Evidence& evidence, const Contradiction& found, uint32_t block, RuleId rule,
                     const synod_check_writer& w) {
    constexpr size_t kMessageRoom = 64; // what sign_message may write
    uint8_t* memory = w.arena(w.ctx, kKeyBytes + 2 * (kMessageRoom + kSignatureBytes));
    if (memory == nullptr) {
        return false;
    }
    std::memcpy(memory, evidence.key.data(), kKeyBytes);
    uint8_t* at = memory + kKeyBytes;
    for (const auto& [hash, statement] : {std::pair(&found.first_hash, &evidence.first),
                                          std::pair(&found.second_hash, &evidence.second)}) {
        const uint32_t length = sign_message(evidence.purpose, hash->data(), found.first.slot, at);
        std::memcpy(at + kMessageRoom, statement->signature.data(), kSignatureBytes);
        w.signature(w.ctx, block, static_cast<uint32_t>(rule), memory, at + kMessageRoom, {at, length});
        at += kMessageRoom + kSignatureBytes;
    }
    return true;
}

synod_status Chain::testify(ByteView block, ByteView attestation, Bytes& testimony, synod_refusal* refusal) const {
    BlockParts parts;
    const char* why = "";
    if (!read_block(block, parts, &why) || parts.length != block.size()) {
        return refuse(refusal, 0, broken(RuleId::kShape, "%s", why));
    }
    Testimony out;
    out.statement = statement_at(block, 0);
    out.purpose = SYNOD_SIGN_PROPOSE;
    out.author = static_cast<uint16_t>(get_little(block.data() + 1, 2));
    if (!attestation.empty()) {
        Attestation approval;
        if (!read_attestation(attestation, approval) || approval.purpose != SYNOD_SIGN_APPROVE) {
            return refuse(refusal, 0, broken(RuleId::kAttestationShape, "no approval"));
        }
        if (approval.hash != hasher()(block.first(kPrefixBytes))) {
            return refuse(refusal, 0, broken(RuleId::kAttestationBlock, "it approves another block"));
        }
        out.purpose = SYNOD_SIGN_APPROVE;
        out.author = approval.author;
        out.statement.signature = approval.signature;
    }
    testimony = out.encode();
    return SYNOD_OK;
}

synod_status Chain::accuse(const synod_state& state, ByteView testimony, ByteView other, Bytes& evidence,
                           synod_refusal* refusal) const {
    const auto a = read_testimony(testimony), b = read_testimony(other);
    if (!a || !b) {
        return refuse(refusal, 0, broken(RuleId::kEvidenceShape, "no testimony"));
    }
    if (a->purpose != b->purpose || a->author != b->author) {
        return refuse(refusal, 0, broken(RuleId::kEvidenceAgrees, "statements of two authorities, or of two kinds"));
    }
    if (a->author >= state.rooted->set->keys.size()) {
        return refuse(refusal, 0, broken(RuleId::kEvidenceAuthor, "author %u of %zu", a->author,
                                         state.rooted->set->keys.size()));
    }
    Evidence out{a->purpose, state.rooted->set->keys[a->author], a->statement, b->statement};
    const Hasher hash = hasher();
    if (hash(out.second.prefix) < hash(out.first.prefix)) {
        std::swap(out.first, out.second);
    }
    Contradiction unused;
    if (const Broken no = check_contradiction(out, hash, unused)) {
        return refuse(refusal, 0, no);
    }
    evidence = out.encode();
    return SYNOD_OK;
}

synod_status Chain::check_evidence(const synod_state& state, ByteView bytes, synod_evidence& out,
                                   const synod_check_writer& w, synod_refusal* refusal) const {
    const auto evidence = read_evidence(bytes);
    if (!evidence) {
        return refuse(refusal, 0, broken(RuleId::kEvidenceShape, "%zu bytes that are no evidence", bytes.size()));
    }
    Contradiction found;
    if (const Broken no = check_contradiction(*evidence, hasher(), found)) {
        return refuse(refusal, 0, no);
    }
    const auto index = index_of(state, evidence->key);
    if (!index) {
        return refuse(refusal, 0, broken(RuleId::kEvidenceAuthor, "the key is no authority's"));
    }
    if (!emit_statements(*evidence, found, 0, RuleId::kEvidenceSignature, w)) {
        throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks");
    }
    out.purpose = evidence->purpose;
    out.slot = found.first.slot;
    std::memcpy(out.key, evidence->key.data(), kKeyBytes);
    std::memcpy(out.first, found.first_hash.data(), 32);
    std::memcpy(out.second, found.second_hash.data(), 32);
    out.first_height = found.first.height;
    out.second_height = found.second.height;
    out.author = *index;
    out.reserved = 0;
    return SYNOD_OK;
}

} // namespace synod::federation
