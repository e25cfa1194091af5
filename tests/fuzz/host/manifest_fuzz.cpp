// SPDX-License-Identifier: Apache-2.0
//! What an operator writes: manifests, genesis files, plugin configurations. A refusal says where:
//! its text begins with file:line:column, and every line that it quotes is one of the input's.
#include <cstdlib>

#include "core/host/manifest/manifest.hpp"

namespace {

using namespace synod;

void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

bool has_place(const std::string& text) {
    constexpr std::string_view kFile = "fuzz.yaml:";
    std::size_t at = text.find(kFile);
    if (at != 0 && !text.ends_with("bytes")) {
        return false;
    }
    if (at == std::string::npos) {
        return true;  // too large: no place to name
    }
    at += kFile.size();
    for (int numbers = 0; numbers < 2; ++numbers) {
        const std::size_t from = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
            ++at;
        }
        if (at == from || text[from] == '0' || at >= text.size() || text[at] != ':') {
            return false;
        }
        ++at;
    }
    return text.compare(at, 7, " error[") == 0;
}

const boost::json::value& plugin_schema() {
    static const auto schema = boost::json::parse(R"json({"type":"object","additionalProperties":false,
        "required":["genesis"],"properties":{"genesis":{"type":"object","additionalProperties":false,
        "required":["authorities"],"properties":{
          "name":{"type":"string","default":"synod","maxLength":64},
          "chain_id":{"type":"integer","default":1,"minimum":1,"maximum":65535},
          "slot_ms":{"type":"integer","default":2000,"minimum":1,"maximum":3600000},
          "authorities":{"type":"array","minItems":1,"maxItems":64,
            "items":{"type":"string","pattern":"^[0-9a-fA-F]{64}$"}}}},
        "level":{"type":"integer","default":3,"minimum":1,"maximum":19},
        "ratio":{"type":"number","default":0.5,"minimum":0,"maximum":1},
        "wait":{"type":"integer","format":"duration","default":"5s"},
        "memory":{"type":"integer","format":"bytes","default":65536},
        "mode":{"type":"string","enum":["fast","full"],"default":"fast"}}})json");
    return schema;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto manifest = host::parse_manifest(text, "fuzz.yaml");
    must(manifest || (manifest.error().code.starts_with("config.") && has_place(manifest.error().message)));
    const auto document = host::parse_yaml(text, "fuzz.yaml");
    if (!document) {
        must(has_place(document.error().message) && !manifest);
        return 0;
    }
    std::vector<host::Problem> problems;
    const auto value = host::check_tree(document->root, plugin_schema(), "", problems);
    must(problems.size() <= host::kMaxProblems);
    for (const auto& problem : problems) {
        must(has_place(host::render(*document, problem)));
    }
    if (problems.empty()) {
        // What was checked is handed to the plugin as JSON, and read again by the same reader.
        must(host::parse_yaml(boost::json::serialize(value), "again").has_value());
    }
    return 0;
}
