// SPDX-License-Identifier: Apache-2.0
//! `synod plugin list` and `synod plugin describe`: what a library says of itself. Main thread. No
//! instance is made: after the mapping only constant data is read.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "core/app/commands/commands.hpp"
#include "core/app/commands/shown.hpp"
#include "core/host/registry.hpp"

namespace synod::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kMaxListed = 256;  // libraries of one folder

struct PluginOptions {
    std::string dir, file;
    bool json = false, yaml = false;
};

fs::path default_folder() {
    if (const char* env = std::getenv("SYNOD_PLUGIN_DIR")) {
        return env;
    }
    std::error_code error;
    const auto root = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
    const auto built = root / "plugins";
    return fs::is_directory(built, error) ? built : root / "lib" / "synod" / "plugins";
}

json::array ids(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

json::object to_json(const host::Plugin& plugin) {
    json::array flags;
    constexpr std::pair<std::uint32_t, const char*> kFlags[] = {
        {SYNOD_F_DETERMINISTIC, "deterministic"}, {SYNOD_F_HOT_SWAP, "hot-swap"}, {SYNOD_F_PINNED, "pinned"}};
    for (const auto& [bit, name] : kFlags) {
        if ((plugin.flags & bit) != 0) {
            flags.emplace_back(name);
        }
    }
    boost::system::error_code error;
    auto schema = json::parse(plugin.schema.empty() ? "{}" : plugin.schema, error);
    const std::string major = std::to_string(SYNOD_ABI_MAJOR) + ".";
    return {{"file", plugin.file}, {"id", plugin.id}, {"name", plugin.name},
            {"version", plugin.version}, {"kind", plugin.kind},
            {"abi_needed", major + std::to_string(plugin.abi_minor_needed)},
            {"abi_built", major + std::to_string(plugin.abi_minor_built)},
            {"built_with", plugin.built_with}, {"state_rev", plugin.state_rev}, {"flags", flags},
            {"vendor", plugin.vendor}, {"license", plugin.license}, {"url", plugin.url},
            {"requires", ids(plugin.needs)}, {"optional", ids(plugin.uses)},
            {"provides", ids(plugin.provides)},
            {"config_schema", error ? json::value(nullptr) : std::move(schema)}};
}

std::string joined(const json::value& list) {
    std::string out;
    for (const auto& one : list.as_array()) {
        out += (out.empty() ? "" : ", ") + std::string(one.as_string());
    }
    return out.empty() ? "-" : out;
}

std::string allowed(const json::object& schema) {
    if (const auto options = shown(schema, "enum"); !options.empty()) {
        return options;
    }
    const auto low = shown(schema, "minimum"), high = shown(schema, "maximum");
    return low.empty() && high.empty() ? "-" : (low.empty() ? "" : low) + ".." + high;
}

//! Calls fn(path, schema of the key, depth, is a section) for every key, in order.
template <typename Fn>
void each_key(const json::value& schema, const std::string& path, int depth, const Fn& fn) {
    const auto* object = schema.if_object();
    const auto* listed = object == nullptr ? nullptr : object->if_contains("properties");
    if (listed == nullptr || !listed->is_object() || depth > 8) {
        return;
    }
    for (const auto& entry : listed->as_object()) {
        if (const auto* inner = entry.value().if_object()) {
            const auto full = path.empty() ? std::string(entry.key()) : path + "." + std::string(entry.key());
            fn(full, *inner, depth, inner->contains("properties"));
            each_key(entry.value(), full, depth + 1, fn);
        }
    }
}

void print_table(const json::value& schema) {
    std::puts("configuration:");
    std::size_t count = 0;
    each_key(schema, "", 0, [&](const std::string& path, const json::object& key, int, bool section) {
        if (!section) {
            const auto value = key.if_contains("default");
            std::printf("  %-28s %-8s default %-10s %-14s %s\n", path.c_str(), shown(key, "type").c_str(),
                        value == nullptr ? "-" : json::serialize(*value).c_str(), allowed(key).c_str(),
                        shown(key, "description").c_str());
            ++count;
        }
    });
    if (count == 0) {
        std::puts("  no keys");
    }
}

void print_template(const host::Plugin& plugin, const json::object& about) {
    const auto kind = plugin.kind.substr(6, plugin.kind.rfind('/') - 6);  // synod.<kind>/1
    std::printf("plugins:\n  %s:\n    use: %s\n    config:\n", kind.c_str(),
                json::serialize(json::string(fs::absolute(plugin.file).string())).c_str());
    each_key(about.at("config_schema"), "", 0,
             [&](const std::string& path, const json::object& key, int depth, bool section) {
        const std::string indent(6 + 2 * static_cast<std::size_t>(depth), ' ');
        const auto name = path.substr(path.rfind('.') + 1);
        const auto* value = key.if_contains("default");
        const auto note = shown(key, "description");
        std::printf("%s%s%s:%s%s%s%s\n", indent.c_str(), section || value ? "" : "# ", name.c_str(),
                    section ? "" : " ", section || !value ? "" : json::serialize(*value).c_str(),
                    note.empty() ? "" : "  # ", note.c_str());
    });
}

void print_plugin(const json::object& about) {
    for (const char* key : {"id", "name", "version", "kind", "file"}) {
        std::printf("%-12s %s\n", key, shown(about, key).c_str());
    }
    std::printf("%-12s needs %s, built for %s; this node has %u.%u\n", "ABI", shown(about, "abi_needed").c_str(),
                shown(about, "abi_built").c_str(), SYNOD_ABI_MAJOR, SYNOD_ABI_MINOR);
    for (const char* key : {"built_with", "vendor", "license", "url", "state_rev"}) {
        std::printf("%-12s %s\n", key, shown(about, key).c_str());
    }
    for (const char* key : {"flags", "provides", "requires", "optional"}) {
        std::printf("%-12s %s\n", key, joined(about.at(key)).c_str());
    }
    print_table(about.at("config_schema"));
}

int list(const PluginOptions& options) {
    const fs::path folder = options.dir.empty() ? default_folder() : fs::path(options.dir);
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (at->path().extension() == ".so" && files.size() < kMaxListed) {
            files.push_back(at->path());
        }
    }
    if (error) {
        std::fprintf(stderr, "synod: can't read the folder %s: %s\n", folder.c_str(), error.message().c_str());
        return kFailed;
    }
    std::sort(files.begin(), files.end());
    host::Registry registry{host::HostServices{}};
    json::array out;
    for (const auto& file : files) {
        auto loaded = registry.load(file);
        if (!loaded) {
            const auto& e = loaded.error();
            out.push_back(json::object{{"file", file.string()}, {"refused", e.code}, {"message", e.message},
                                       {"hint", e.hint}});
            if (!options.json) {
                std::printf("refused  %s\n", e.text().c_str());
            }
            continue;
        }
        for (const auto* plugin : *loaded) {
            out.push_back(to_json(*plugin));
            out.back().as_object().erase("config_schema");
            if (!options.json) {
                std::printf("%-30s %-8s %-20s %s\n", plugin->id.c_str(), plugin->version.c_str(),
                            plugin->kind.c_str(), file.c_str());
            }
        }
    }
    if (options.json) {
        std::puts(json::serialize(out).c_str());
    } else if (files.empty()) {
        std::printf("no plugins in %s\n", folder.c_str());
    }
    return kDone;
}

