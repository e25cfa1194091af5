// SPDX-License-Identifier: Apache-2.0
#include "core/host/manifest/manifest.hpp"

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace synod::host {

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::string_view kPluginUse = R"json({
"type": "object", "additionalProperties": false, "required": ["use"], "properties": {
  "use": {"type": "string", "description": "a plugin's name, or the path of its library"},
  "as": {"type": "string", "default": "", "description": "the instance's alias; the kind by default"},
  "config": {"default": {}, "description": "checked against the plugin's own schema"},
  "on_failure": {"type": "string", "default": "stop", "enum": ["stop", "continue"]},
  "budget": {"type": "integer", "format": "duration", "default": 0, "minimum": 0, "maximum": 60000}}})json";

//! What a section says holds for a plugin's own setting when that one is silent.
void set_unless_there(std::string& config, std::string_view key, json::value value) {
    auto parsed = json::parse(config);
    if (parsed.is_object() && !parsed.as_object().contains(key)) {
        parsed.as_object()[key] = std::move(value);
        config = json::serialize(parsed);
    }
}

fs::path absolute(const fs::path& folder, std::string_view text) {
    if (text.empty()) {
        return {};
    }
    const fs::path path(text);
    return (path.is_absolute() ? path : folder / path).lexically_normal();
}

}  // namespace

fs::path find_library(const Manifest& manifest, const std::string& kind, const std::string& use) {
    if (use.find('/') != std::string::npos || use.ends_with(".so")) {
        return absolute(manifest.folder, use);
    }
    std::vector<fs::path> folders;
    if (const auto& dir = manifest.json.at("plugin_dir").as_string(); !dir.empty()) {
        folders.push_back(absolute(manifest.folder, dir));
    }
    if (const char* env = std::getenv("SYNOD_PLUGIN_DIR")) {
        folders.emplace_back(env);
    }
    std::error_code error;
    const auto self = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        folders.push_back(self.parent_path().parent_path() / "plugins");
        folders.push_back(self.parent_path().parent_path() / "lib" / "synod" / "plugins");
    }
    for (const auto& folder : folders) {
        auto file = folder / ("synod-" + kind + "-" + use + ".so");
        if (fs::exists(file, error)) {
            return file;
        }
    }
    return {};
}

