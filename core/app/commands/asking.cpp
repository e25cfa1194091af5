// SPDX-License-Identifier: Apache-2.0
#include "core/app/commands/asking.hpp"

#include <filesystem>

#include "core/control/client.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app {

namespace json = boost::json;

Result<std::string> data_dir_of(const std::string& where) {
    std::error_code error;
    if (std::filesystem::is_directory(where, error)) {
        return where;
    }
    auto manifest = host::load_manifest(where);
    if (!manifest) {
        return std::unexpected(manifest.error());
    }
    return manifest->data_dir.string();
}

Result<json::value> ask_node(const std::string& where, const char* method, const json::object& params) {
    auto dir = data_dir_of(where);
    if (!dir) {
        return std::unexpected(dir.error());
    }
    auto answer = control::call(*dir, method, params.empty() ? "" : json::serialize(params));
    if (!answer) {
        return std::unexpected(answer.error());
    }
    boost::system::error_code error;
    auto parsed = json::parse(*answer, error);
    if (error) {
        return fail("control.bad_reply", "the node's answer is not JSON", method);
    }
    return parsed;
}

}  // namespace synod::app
