// SPDX-License-Identifier: Apache-2.0
//! The one schema of the manifest: what is checked, defaulted and documented.

#include <boost/json.hpp>
#include <sstream>

#include "core/host/manifest/manifest.hpp"

namespace synod::host {

std::string_view manifest_schema() {
    static constexpr std::string_view kSchema = R"json({
"type": "object", "additionalProperties": false, "required": ["node"], "properties": {
"node": {"type": "object", "additionalProperties": false, "required": ["name", "data_dir", "genesis"], "properties": {
  "name": {"type": "string", "description": "shown in status and logs"},
  "data_dir": {"type": "string", "description": "folder of the store, the keys and the log; created when missing"},
  "genesis": {"type": "string", "description": "the chain's genesis file, the same on every node"},
  "identity_key": {"type": "string", "default": "", "description": "key file of the node's identity; empty: data_dir/identity.key, made when missing"},
  "authority_key": {"type": "string", "default": "", "description": "key file of an authority; it is the node's identity too"}}},
"network": {"type": "object", "additionalProperties": false, "properties": {
  "listen": {"type": "string", "default": "127.0.0.1:0", "description": "address:port for peers; port 0: any"},
  "peers": {"type": "array", "default": [], "description": "nodes to keep a link to", "items": {"type": "object", "additionalProperties": false, "required": ["address"], "properties": {
    "address": {"type": "string", "description": "host:port"},
    "identity": {"type": "string", "default": "", "description": "its public key; a link to any other identity is refused"}}}},
  "miners": {"type": "array", "default": [], "description": "public keys of miners' nodes, in quotes: whoever proves one is dialled before others, may ask for twice as much and keeps its link when places are short", "items": {"type": "string"}},
  "max_peers": {"type": "integer", "default": 100, "minimum": 1, "maximum": 10000, "description": "links at most, of which 7 in 10 may be inbound"},
  "wanted_peers": {"type": "integer", "default": 50, "minimum": 0, "maximum": 10000, "description": "links to fill up to from addresses that others name; 0: only the peers above are dialled"},
  "peer_share": {"type": "integer", "format": "bytes", "default": 33554432, "minimum": 1048576, "maximum": 1099511627776, "description": "that a regular peer may ask for within 10 s before it is told to wait; a miner twice as much, an authority eight times"},
  "health_interval": {"type": "integer", "format": "duration", "default": 30000, "minimum": 1000, "maximum": 600000, "description": "between two reports of the network's health; three in a row of bad health, without a good moment in between, are an emergency"},
  "partition_confirm": {"type": "integer", "format": "duration", "default": 120000, "minimum": 1000, "maximum": 3600000, "description": "how long a partition must be suspected before it counts"}}},
"control": {"type": "object", "additionalProperties": false, "properties": {
  "listen": {"type": "string", "default": "127.0.0.1:0", "description": "address:port of the control door; loopback only"},
  "token_file": {"type": "string", "default": "", "description": "file of the bearer token; empty: data_dir/control.token"}}},
"mining": {"type": "object", "additionalProperties": false, "properties": {
  "listen": {"type": "string", "default": "", "description": "address:port for mining software: createauxblock, submitauxblock, getauxblock; port 0: any; empty: none"},
  "allow_remote": {"type": "boolean", "default": false, "description": "true: listen may be an address that other machines reach; the token travels in the clear"},
  "token_file": {"type": "string", "default": "", "description": "file of the token, which is the password of mining software; empty: data_dir/mining.token"},
  "trusted": {"type": "array", "default": [], "description": "numeric addresses, in quotes, from which no token is asked", "items": {"type": "string"}},
  "payout": {"type": "string", "default": "", "description": "20 to 32 bytes in hex, in quotes: whom getauxblock names; empty: nobody"}}},
"sync": {"type": "object", "additionalProperties": false, "properties": {
  "mode": {"type": "string", "default": "fast", "enum": ["fast", "full", "optimistic", "catchup", "emergency"], "description": "fast: a quorum certificate vouches for its ancestors; full: every signature is checked; optimistic: fast, then every signature behind the tip, and nothing is produced before; catchup: full, a small gap with the least delay; emergency: full, from the federation only"},
  "validation_level": {"type": "string", "default": "full", "enum": ["basic", "full", "extended", "paranoid"], "description": "basic: no signatures are checked while syncing, and nothing is produced; full and extended: everything, the consensus state derived anew with each block; paranoid: the reference backend beside the chosen one, and disagreement is an emergency"},
  "min_peers": {"type": "integer", "default": 1, "minimum": 0, "maximum": 1000, "description": "peers to begin with at once"},
  "batch_size": {"type": "integer", "default": 128, "minimum": 16, "maximum": 4096, "description": "blocks a request at first; adapts from here"},
  "parallel_downloads": {"type": "integer", "default": 16, "minimum": 1, "maximum": 256, "description": "open block requests in all"},
  "window_bytes": {"type": "integer", "format": "bytes", "default": 67108864, "minimum": 1048576, "maximum": 1073741824, "description": "bytes asked for, held or in processing"},
  "window_blocks": {"type": "integer", "default": 65536, "minimum": 128, "maximum": 1048576, "description": "blocks ahead of the stored ones"},
  "production_threshold": {"type": "number", "format": "ratio", "default": 0.995, "minimum": 0.95, "maximum": 1, "description": "share of the chain that must be verified before producing"}}},
"performance": {"type": "object", "additionalProperties": false, "properties": {
  "validation_workers": {"type": "integer", "default": 4, "minimum": 0, "maximum": 256, "description": "worker threads; 0: one a core"},
  "memory_pool": {"type": "integer", "default": 10000, "minimum": 8192, "maximum": 65536, "description": "blocks that may wait in memory above the committed one; more are refused"},
  "simd": {"type": "boolean", "default": true, "description": "false: the backends simd and batch use plain registers; their own config decides when it says"}}},
"optimization": {"type": "object", "additionalProperties": false, "properties": {
  "level": {"type": "string", "default": "balanced", "enum": ["disabled", "conservative", "balanced", "aggressive"], "description": "how far a setting may move at a time; disabled: nothing moves"},
  "target_throughput": {"type": "integer", "default": 10000, "minimum": 1, "maximum": 1000000000, "description": "blocks a second; above it there is nothing to gain"},
  "target_latency": {"type": "integer", "format": "duration", "default": 50, "minimum": 1, "maximum": 600000, "description": "of one block at the tip, 99 of 100"},
  "memory_limit": {"type": "integer", "format": "bytes", "default": 1000000000, "minimum": 67108864, "maximum": 1099511627776, "description": "resident memory that tuning stays below"}}},
"federation": {"type": "object", "additionalProperties": false, "properties": {
  "consensus_timeout": {"type": "integer", "format": "duration", "default": 10000, "minimum": 1000, "maximum": 600000, "description": "an authority that was not heard for so long counts as away"},
  "adopt_signatures": {"type": "boolean", "default": false, "description": "true: an authority whose folder is new or restored takes what its key signed before this start for its own; only when no other process has the key, and for one start"}}},
"governance": {"type": "object", "additionalProperties": false, "properties": {
  "required": {"type": "boolean", "default": false, "description": "produce only while the governance stream is healthy"}}},
"storage": {"type": "object", "additionalProperties": false, "properties": {
  "synchronous": {"type": "string", "default": "normal", "enum": ["normal", "full"], "description": "full: a power cut loses nothing; normal: it may lose the newest commits, never consistency"},
  "disk_floor": {"type": "integer", "format": "bytes", "default": 1073741824, "minimum": 0, "maximum": 1099511627776, "description": "free space below which nothing is produced"}}},
"checkpoint": {"type": "object", "additionalProperties": false, "properties": {
  "interval": {"type": "integer", "default": 1000, "minimum": 0, "maximum": 1000000000, "description": "committed blocks between two checkpoints; 0: only when asked"},
  "keep": {"type": "integer", "default": 10, "minimum": 1, "maximum": 10000, "description": "newest ones that are kept; the newest verified one always is"},
  "dir": {"type": "string", "default": "", "description": "folder of the checkpoints; empty: data_dir/checkpoints"},
  "compression": {"type": "boolean", "default": true, "description": "false: the binary format stores plainly; its own config decides when it has the key"},
  "verification": {"type": "string", "default": "full", "enum": ["none", "basic", "full"], "description": "how a new one is checked before it counts: basic: read back, content root; full: also its block, state and head proof"}}},
"log": {"type": "object", "additionalProperties": false, "properties": {
  "level": {"type": "string", "default": "info", "enum": ["trace", "debug", "info", "warning", "error"], "description": "least severe line that is written"},
  "file": {"type": "string", "default": "", "description": "empty: data_dir/synod.log"}}},
"plugin_dir": {"type": "string", "default": "", "description": "where plugin libraries are looked for first"},
"plugins": {"type": "object", "additionalProperties": false, "properties": {
  "consensus": {"default": "federation", "description": "what a block is and what must hold for it"},
  "validation": {"default": "batch", "description": "how checks are proven"},
  "scoring": {"default": "weighted", "description": "which peers to prefer"},
  "checkpoint": {"default": "binary", "description": "how checkpoints are written"},
  "optimizer": {"default": "aimd", "description": "how settings are tuned"}}}
}})json";
    return kSchema;
}

