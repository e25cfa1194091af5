// SPDX-License-Identifier: Apache-2.0
//! Governance events: bytes, rules, effects. Consensus worker.
#include "plugins/consensus/federation/governance.hpp"

#include <algorithm>
#include <cinttypes>

#include "plugins/consensus/federation/evidence.hpp"

namespace synod::federation {
namespace {

constexpr const char* kKindNames[] = {"add-authority", "remove-authority", "rotate-key", "threshold",
                                      "parameter",     "halt",             "resume"};
constexpr const char* kParameterNames[] = {"slot_ms", "max_blocks_without_pow", "max_block_bytes"};

void write_effect(Writer& w, const Change& c) {
    switch (c.kind) {
    case EventKind::kAddAuthority:
    case EventKind::kRemoveAuthority: w.bytes(c.key); break;
    case EventKind::kRotateKey: w.bytes(c.key).bytes(c.replacement); break;
    case EventKind::kThreshold: w.u32(static_cast<uint32_t>(c.value)); break;
    case EventKind::kParameter: w.u8(static_cast<uint8_t>(c.parameter)).u64(c.value); break;
    case EventKind::kHalt:
    case EventKind::kResume: break;
    }
}

bool read_effect(Reader& in, uint8_t kind, Change& out) {
    if (kind < 1 || kind > std::size(kKindNames)) {
        return false;
    }
    out.kind = static_cast<EventKind>(kind);
    switch (out.kind) {
    case EventKind::kAddAuthority:
    case EventKind::kRemoveAuthority: out.key = in.hash(); break;
    case EventKind::kRotateKey:
        out.key = in.hash();
        out.replacement = in.hash();
        break;
    case EventKind::kThreshold: out.value = in.u32(); break;
    case EventKind::kParameter: {
        const uint8_t parameter = in.u8();
        if (parameter < 1 || parameter > std::size(kParameterNames)) {
            return false;
        }
        out.parameter = static_cast<Parameter>(parameter);
        out.value = in.u64();
        break;
    }
    case EventKind::kHalt:
    case EventKind::kResume: break;
    }
    return in.ok();
}

bool halts(const Change& c) { return c.kind == EventKind::kHalt || c.kind == EventKind::kResume; }

Broken no_effect(const char* why) { return broken(RuleId::kEventEffect, "%s", why); }

// Slots keep rising: the new length counts from the slot after the last block of the old one.
void move_slots(Rooted& r, uint64_t slot, uint64_t slot_ms) {
    r.slot_base_ms = r.time_of(slot + 1);
    r.slot_base = slot + 1;
    r.slot_ms = slot_ms;
}

Broken apply_set(Rooted& r, const Change& c) {
    auto set = std::make_shared<AuthoritySet>(*r.set);
    const size_t at = set->index_of(c.key).value_or(static_cast<uint32_t>(set->keys.size()));
    const bool there = at < set->keys.size();
    switch (c.kind) {
    case EventKind::kAddAuthority:
        if (there || set->keys.size() >= kMaxAuthorities || !valid_key(c.key.data())) {
            return no_effect(there ? "it is an authority already" : "no key of an authority, or there are 64");
        }
        set->keys.push_back(c.key);
        break;
    case EventKind::kRemoveAuthority:
        if (!there || set->keys.size() == 1) {
            return no_effect(there ? "the last authority stays" : "it is no authority");
        }
        set->keys.erase(set->keys.begin() + static_cast<std::ptrdiff_t>(at));
        break;
    case EventKind::kRotateKey:
        if (!there || set->index_of(c.replacement) || !valid_key(c.replacement.data())) {
            return no_effect(there ? "the new key is in use, or no key" : "the old key is no authority's");
        }
        set->keys[at] = c.replacement;
        break;
    default: r.threshold = static_cast<uint32_t>(c.value); break;
    }
    set->quorum = quorum_of(static_cast<uint32_t>(set->keys.size()), r.threshold);
    if (set->quorum > set->keys.size()) {
        return no_effect("more signatures than there would be authorities");
    }
    ++set->number;
    r.set = std::move(set);
    return {};
}

Broken apply_parameter(Rooted& r, const Change& c, uint64_t slot) {
    switch (c.parameter) {
    case Parameter::kSlotMs: {
        if (c.value < 1 || c.value > kMaxSlotMs) {
            return no_effect("a slot lasts 1 ms to an hour");
        }
        // Headers are judged by it, so they must tell that it changed.
        auto set = std::make_shared<AuthoritySet>(*r.set);
        ++set->number;
        r.set = std::move(set);
        move_slots(r, slot, c.value);
        return {};
    }
    case Parameter::kMaxBlocksWithoutPow:
        if (c.value < 1 || c.value > kMaxBlocksWithoutPowLimit || r.max_blocks_without_pow == 0) {
            return no_effect("1 to 1048576 blocks, on a chain with merged mining");
        }
        r.max_blocks_without_pow = c.value;
        return {};
    case Parameter::kMaxBlockBytes:
        if (c.value < kLeastMaxBlockBytes || c.value > SYNOD_BLOCK_MAX) {
            return no_effect("256 KiB to 8 MiB");
        }
        r.max_block_bytes = c.value;
        return {};
    }
    return no_effect("no such parameter");
}

// What the change does to a state whose other changes before it are done. The slot is that of the last block before.
Broken apply(Rooted& r, const Change& c, uint64_t slot) {
    switch (c.kind) {
    case EventKind::kHalt:
    case EventKind::kResume:
        if (r.halted == (c.kind == EventKind::kHalt)) {
            return no_effect(r.halted ? "it is halted already" : "it is not halted");
        }
        r.halted = !r.halted;
        return {};
    case EventKind::kParameter: return apply_parameter(r, c, slot);
    default: return apply_set(r, c);
    }
}

// Every change in order, as they will have been done once all are in force.
Rooted projected(const Rooted& rooted, uint64_t up_to = UINT64_MAX) {
    Rooted out = rooted;
    for (const Change& c : rooted.pending) {
        if (c.effective <= up_to) {
            (void)apply(out, c, out.slot_base);
        }
    }
    return out;
}

Broken check_height(const Rooted& rooted, uint64_t height, const Change& c) {
    const uint64_t least = height + (halts(c) ? 1 : kGovernanceNotice);
    uint64_t last = least;
    for (const Change& p : rooted.pending) {
        if (halts(p) == halts(c)) {
            last = std::max(last, p.effective); // in the order of their sequence, or they could undo each other
        }
    }
    if (c.effective < last || c.effective - height > kMaxGovernanceNotice) {
        return broken(RuleId::kEventHeight, "effective at %" PRIu64 ", from %" PRIu64 " to %" PRIu64 " it may be",
                      c.effective, last, height + kMaxGovernanceNotice);
    }
    return {};
}

Broken check_approvals(const Rooted& rooted, const Event& event) {
    const AuthoritySet& set = *rooted.set;
    for (const EventApproval& a : event.approvals) {
        if (!set.index_of(a.key)) {
            return broken(RuleId::kEventApprovals, "signed by somebody who is no authority in force");
        }
    }
    if (event.approvals.size() < set.quorum) {
        return broken(RuleId::kEventApprovals, "%zu signatures of %u", event.approvals.size(), set.quorum);
    }
    return {};
}

} // namespace

const char* name_of(EventKind kind) { return kKindNames[static_cast<size_t>(kind) - 1]; }
const char* name_of(Parameter parameter) { return kParameterNames[static_cast<size_t>(parameter) - 1]; }

std::optional<EventKind> kind_from(std::string_view name) {
    const auto* at = std::find(std::begin(kKindNames), std::end(kKindNames), name);
    return at == std::end(kKindNames) ? std::nullopt
                                      : std::optional(static_cast<EventKind>(at - std::begin(kKindNames) + 1));
}

std::optional<Parameter> parameter_from(std::string_view name) {
    const auto* at = std::find(std::begin(kParameterNames), std::end(kParameterNames), name);
    return at == std::end(kParameterNames)
               ? std::nullopt
               : std::optional(static_cast<Parameter>(at - std::begin(kParameterNames) + 1));
}

Bytes encode_change(const Change& c) {
    Writer w;
    w.u8(static_cast<uint8_t>(c.kind)).u64(c.sequence).u64(c.effective);
    write_effect(w, c);
    return w.take();
}

bool read_change(Reader& in, Change& out) {
    const uint8_t kind = in.u8();
    out.sequence = in.u64();
    out.effective = in.u64();
    return in.ok() && read_effect(in, kind, out);
}

Bytes encode_event_core(const Event& e) {
    Writer w;
    w.u8(kEventVersion).u8(static_cast<uint8_t>(e.change.kind)).bytes(e.network).u64(e.change.sequence);
    w.bytes(e.previous).u64(e.change.effective);
    write_effect(w, e.change);
    w.little(e.reason.size(), 2).bytes({reinterpret_cast<const uint8_t*>(e.reason.data()), e.reason.size()});
    if (e.change.kind == EventKind::kRemoveAuthority) {
        w.little(e.evidence.size(), 2).bytes(e.evidence);
    }
    return w.take();
}

Bytes encode_event(const Event& e) {
    Writer w;
    w.bytes(encode_event_core(e)).u8(static_cast<uint8_t>(e.approvals.size()));
    for (const EventApproval& a : e.approvals) {
        w.bytes(a.key).bytes(a.signature);
    }
    return w.take();
}

Outcome<Event> decode_event(ByteView bytes) {
    Reader in(bytes);
    Event out;
    const auto wrong = [&](const char* what) {
        return Fault{"event.shape", what, "byte " + std::to_string(in.at())};
    };
    const uint8_t version = in.u8();
    const uint8_t kind = in.u8();
    out.network = in.hash();
    out.change.sequence = in.u64();
    out.previous = in.hash();
    out.change.effective = in.u64();
    if (!in.ok() || version != kEventVersion || !read_effect(in, kind, out.change)) {
        return wrong("cut, or of an unknown version or kind");
    }
    const uint16_t reason = in.u16();
    if (reason > kMaxEventReasonBytes) {
        return wrong("the reason is too long");
    }
    const ByteView text = in.take(reason);
    out.reason.assign(text.begin(), text.end());
    if (std::any_of(text.begin(), text.end(), [](uint8_t c) { return c < 0x20 || c > 0x7e; })) {
        return wrong("the reason has other characters than printable ASCII");
    }
    if (out.change.kind == EventKind::kRemoveAuthority) {
        const uint16_t evidence = in.u16();
        if (evidence > kMaxEvidenceBytes) {
            return wrong("the evidence is too long");
        }
        const ByteView proof = in.take(evidence);
        out.evidence.assign(proof.begin(), proof.end());
    }
    const uint8_t approvals = in.u8();
    if (!in.ok() || approvals > kMaxAuthorities || in.left() != approvals * kApprovalBytes) {
        return wrong("the signatures are cut, or too many");
    }
    for (uint8_t i = 0; i < approvals; ++i) {
        EventApproval a;
        a.key = in.hash();
        const ByteView signature = in.take(kSignatureBytes);
        std::copy(signature.begin(), signature.end(), a.signature.begin());
        if (i > 0 && !(out.approvals.back().key < a.key)) {
            return wrong("the signers do not rise");
        }
        out.approvals.push_back(a);
    }
    return out;
}

void event_message(const Hash32& hash, uint8_t* out) {
    std::memcpy(out, kGovernTag, kTagBytes);
    std::memcpy(out + kTagBytes, hash.data(), hash.size());
}

Broken take_event(Rooted& r, uint64_t height, const Event& event, const Hash32& network, const Hasher& hash) {
    const Change& c = event.change;
    if (event.network != network) {
        return broken(RuleId::kEventNetwork, "an event of another chain");
    }
    if (c.sequence != r.governance_sequence + 1) {
        return broken(RuleId::kEventSequence, "number %" PRIu64 ", expected %" PRIu64, c.sequence,
                      r.governance_sequence + 1);
    }
    if (event.previous != r.governance_hash) {
        return broken(RuleId::kEventLink, "the event before number %" PRIu64 " is another", c.sequence);
    }
    if (r.pending.size() >= kMaxPendingEvents) {
        return broken(RuleId::kEventPending, "%zu events wait for their height already", r.pending.size());
    }
    if (Broken no = check_height(r, height, c)) {
        return no;
    }
    if (Broken no = check_approvals(r, event)) {
        return no;
    }
    if (!event.evidence.empty()) {
        Evidence evidence;
        Contradiction found;
        if (Broken no = check_removal_evidence(event.evidence, c.key, hash, evidence, found)) {
            return no;
        }
    }
    Rooted after = projected(r);
    if (Broken no = apply(after, c, after.slot_base)) {
        return no;
    }
    r.pending.push_back(c);
    r.governance_sequence = c.sequence;
    r.governance_hash = hash(encode_event_core(event));
    return {};
}

bool activate(Rooted& r, uint64_t next_height, uint64_t slot) {
    const auto due = [&](const Change& c) { return c.effective <= next_height; };
    if (std::none_of(r.pending.begin(), r.pending.end(), due)) {
        return false;
    }
    for (const Change& c : r.pending) {
        if (due(c)) {
            // It was checked when it was taken, on a state with every change before it.
            (void)apply(r, c, slot);
        }
    }
    std::erase_if(r.pending, due);
    return true;
}

std::shared_ptr<const AuthoritySet> set_at(const synod_state& state, uint64_t height) {
    if (height > state.height + 1 && !state.rooted->pending.empty()) {
        return projected(*state.rooted, height).set;
    }
    for (auto at = state.sets.rbegin(); at != state.sets.rend(); ++at) {
        if (at->from <= height) {
            return at->set;
        }
    }
    return nullptr;
}

} // namespace synod::federation
