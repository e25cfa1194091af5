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
  "max_peers": {"type": "integer", "default": 100, "minimum": 1, "maximum": 10000, "description": "links at most"}}},
"control": {"type": "object", "additionalProperties": false, "properties": {
  "listen": {"type": "string", "default": "127.0.0.1:0", "description": "address:port of the control door; loopback only"},
  "token_file": {"type": "string", "default": "", "description": "file of the bearer token; empty: data_dir/control.token"}}},
"sync": {"type": "object", "additionalProperties": false, "properties": {
  "mode": {"type": "string", "default": "fast", "enum": ["fast", "full", "optimistic", "catchup", "emergency"], "description": "fast: a quorum certificate vouches for its ancestors; full: every signature is checked"},
  "validation_level": {"type": "string", "default": "full", "enum": ["basic", "full", "extended", "paranoid"], "description": "paranoid: the reference backend checks everything beside the chosen one"},
  "min_peers": {"type": "integer", "default": 1, "minimum": 0, "maximum": 1000, "description": "peers to begin with at once"},
  "batch_size": {"type": "integer", "default": 128, "minimum": 16, "maximum": 4096, "description": "blocks a request at first; adapts from here"},
  "parallel_downloads": {"type": "integer", "default": 16, "minimum": 1, "maximum": 256, "description": "open block requests in all"},
  "window_bytes": {"type": "integer", "format": "bytes", "default": 67108864, "minimum": 1048576, "maximum": 1073741824, "description": "bytes asked for, held or in processing"},
  "window_blocks": {"type": "integer", "default": 65536, "minimum": 128, "maximum": 1048576, "description": "blocks ahead of the stored ones"},
  "production_threshold": {"type": "number", "format": "ratio", "default": 0.995, "minimum": 0.95, "maximum": 1, "description": "share of the chain that must be verified before producing"}}},
"performance": {"type": "object", "additionalProperties": false, "properties": {
  "validation_workers": {"type": "integer", "default": 4, "minimum": 0, "maximum": 256, "description": "worker threads; 0: one a core"}}},
"federation": {"type": "object", "additionalProperties": false, "properties": {
  "consensus_timeout": {"type": "integer", "format": "duration", "default": 10000, "minimum": 1000, "maximum": 600000, "description": "an authority that was not heard for so long counts as away"}}},
"governance": {"type": "object", "additionalProperties": false, "properties": {
  "required": {"type": "boolean", "default": false, "description": "produce only while the governance stream is healthy"}}},
"storage": {"type": "object", "additionalProperties": false, "properties": {
  "synchronous": {"type": "string", "default": "normal", "enum": ["normal", "full"], "description": "full: a power cut loses nothing; normal: it may lose the newest commits, never consistency"},
  "disk_floor": {"type": "integer", "format": "bytes", "default": 1073741824, "minimum": 0, "maximum": 1099511627776, "description": "free space below which nothing is produced"}}},
"log": {"type": "object", "additionalProperties": false, "properties": {
  "level": {"type": "string", "default": "info", "enum": ["trace", "debug", "info", "warning", "error"], "description": "least severe line that is written"},
  "file": {"type": "string", "default": "", "description": "empty: data_dir/synod.log"}}},
"plugin_dir": {"type": "string", "default": "", "description": "where plugin libraries are looked for first"},
"plugins": {"type": "object", "additionalProperties": false, "properties": {
  "consensus": {"default": "federation", "description": "what a block is and what must hold for it"},
  "validation": {"default": "simd", "description": "how checks are proven"},
  "scoring": {"default": "weighted", "description": "which peers to prefer"},
  "checkpoint": {"default": "binary", "description": "how checkpoints are written"},
  "optimizer": {"default": "aimd", "description": "how settings are tuned"}}}
}})json";
    return kSchema;
}

namespace {

namespace json = boost::json;

void describe(std::ostringstream& out, const std::string& path, const json::object& schema) {
    if (const auto* properties = schema.if_contains("properties")) {
        for (const auto& entry : properties->as_object()) {
            describe(out, path.empty() ? std::string(entry.key()) : path + "." + std::string(entry.key()),
                     entry.value().as_object());
        }
        return;
    }
    const auto text = [&](const char* key) {
        const auto* v = schema.if_contains(key);
        return v == nullptr ? std::string() : json::serialize(*v);
    };
    const auto* description = schema.if_contains("description");
    std::string limits = text("enum");
    if (limits.empty() && schema.contains("minimum")) {
        limits = text("minimum") + " to " + text("maximum");
    }
    const auto value = text("default");
    out << "| `" << path << "` | " << (value.empty() ? "required" : "`" + value + "`") << " | " << limits
        << " | " << (description == nullptr ? "" : std::string(description->as_string())) << " |\n";
}

}  // namespace

std::string reference_markdown() {
    std::ostringstream out;
    out << "| key | default | allowed | meaning |\n| --- | --- | --- | --- |\n";
    describe(out, "", json::parse(manifest_schema()).as_object());
    return out.str();
}

}  // namespace synod::host
