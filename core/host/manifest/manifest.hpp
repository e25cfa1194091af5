// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The node's manifest: read, checked against one schema, defaults filled in. Main thread at start.

#include <boost/json.hpp>

#include <filesystem>
#include <optional>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/host/manifest/tree.hpp"

namespace synod::host {

//! Checks a tree against a schema (a subset of JSON Schema: type, properties, additionalProperties,
//! required, enum, minimum, maximum, default, items, format duration|bytes|ratio) and gives the value
//! with defaults. With type "integer", format duration gives milliseconds and bytes gives bytes.
boost::json::value check_tree(const Node& node, const boost::json::value& schema,
                              const std::string& path, std::vector<Problem>& problems);

//! The validation backend where nobody names one.
inline constexpr const char* kDefaultBackend = "batch";

struct PluginUse {
    std::string kind;   //!< "validation"
    std::string use;    //!< a name or a path
    std::string alias;
    std::string config; //!< JSON text
    bool required = true;  //!< on_failure: stop
    Duration budget{};     //!< 0: none
    //! The library, or empty when no file was found: then the static plugin synod.<kind>.<use>.
    std::filesystem::path file;
};

struct PeerAddress {
    std::string address;
    std::optional<PublicKey> identity;
};

struct Manifest {
    boost::json::object json;  //!< all of it, canonical, defaults filled in
    std::filesystem::path folder;  //!< of the manifest; relative paths start here

    std::string name;
    std::filesystem::path data_dir, genesis, identity_key, authority_key, token_file, log_file;
    std::filesystem::path mining_token_file;  //!< empty: data_dir/mining.token
    std::filesystem::path checkpoint_dir;  //!< empty: data_dir/checkpoints
    std::string listen, control_listen;
    std::vector<PeerAddress> peers;
    std::vector<PublicKey> miners;
    std::vector<PluginUse> plugins;
    //! A value of a section: integer("sync", "batch_size"). Precondition: the schema has it.
    [[nodiscard]] std::int64_t integer(std::string_view section, std::string_view key) const;
    [[nodiscard]] double ratio(std::string_view section, std::string_view key) const;
    [[nodiscard]] bool flag(std::string_view section, std::string_view key) const;
    [[nodiscard]] std::string text(std::string_view section, std::string_view key) const;
    [[nodiscard]] Duration duration(std::string_view section, std::string_view key) const;
};

//! Error message: every problem, rendered, up to kMaxProblems. Codes: config.* and config.unreadable.
Result<Manifest> parse_manifest(std::string_view text, const std::filesystem::path& file);
Result<Manifest> load_manifest(const std::filesystem::path& file);

//! The library of a plugin: a path as it is, relative to the manifest's folder; a name N of kind K as
//! synod-K-N.so in the first that has it of plugin_dir, $SYNOD_PLUGIN_DIR, the program's own folders.
//! Empty when none has it.
std::filesystem::path find_library(const Manifest& manifest, const std::string& kind, const std::string& use);

//! The schema as JSON text and as the table of configs/README.md.
std::string_view manifest_schema();
std::string reference_markdown();

}  // namespace synod::host
