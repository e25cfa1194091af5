// SPDX-License-Identifier: Apache-2.0
#include "plugins/consensus/federation/auxpow/check_json.hpp"

#include <synod/cpp/json.hpp>

#include <charconv>
#include <limits>

namespace synod::federation {
namespace {

// Every text that is written here is our own ASCII, hex or a number: without quotes, backslashes or
// control characters.
std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string head(bool ok, bool parsed, uint32_t chain_id, const Hash32& aux_hash,
                 std::string_view reason) {
    return std::string("{\"ok\":") + (ok ? "true" : "false") +
           ",\"parsed\":" + (parsed ? "true" : "false") +
           ",\"chain_id\":" + std::to_string(chain_id) +
           ",\"hash\":" + quoted(display_hex(aux_hash)) +
           ",\"reason\":" + (reason.empty() ? "null" : quoted(reason));
}

std::string rule_json(const Rule& rule) {
    return "{\"code\":" + quoted(rule.code) + ",\"name\":" + quoted(rule.name) +
           ",\"holds\":" + (rule.verdict == Verdict::holds ? "true" : "false") +
           ",\"checked\":" + (rule.verdict == Verdict::unreached ? "false" : "true") +
           ",\"detail\":" + quoted(rule.detail) + "}";
}

uint32_t read_u32(const Value& value) {
    const uint64_t v = value.as_uint();
    if (v > std::numeric_limits<uint32_t>::max()) {
        throw Failure(SYNOD_E_INVALID, "more than 32 bits", "", value.path());
    }
    return static_cast<uint32_t>(v);
}

uint32_t read_bits(const Value& value) {
    if (value.type() != Value::Type::String) {
        return read_u32(value);
    }
    const std::string& text = value.as_string();
    uint32_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw Failure(SYNOD_E_INVALID, "not 32 bits in hex", "", value.path());
    }
    return out;
}

Hash32 read_hash(const Value& value) {
    const auto hash = from_display_hex(value.as_string());
    if (!hash) {
        throw Failure(SYNOD_E_INVALID, "not 64 hex digits", "", value.path());
    }
    return *hash;
}

Outcome<std::string> run_call(const Value& params, const Hasher& hash) {
    const uint32_t chain_id = read_u32(params.at("chain_id"));
    const Hash32 aux_hash = read_hash(params.at("hash"));
    const auto bytes = from_hex(params.at("auxpow").as_string());
    if (!bytes) {
        return Fault{"rpc.params", "not hex", "auxpow"};
    }
    std::optional<U256> target;
    if (const Value* bits = params.find("bits")) {
        const auto read = target_from_bits(read_bits(*bits));
        if (!read) {
            return read.fault();
        }
        target = *read;
    }
    if (const Value* text = params.find("target")) {
        if (target) {
            return Fault{"rpc.params", "give bits or target, not both", "target"};
        }
        target = U256::from_hash(read_hash(*text));
    }
    return check_json(chain_id, aux_hash, target, *bytes, hash);
}

} // namespace

std::string check_json(uint32_t chain_id, const Hash32& aux_hash, const std::optional<U256>& target,
                       ByteView bytes, const Hasher& hash) {
    const auto proof = parse_auxpow(bytes);
    if (!proof) {
        const Fault& fault = proof.fault();
        return head(false, false, chain_id, aux_hash, fault.code) +
               ",\"message\":" + quoted(fault.message) + ",\"where\":" + quoted(fault.where) +
               ",\"rules\":[]}";
    }
    const CheckReport report = check_auxpow(*proof, aux_hash, chain_id, target, hash);
    const Rule* failure = report.first_failure();
    std::string out =
        head(report.ok(), true, chain_id, aux_hash, failure != nullptr ? failure->code : "");
    out += ",\"parent_hash\":" + quoted(display_hex(proof->parent.hash(hash))) + ",\"rules\":[";
    for (size_t i = 0; i < report.rules.size(); ++i) {
        out += (i == 0 ? "" : ",") + rule_json(report.rules[i]);
    }
    return out + "]}";
}

Outcome<std::string> check_call(std::string_view params_json, const Hasher& hash) {
    try { // the JSON reader throws; nothing of it leaves
        return run_call(parse_json(params_json), hash);
    } catch (const Failure& failure) {
        return Fault{"rpc.params", failure.message(), failure.where()};
    }
}

} // namespace synod::federation
