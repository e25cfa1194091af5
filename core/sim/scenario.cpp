// SPDX-License-Identifier: Apache-2.0
#include "core/sim/scenario.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "core/host/manifest/manifest.hpp"

namespace synod::sim {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, kBehaviours> kNames{
    "invalid_signature", "wrong_body", "truncate", "fork_server", "height_liar", "slow_drip", "stall",
    "flood",             "garbage",    "replay",   "empty",       "busy",        "eclipse",   "stale"};
constexpr std::array<std::string_view, 13> kFaults{"partition", "kill",        "power", "crash_loop",
                                                   "clock",     "disk_full",   "disk_errors", "lines",
                                                   "churn",     "shuffle",     "pause", "checkpoints",
                                                   "no_miner"};

//! What a scenario may say.
constexpr std::string_view kSchemaText = R"json({
"type": "object", "additionalProperties": false, "required": ["name", "about"], "properties": {
"name": {"type": "string", "description": "as in the report"},
"about": {"type": "string", "description": "what it shows, for people"},
"authorities": {"type": "integer", "default": 4, "minimum": 1, "maximum": 64},
"blocks": {"type": "integer", "default": 100, "minimum": 1, "maximum": 100000, "description": "of the chain that authorities have at the start"},
"max_blocks_without_pow": {"type": "integer", "default": 0, "minimum": 0, "maximum": 1000000},
"nodes": {"type": "integer", "default": 1, "minimum": 0, "maximum": 1000, "description": "that have nothing at the start"},
"crowd": {"type": "integer", "default": 0, "minimum": 0, "maximum": 10000, "description": "light peers that come and go"},
"twins": {"type": "array", "default": [], "items": {"type": "integer", "minimum": 0, "maximum": 63}, "description": "authorities of which two processes run with one key"},
"careless": {"type": "array", "default": [], "items": {"type": "integer", "minimum": 0, "maximum": 63}, "description": "authorities that heed no gate"},
"copies": {"type": "array", "default": [], "items": {"type": "object", "additionalProperties": false, "required": ["of", "at"], "properties": {
  "of": {"type": "integer", "minimum": 0, "maximum": 63, "description": "the authority"},
  "at": {"type": "integer", "format": "duration", "minimum": 1, "maximum": 86400000}}}, "description": "a second process with an authority's key, as if from a backup, starts then"},
"mining": {"type": "integer", "format": "duration", "default": 0, "minimum": 0, "maximum": 86400000, "description": "between two proofs of work on average; 0: nobody works"},
"changes": {"type": "array", "default": [], "items": {"type": "object", "additionalProperties": false, "required": ["at", "kind"], "properties": {
  "at": {"type": "integer", "format": "duration", "minimum": 1, "maximum": 86400000},
  "kind": {"type": "string", "enum": ["add-authority", "remove-authority", "rotate-key", "threshold", "parameter", "halt", "resume"]},
  "key": {"type": "string", "default": "", "description": "the host whose key it is about"},
  "replacement": {"type": "string", "default": "", "description": "the host whose key comes in its place"},
  "evidence": {"type": "boolean", "default": false, "description": "with the proof that it signed twice for one slot"},
  "parameter": {"type": "string", "default": "", "enum": ["", "slot_ms", "max_blocks_without_pow", "max_block_bytes"]},
  "value": {"type": "integer", "default": 0, "minimum": 0}}}, "description": "what the operators decide, one after the other"},
"sees": {"type": "array", "default": [], "items": {"type": "string", "enum": ["operator", "health", "quorum", "mining", "partition", "equivocation", "backends", "conflict"]}, "description": "triggers for each of which an honest node must have entered the emergency at some time"},
"hostile": {"type": "array", "default": [], "items": {"type": "object", "additionalProperties": false, "properties": {
  "count": {"type": "integer", "default": 1, "minimum": 1, "maximum": 1000},
  "does": {"type": "array", "default": [], "items": {"type": "string", "enum": ["invalid_signature", "wrong_body", "truncate", "fork_server", "height_liar", "slow_drip", "stall", "flood", "garbage", "replay", "empty", "busy", "eclipse", "stale"]}}}}},
"network": {"type": "object", "additionalProperties": false, "properties": {
  "latency_low": {"type": "integer", "format": "duration", "default": 5, "minimum": 1, "maximum": 10000},
  "latency_high": {"type": "integer", "format": "duration", "default": 40, "minimum": 1, "maximum": 10000},
  "bandwidth": {"type": "integer", "format": "bytes", "default": 12500000, "minimum": 1024, "maximum": 10000000000},
  "loss": {"type": "number", "format": "ratio", "default": 0, "minimum": 0, "maximum": 0.5, "description": "share of segments"},
  "resets": {"type": "number", "format": "ratio", "default": 0, "minimum": 0, "maximum": 0.1, "description": "share of frames whose connection breaks"}}},
"cold": {"type": "boolean", "default": false, "description": "all authorities start at the same moment"},
"sync_full": {"type": "boolean", "default": false, "description": "stores wait for the disk at every commit"},
"faults_end": {"type": "integer", "format": "duration", "default": 20000, "minimum": 1, "maximum": 86400000},
"settle": {"type": "integer", "format": "duration", "default": 120000, "minimum": 1, "maximum": 86400000, "description": "after the faults' end until all honest nodes follow the tip"},
"follow_within": {"type": "integer", "format": "duration", "default": 0, "minimum": 0, "maximum": 86400000, "description": "whoever follows the chain is so high so long after the first; 0: some time"},
"pace": {"type": "number", "format": "ratio", "default": 0, "minimum": 0, "maximum": 1, "description": "final blocks a slot, from the first open gate to the faults' end, at the least"},
"faults": {"type": "array", "default": [], "items": {"type": "object", "additionalProperties": false, "required": ["what", "at"], "properties": {
  "what": {"type": "string", "enum": ["partition", "kill", "power", "crash_loop", "clock", "disk_full", "disk_errors", "lines", "churn", "shuffle", "pause", "checkpoints", "no_miner"]},
  "at": {"type": "integer", "format": "duration", "minimum": 1, "maximum": 86400000},
  "lasts": {"type": "integer", "format": "duration", "default": 5000, "minimum": 1, "maximum": 86400000},
  "every": {"type": "integer", "format": "duration", "default": 5000, "minimum": 100, "maximum": 86400000},
  "hosts": {"type": "array", "default": [], "items": {"type": "string"}},
  "groups": {"type": "array", "default": [], "items": {"type": "array", "items": {"type": "string"}}},
  "one_way": {"type": "boolean", "default": false},
  "ms": {"type": "integer", "default": 0, "minimum": -86400000, "maximum": 86400000},
  "ppm": {"type": "integer", "default": 0, "minimum": -100000, "maximum": 100000},
  "one_in": {"type": "integer", "default": 100, "minimum": 2, "maximum": 1000000},
  "latency": {"type": "integer", "format": "duration", "default": 500, "minimum": 1, "maximum": 60000},
  "loss": {"type": "number", "format": "ratio", "default": 0, "minimum": 0, "maximum": 0.5}}}},
"halted_by": {"type": "string", "default": "", "enum": ["", "conflict", "equivocation", "quorum", "backends"], "description": "what must be among the triggers of the emergency in which it ends halted"},
"ends": {"type": "string", "default": "synced", "enum": ["synced", "halted"], "description": "how it must end: all honest nodes at the tip with open gates, or stopped and saying why"}
}})json";

