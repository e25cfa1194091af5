// SPDX-License-Identifier: Apache-2.0
//! JSON for people, and the plugin's own RPC methods. Shared (explain) or consensus worker (call).
#include "plugins/consensus/federation/chain.hpp"

#include "plugins/consensus/federation/auxpow/check_json.hpp"
#include "plugins/consensus/federation/event_json.hpp"
#include "plugins/consensus/federation/json.hpp"

namespace synod::federation {
namespace {

std::string events_of(const BlockParts& b, const Hasher& hash) {
    std::string out = "[";
    const uint8_t* item = b.item;
    for (uint32_t i = 0; i < b.items(); ++i) {
        const ByteView bytes(item + 4, static_cast<size_t>(get_little(item, 4)));
        item += 4 + bytes.size();
        if (item_tag(b, i) != kTagEvent) {
            continue;
        }
        if (const auto event = decode_event(bytes)) {
            out += (out.size() > 1 ? "," : "") + explain_event(*event, hash);
        }
    }
    return out + "]";
}

std::string explain_block(ByteView bytes, const Hasher& hash) {
    BlockParts b;
    const char* why = "";
    if (!read_block(bytes, b, &why)) {
        throw Failure(SYNOD_E_CORRUPT, "the block can't be read", {}, why);
    }
    Prefix p;
    (void)read_prefix(b.base, p);
    return Json{}
        .text("hash", to_hex(hash(bytes.first(kPrefixBytes))))
        .number("height", p.height)
        .number("slot", p.slot)
        .number("author", p.author)
        .number("authority_set", p.authority_set)
        .text("parent", to_hex(p.parent))
        .text("body_root", to_hex(p.body_root))
        .text("state_root", to_hex(p.state_root))
        .text("author_signature", to_hex({b.signature(), kSignatureBytes}))
        .number("parent_approvals", b.signatures)
        .number("parent_bitmap", b.bitmap)
        .number("transactions", b.transactions)
        .number("events", b.events)
        .number("records", b.records)
        .number("bytes", b.length)
        .raw("governance_events", events_of(b, hash))
        .end();
}

std::string explain_state(const synod_state& s, const Hash32& network) {
    const Rooted& r = *s.rooted;
    std::string pending = "[";
    for (const Change& c : r.pending) {
        Json one;
        one.number("sequence", c.sequence);
        pending += (pending.size() > 1 ? "," : "") + explain_change(c, one).end();
    }
    std::string keys = "[";
    for (const Key& k : r.set->keys) {
        keys += (keys.size() > 1 ? ",\"" : "\"") + to_hex(k) + "\"";
    }
    return Json{}
        .text("chain", r.name)
        .number("chain_id", r.chain_id)
        .text("state_root", to_hex(r.root))
        .text("head", to_hex(s.head().hash))
        .number("height", s.height)
        .number("slot", s.head().slot)
        .raw("head_certified", s.certified ? "true" : "false")
        .number("committed_height", s.committed)
        .text("committed_hash", to_hex(s.committed_hash))
        .number("final_height", r.final_height)
        .number("finality_records", r.record_count)
        .number("record_bits", r.record_bits)
        .text("network_id", to_hex(network))
        .number("governance_sequence", r.governance_sequence)
        .text("governance_hash", to_hex(r.governance_hash))
        .raw("halted", r.halted ? "true" : "false")
        .raw("pending", pending + "]")
        .number("authority_set", r.set->number)
        .number("quorum", r.set->quorum)
        .number("threshold", r.threshold)
        .number("slot_ms", r.slot_ms)
        .number("max_block_bytes", r.max_block_bytes == 0 ? SYNOD_BLOCK_MAX : r.max_block_bytes)
        .number("max_blocks_without_pow", r.max_blocks_without_pow)
        .raw("authorities", keys + "]")
        .end();
}

std::string bundle_next(const synod_state* state, const Value& params, const Hasher& hash) {
    if (state == nullptr) {
        throw Failure(SYNOD_E_INVALID, "bundle.next needs a state");
    }
    const Bytes payout = params.find("payout") != nullptr ? hex_param(params, "payout") : Bytes{};
    const auto bundle = next_bundle(*state, static_cast<uint64_t>(params.get_int("range_end", 0)), payout, hash);
    if (!bundle) {
        wrong(bundle.fault());
    }
    const auto bytes = encode_bundle(*bundle);
    if (!bytes) {
        wrong(bytes.fault());
    }
    const auto target = target_from_bits(bundle->bits);
    return Json{}
        .text("bundle", to_hex(*bytes))
        .text("hash", display_hex(hash(*bytes)))
        .number("chain_id", bundle->chain_id)
        .number("bits", bundle->bits)
        .text("target", target ? target->hex() : "")
        .number("range_start", bundle->range_start)
        .number("range_end", bundle->range_end)
        .end();
}

std::string record_encode(const Value& params) {
    const auto bundle = decode_bundle(hex_param(params, "bundle"));
    if (!bundle) {
        wrong(bundle.fault());
    }
    auto proof = parse_auxpow(hex_param(params, "auxpow"));
    if (!proof) {
        wrong(proof.fault());
    }
    normalise(*proof);
    const auto record = encode_record({*bundle, *proof});
    if (!record) {
        wrong(record.fault());
    }
    return Json{}.text("record", to_hex(*record)).end();
}

std::string record_mine(const Value& params, const Hasher& hash) {
    const Bytes bundle = hex_param(params, "bundle");
    const auto record = mine_record(bundle, static_cast<uint32_t>(params.get_int("seed", 0)),
                                    static_cast<uint32_t>(params.get_int("time", 0)), hash);
    if (!record) {
        wrong(record.fault());
    }
    const auto auxpow = ByteView(*record).subspan(bundle.size()); // a record is its bundle, then the proof
    return Json{}.text("record", to_hex(*record)).text("auxpow", to_hex(auxpow)).end();
}

} // namespace

std::string Chain::explain(ByteView block, const synod_state* state) const {
    return state != nullptr ? explain_state(*state, network_id_) : explain_block(block, hasher());
}

std::string Chain::call(const synod_state* state, std::string_view method, std::string_view params) const {
    if (method == "auxpow.check") {
        const auto report = check_call(params, hasher());
        if (!report) {
            wrong(report.fault());
        }
        return *report;
    }
    const Value value = parse_json(params.empty() ? std::string_view("{}") : params);
    if (method == "bundle.next") {
        return bundle_next(state, value, hasher());
    }
    if (method == "record.encode") {
        return record_encode(value);
    }
    if (method == "record.mine") {
        return record_mine(value, hasher());
    }
    if (method == "governance.make") {
        return make_event(value, hasher());
    }
    if (method == "governance.sign") {
        return sign_event(value, hasher());
    }
    if (method == "governance.explain") {
        return explain_event(event_param(value), hasher());
    }
    throw Failure(SYNOD_E_UNSUPPORTED, "no such method", "see methods()", std::string(method));
}

} // namespace synod::federation