namespace {

namespace json = boost::json;

//! As an operator writes it: 10s, 50ms, 64MiB, 0.995, a list of words.
std::string written(const json::value& value, const std::string& format) {
    if (value.is_int64() && format == "duration") {
        const auto ms = value.as_int64();
        return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
    }
    if (value.is_int64() && format == "bytes") {
        constexpr std::pair<std::int64_t, const char*> kUnits[] = {
            {1ll << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}};
        for (const auto& [size, name] : kUnits) {
            if (value.as_int64() != 0 && value.as_int64() % size == 0) {
                return std::to_string(value.as_int64() / size) + name;
            }
        }
    }
    if (value.is_double()) {
        std::ostringstream out;
        out << value.as_double();
        return out.str();
    }
    if (value.is_array() && !value.as_array().empty()) {
        std::string out;
        for (const auto& one : value.as_array()) {
            out += (out.empty() ? "" : ", ") + written(one, "");
        }
        return out;
    }
    return value.is_string() && !value.as_string().empty() ? std::string(value.as_string())
                                                           : json::serialize(value);
}

void describe(std::ostringstream& out, const std::string& path, const json::object& schema,
              bool required) {
    if (const auto* properties = schema.if_contains("properties")) {
        const auto* needed = schema.if_contains("required");
        for (const auto& entry : properties->as_object()) {
            const std::string key(entry.key());
            bool must = false;
            for (const auto& one : needed == nullptr ? json::array{} : needed->as_array()) {
                must = must || one.as_string() == key;
            }
            describe(out, path.empty() ? key : path + "." + key, entry.value().as_object(), must);
        }
        return;
    }
    const auto* shape = schema.if_contains("format");
    const std::string format = shape == nullptr ? "" : std::string(shape->as_string());
    const auto text = [&](const char* key) {
        const auto* v = schema.if_contains(key);
        return v == nullptr ? std::string() : written(*v, format);
    };
    std::string limits = text("enum");
    if (limits.empty() && schema.contains("minimum")) {
        limits = text("minimum") + " to " + text("maximum");
    }
    const auto value = text("default");
    out << "| `" << path << "` | " << (required ? "required" : "`" + value + "`") << " | " << limits
        << " | " << text("description") << " |\n";
    if (const auto* items = schema.if_contains("items"); items && items->as_object().contains("properties")) {
        describe(out, path + "[]", items->as_object(), false);
    }
}

}  // namespace

std::string reference_markdown() {
    std::ostringstream out;
    out << "| key | default | allowed | meaning |\n| --- | --- | --- | --- |\n";
    describe(out, "", json::parse(manifest_schema()).as_object(), true);
    return out.str();
}

}  // namespace synod::host