Duration ms(const json::value& value) { return std::chrono::milliseconds(value.as_int64()); }

std::vector<std::string> texts(const json::value& list) {
    std::vector<std::string> out;
    for (const auto& item : list.as_array()) {
        out.emplace_back(item.as_string());
    }
    return out;
}

std::vector<std::uint32_t> numbers(const json::value& list) {
    std::vector<std::uint32_t> out;
    for (const auto& item : list.as_array()) {
        out.push_back(static_cast<std::uint32_t>(item.as_int64()));
    }
    return out;
}

Fault fault_of(const json::object& from) {
    Fault out;
    const auto what = std::ranges::find(kFaults, std::string_view(from.at("what").as_string()));
    out.what = static_cast<Fault::What>(what - kFaults.begin());
    out.at = ms(from.at("at"));
    out.lasts = ms(from.at("lasts"));
    out.every = ms(from.at("every"));
    out.hosts = texts(from.at("hosts"));
    for (const auto& group : from.at("groups").as_array()) {
        out.groups.push_back(texts(group));
    }
    out.one_way = from.at("one_way").as_bool();
    out.ms = from.at("ms").as_int64();
    out.ppm = from.at("ppm").as_int64();
    out.one_in = static_cast<std::uint32_t>(from.at("one_in").as_int64());
    out.latency = ms(from.at("latency"));
    out.loss = from.at("loss").to_number<double>();
    return out;
}

Change change_of(const json::object& from) {
    Change out;
    out.at = ms(from.at("at"));
    out.kind = from.at("kind").as_string();
    out.key = from.at("key").as_string();
    out.replacement = from.at("replacement").as_string();
    out.evidence = from.at("evidence").as_bool();
    out.parameter = from.at("parameter").as_string();
    out.value = static_cast<std::uint64_t>(from.at("value").as_int64());
    return out;
}