namespace {

PluginUse plugin_use(const Manifest& manifest, const std::string& kind, const Node* node,
                     const json::value& value, std::vector<Problem>& problems) {
    PluginUse out;
    out.kind = kind;
    out.alias = kind;
    out.config = "{}";
    if (node == nullptr || node->kind == Node::Kind::kString) {
        out.use = value.as_string();
    } else if (node->kind == Node::Kind::kMap) {
        const auto checked = check_tree(*node, json::parse(kPluginUse), "plugins." + kind, problems);
        if (!problems.empty()) {
            return out;
        }
        const auto& object = checked.as_object();
        out.use = object.at("use").as_string();
        if (!object.at("as").as_string().empty()) {
            out.alias = object.at("as").as_string();
        }
        out.config = json::serialize(object.at("config"));
        out.required = object.at("on_failure").as_string() == "stop";
        out.budget = std::chrono::milliseconds(object.at("budget").as_int64());
    } else {
        problems.push_back({"config.type", node->line, node->column,
                            "`plugins." + kind + "` must be a plugin's name or a map with `use`", ""});
        return out;
    }
    if (kind == "validation" && !manifest.flag("performance", "simd")) {
        if (out.use == "simd") {
            set_unless_there(out.config, "simd", false);
        } else if (out.use == "batch") {
            set_unless_there(out.config, "isa", "portable");
        }
    }
    if (kind == "checkpoint" && out.use == "binary" && !manifest.flag("checkpoint", "compression")) {
        set_unless_there(out.config, "compression", false);
    }
    out.file = find_library(manifest, kind, out.use);
    return out;
}

void read_typed(Manifest& out, const Document& document, std::vector<Problem>& problems) {
    const auto path = [&](const char* section, const char* key) {
        return absolute(out.folder, out.text(section, key));
    };
    out.name = out.text("node", "name");
    out.data_dir = path("node", "data_dir");
    out.genesis = path("node", "genesis");
    out.identity_key = path("node", "identity_key");
    out.authority_key = path("node", "authority_key");
    out.token_file = path("control", "token_file");
    out.mining_token_file = path("mining", "token_file");
    out.log_file = path("log", "file");
    out.checkpoint_dir = path("checkpoint", "dir");
    out.listen = out.text("network", "listen");
    out.control_listen = out.text("control", "listen");
    const auto* network = document.root.find("network");
    const auto key_of = [&](std::string_view text, const Node* at, const std::string& name) {
        auto key = fixed_from_hex<PublicKey>(text);
        if (!key) {
            problems.push_back({"config.key", at == nullptr ? 1 : at->line, at == nullptr ? 1 : at->column,
                                "`" + name + "` is not a public key",
                                "64 hexadecimal characters, as `synod keygen` prints them"});
        }
        return key;
    };
    const auto* listed = network == nullptr ? nullptr : network->find("peers");
    const auto& peers = out.json.at("network").as_object().at("peers").as_array();
    for (std::size_t i = 0; i < peers.size(); ++i) {
        PeerAddress peer{std::string(peers[i].at("address").as_string()), {}};
        if (const auto& identity = peers[i].at("identity").as_string(); !identity.empty()) {
            peer.identity = key_of(identity, listed == nullptr ? nullptr : listed->items[i].find("identity"),
                                   "network.peers[" + std::to_string(i) + "].identity");
        }
        out.peers.push_back(std::move(peer));
    }
    const auto* named = network == nullptr ? nullptr : network->find("miners");
    const auto& miners = out.json.at("network").as_object().at("miners").as_array();
    for (std::size_t i = 0; i < miners.size(); ++i) {
        if (const auto key = key_of(miners[i].as_string(), named == nullptr ? nullptr : &named->items[i],
                                    "network.miners[" + std::to_string(i) + "]")) {
            out.miners.push_back(*key);
        }
    }
    const auto* plugins = document.root.find("plugins");
    for (const auto& entry : out.json.at("plugins").as_object()) {
        const std::string kind(entry.key());
        out.plugins.push_back(plugin_use(out, kind, plugins == nullptr ? nullptr : plugins->find(kind),
                                         entry.value(), problems));
    }
}

std::unexpected<Error> refuse(const Document& document, const std::vector<Problem>& problems) {
    std::string text;
    for (std::size_t i = 0; i < problems.size() && i < kMaxProblems; ++i) {
        text += (i == 0 ? "" : "\n") + render(document, problems[i]);
    }
    return fail(problems.front().code, text, document.file);
}

const json::value& value_of(const Manifest& manifest, std::string_view section, std::string_view key) {
    return manifest.json.at(section).as_object().at(key);
}

}  // namespace

std::int64_t Manifest::integer(std::string_view section, std::string_view key) const {
    return value_of(*this, section, key).to_number<std::int64_t>();
}
double Manifest::ratio(std::string_view section, std::string_view key) const {
    return value_of(*this, section, key).to_number<double>();
}
bool Manifest::flag(std::string_view section, std::string_view key) const {
    return value_of(*this, section, key).as_bool();
}
std::string Manifest::text(std::string_view section, std::string_view key) const {
    return std::string(value_of(*this, section, key).as_string());
}
Duration Manifest::duration(std::string_view section, std::string_view key) const {
    return std::chrono::milliseconds(integer(section, key));
}

Result<Manifest> parse_manifest(std::string_view text, const fs::path& file) {
    auto document = parse_yaml(text, file.string());
    if (!document) {
        return std::unexpected(document.error());
    }
    std::vector<Problem> problems;
    auto checked = check_tree(document->root, json::parse(manifest_schema()), "", problems);
    if (!problems.empty()) {
        return refuse(*document, problems);
    }
    Manifest out;
    out.json = std::move(checked.as_object());
    out.folder = fs::absolute(file).parent_path();
    read_typed(out, *document, problems);
    if (!problems.empty()) {
        return refuse(*document, problems);
    }
    return out;
}

Result<Manifest> load_manifest(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return fail("config.unreadable", file.string() + ": can't read the manifest", file.string(),
                    "give the path of a node's YAML file, for example configs/sync.yaml");
    }
    std::ostringstream text;
    text << in.rdbuf();
    if (text.str().size() > kMaxManifestBytes) {
        return fail("config.unreadable", file.string() + ": larger than 1 MiB", file.string());
    }
    return parse_manifest(text.str(), file);
}

}  // namespace synod::host
