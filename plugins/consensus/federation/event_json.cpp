// SPDX-License-Identifier: Apache-2.0
//! Governance events for people. Consensus worker.
#include "plugins/consensus/federation/event_json.hpp"

#include <sodium.h>

#include <algorithm>

#include "plugins/consensus/federation/evidence.hpp"

namespace synod::federation {
namespace {

[[noreturn]] void invalid(const char* what, std::string_view where) {
    throw Failure(SYNOD_E_INVALID, what, {}, std::string(where));
}

Key key_param(const Value& params, std::string_view name) {
    const Bytes bytes = hex_param(params, name);
    Key out{};
    if (bytes.size() != out.size()) {
        invalid("64 hex digits are expected", name);
    }
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

uint64_t number_param(const Value& params, std::string_view name) {
    const int64_t value = params.get_int(name, -1);
    if (value < 0) {
        invalid("a number is expected", name);
    }
    return static_cast<uint64_t>(value);
}

void read_effect(const Value& params, Change& out) {
    switch (out.kind) {
    case EventKind::kRotateKey: out.replacement = key_param(params, "replacement"); [[fallthrough]];
    case EventKind::kAddAuthority:
    case EventKind::kRemoveAuthority: out.key = key_param(params, "key"); break;
    case EventKind::kThreshold:
        out.value = number_param(params, "value");
        if (out.value > kMaxAuthorities) {
            invalid("at most 64", "value");
        }
        break;
    case EventKind::kParameter: {
        const auto parameter = parameter_from(params.at("parameter").as_string());
        if (!parameter) {
            invalid("slot_ms, max_blocks_without_pow or max_block_bytes", "parameter");
        }
        out.parameter = *parameter;
        out.value = number_param(params, "value");
        break;
    }
    case EventKind::kHalt:
    case EventKind::kResume: break;
    }
}

std::string explain_evidence(const Event& e, const Hasher& hash) {
    Json out;
    Evidence evidence;
    Contradiction found;
    if (!check_removal_evidence(e.evidence, e.change.key, hash, evidence, found)) {
        out.text("kind", evidence.purpose == SYNOD_SIGN_PROPOSE ? "two_blocks" : "two_approvals")
            .number("slot", found.first.slot)
            .raw("blocks", "[\"" + to_hex(found.first_hash) + "\",\"" + to_hex(found.second_hash) + "\"]")
            .raw("heights", "[" + std::to_string(found.first.height) + "," + std::to_string(found.second.height) + "]");
    }
    return out.text("bytes", to_hex(e.evidence)).end();
}

// No block could carry the event: nobody should sign it.
void must_convict(const Event& e, const Hasher& hash) {
    Evidence evidence;
    Contradiction found;
    if (e.evidence.empty()) {
        return;
    }
    if (const Broken no = check_removal_evidence(e.evidence, e.change.key, hash, evidence, found)) {
        invalid(no.detail, "evidence");
    }
}

} // namespace

void wrong(const Fault& fault) {
    throw Failure(SYNOD_E_INVALID, std::string(fault.code) + ": " + fault.message, {}, fault.where);
}

Bytes hex_param(const Value& params, std::string_view key) {
    auto bytes = from_hex(params.at(key).as_string());
    if (!bytes) {
        invalid("not hex", key);
    }
    return std::move(*bytes);
}

Event event_param(const Value& params) {
    auto event = decode_event(hex_param(params, "event"));
    if (!event) {
        wrong(event.fault());
    }
    return std::move(*event);
}

Json& explain_change(const Change& c, Json& out) {
    out.text("kind", name_of(c.kind)).number("effective_height", c.effective);
    switch (c.kind) {
    case EventKind::kAddAuthority:
    case EventKind::kRemoveAuthority: out.text("key", to_hex(c.key)); break;
    case EventKind::kRotateKey: out.text("key", to_hex(c.key)).text("replacement", to_hex(c.replacement)); break;
    case EventKind::kThreshold: out.number("value", c.value); break;
    case EventKind::kParameter: out.text("parameter", name_of(c.parameter)).number("value", c.value); break;
    case EventKind::kHalt:
    case EventKind::kResume: break;
    }
    return out;
}

std::string explain_event(const Event& e, const Hasher& hash) {
    const Hash32 id = hash(encode_event_core(e));
    std::array<uint8_t, kHashMessageBytes> message{};
    event_message(id, message.data());
    std::string approvals = "[";
    for (const EventApproval& a : e.approvals) {
        approvals += approvals.size() > 1 ? "," : "";
        approvals += Json{}.text("key", to_hex(a.key)).text("signature", to_hex(a.signature)).end();
    }
    Json out;
    out.number("sequence", e.change.sequence);
    explain_change(e.change, out).text("reason", e.reason).text("network", to_hex(e.network));
    if (!e.evidence.empty()) {
        out.raw("evidence", explain_evidence(e, hash));
    }
    return out.text("previous", to_hex(e.previous))
        .text("hash", to_hex(id))
        .text("message", to_hex(message))
        .raw("approvals", approvals + "]")
        .text("event", to_hex(encode_event(e)))
        .end();
}

std::string make_event(const Value& params, const Hasher& hash) {
    Event out;
    const auto kind = kind_from(params.at("kind").as_string());
    if (!kind) {
        invalid("add-authority, remove-authority, rotate-key, threshold, parameter, halt or resume", "kind");
    }
    out.change.kind = *kind;
    out.change.sequence = number_param(params, "sequence");
    out.change.effective = number_param(params, "effective");
    out.network = key_param(params, "network");
    out.previous = key_param(params, "previous");
    out.reason = params.get_string("reason", "");
    const bool printable = std::all_of(out.reason.begin(), out.reason.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (out.reason.size() > kMaxEventReasonBytes || !printable) {
        invalid("at most 256 characters of printable ASCII", "reason");
    }
    read_effect(params, out.change);
    if (params.find("evidence") != nullptr) {
        out.evidence = hex_param(params, "evidence");
        if (out.change.kind != EventKind::kRemoveAuthority) {
            invalid("only against an authority that is removed", "evidence");
        }
        must_convict(out, hash);
    }
    return explain_event(out, hash);
}

std::string sign_event(const Value& params, const Hasher& hash) {
    Event event = event_param(params);
    must_convict(event, hash);
    EventApproval approval;
    approval.key = key_param(params, "key");
    const Bytes signature = hex_param(params, "signature");
    std::array<uint8_t, kHashMessageBytes> message{};
    event_message(hash(encode_event_core(event)), message.data());
    if (signature.size() != kSignatureBytes ||
        crypto_sign_verify_detached(signature.data(), message.data(), message.size(), approval.key.data()) != 0) {
        invalid("it does not hold for this event and key", "signature");
    }
    std::copy(signature.begin(), signature.end(), approval.signature.begin());
    std::erase_if(event.approvals, [&](const EventApproval& a) { return a.key == approval.key; });
    if (event.approvals.size() >= kMaxAuthorities) {
        invalid("64 authorities signed it already", "event");
    }
    const auto later = [&](const EventApproval& a) { return approval.key < a.key; };
    event.approvals.insert(std::find_if(event.approvals.begin(), event.approvals.end(), later), approval);
    return explain_event(event, hash);
}

} // namespace synod::federation