Scenario scenario_of(const json::object& from) {
    Scenario out;
    const auto count = [&](const char* key) { return static_cast<std::uint32_t>(from.at(key).as_int64()); };
    out.name = from.at("name").as_string();
    out.about = from.at("about").as_string();
    out.authorities = count("authorities");
    out.blocks = count("blocks");
    out.max_blocks_without_pow = count("max_blocks_without_pow");
    out.nodes = count("nodes");
    out.crowd = count("crowd");
    out.twins = numbers(from.at("twins"));
    out.careless = numbers(from.at("careless"));
    for (const auto& entry : from.at("copies").as_array()) {
        out.copies.push_back({static_cast<std::uint32_t>(entry.at("of").as_int64()), ms(entry.at("at"))});
    }
    out.mining = ms(from.at("mining"));
    for (const auto& entry : from.at("changes").as_array()) {
        out.changes.push_back(change_of(entry.as_object()));
    }
    out.sees = texts(from.at("sees"));
    for (const auto& entry : from.at("hostile").as_array()) {
        HostileGroup group;
        group.count = static_cast<std::uint32_t>(entry.as_object().at("count").as_int64());
        for (const auto& text : texts(entry.as_object().at("does"))) {
            group.does.push_back(static_cast<Behaviour>(std::ranges::find(kNames, text) - kNames.begin()));
        }
        out.hostile.push_back(std::move(group));
    }
    const auto& network = from.at("network").as_object();
    out.latency_low = ms(network.at("latency_low"));
    out.latency_high = std::max(out.latency_low, ms(network.at("latency_high")));
    out.bandwidth = static_cast<std::uint64_t>(network.at("bandwidth").as_int64());
    out.loss = network.at("loss").to_number<double>();
    out.resets = network.at("resets").to_number<double>();
    out.cold = from.at("cold").as_bool();
    out.sync_full = from.at("sync_full").as_bool();
    out.faults_end = ms(from.at("faults_end"));
    out.settle = ms(from.at("settle"));
    out.follow_within = ms(from.at("follow_within"));
    out.pace = from.at("pace").to_number<double>();
    for (const auto& fault : from.at("faults").as_array()) {
        out.faults.push_back(fault_of(fault.as_object()));
    }
    out.ends = from.at("ends").as_string() == "halted" ? Scenario::Ends::kHalted : Scenario::Ends::kSynced;
    out.halted_by = from.at("halted_by").as_string();
    return out;
}

}  // namespace

std::string_view name(Behaviour behaviour) { return kNames[static_cast<std::size_t>(behaviour)]; }
std::string_view name(Fault::What what) { return kFaults[static_cast<std::size_t>(what)]; }

bool provable(Behaviour behaviour) {
    switch (behaviour) {
        case Behaviour::kInvalidSignature:
        case Behaviour::kWrongBody:
        case Behaviour::kTruncate:
        case Behaviour::kForkServer:
        case Behaviour::kFlood:
        case Behaviour::kGarbage:
        case Behaviour::kReplay: return true;
        default: return false;
    }
}

Result<Scenario> parse_scenario(std::string_view text, const std::filesystem::path& file) {
    auto document = host::parse_yaml(text, file.string());
    if (!document) {
        return std::unexpected(document.error());
    }
    static const auto kSchema = json::parse(kSchemaText);
    std::vector<host::Problem> problems;
    const auto value = host::check_tree(document->root, kSchema, "", problems);
    if (!problems.empty()) {
        Error out{problems.front().code, {}, {}, {}};
        for (const auto& problem : problems) {
            out.message += host::render(*document, problem) + "\n";
        }
        return std::unexpected(std::move(out));
    }
    auto out = scenario_of(value.as_object());
    out.file = file.string();
    if (out.mining == Duration{} &&
        std::ranges::any_of(out.faults, [](const Fault& fault) { return fault.what == Fault::What::kNoMiner; })) {
        return fail("config.missing_key", "the fault no_miner stops who mines, and nobody does", file.string(),
                    "`mining` is how often a proof of work is found");
    }
    std::vector<std::uint32_t> copied;
    for (const auto& copy : out.copies) {
        copied.push_back(copy.of);
    }
    for (const auto& list : {out.twins, out.careless, copied}) {
        for (const auto i : list) {
            if (i >= out.authorities) {
                return fail("config.out_of_range", "there is no authority " + std::to_string(i), file.string(),
                            "twins, careless and copies number the authorities from 0 to " +
                                std::to_string(out.authorities - 1));
            }
        }
    }
    return out;
}

Result<Scenario> load_scenario(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) {
        return fail("sim.unreadable", "can't read the scenario", file.string(), "configs/scenarios/ has some");
    }
    std::ostringstream text;
    text << in.rdbuf();
    return parse_scenario(text.str(), file);
}

}  // namespace synod::sim