int describe(const PluginOptions& options) {
    host::Registry registry{host::HostServices{}};
    auto loaded = registry.load(options.file);
    if (!loaded) {
        complain(loaded.error());
        return kFailed;
    }
    json::array all;
    for (const auto* plugin : *loaded) {
        auto about = to_json(*plugin);
        if (options.yaml) {
            print_template(*plugin, about);
        } else if (options.json) {
            all.push_back(std::move(about));
        } else {
            print_plugin(about);
        }
    }
    if (options.json) {
        std::puts(json::serialize(all).c_str());
    }
    return kDone;
}

//! Ends the program without the destructors of the libraries that were looked at: what a library says
//! is on the screen, and whether its code is whole is another question.
[[noreturn]] void leave(int code) {
    const bool printed = std::fflush(stdout) == 0;
    std::_Exit(printed ? code : kFailed);
}

}  // namespace

void add_plugin(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand("plugin", "Shows what plugins there are and what they say of themselves");
    command->require_subcommand(1);
    auto options = std::make_shared<PluginOptions>();
    auto* listing = command->add_subcommand("list", "One line a plugin of a folder, or why it is refused");
    listing->add_option("--dir", options->dir, "folder; the node's own by default");
    listing->add_flag("--json", options->json, "as JSON");
    listing->callback([&chosen, options] { chosen = [options]() -> int { leave(list(*options)); }; });
    auto* about = command->add_subcommand("describe", "All that a plugin library says of itself");
    about->add_option("FILE", options->file, "the library")->required();
    auto* as_json = about->add_flag("--json", options->json, "as JSON");
    about->add_flag("--yaml-template", options->yaml, "a `plugins` section with every key")->excludes(as_json);
    about->callback([&chosen, options] { chosen = [options]() -> int { leave(describe(*options)); }; });
}

}  // namespace synod::app
