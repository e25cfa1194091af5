// SPDX-License-Identifier: Apache-2.0
#include "core/app/checkpoint/info.hpp"

#include <boost/json.hpp>

namespace synod::app {

std::string to_json(const CheckpointInfo& i) {
    namespace json = boost::json;
    const auto or_null = [](const std::string& text) {
        return text.empty() ? json::value(nullptr) : json::value(text);
    };
    return json::serialize(json::object{
        {"id", i.id},
        {"height", i.height},
        {"block", to_hex(i.block.view())},
        {"root", i.root.is_zero() ? json::value(nullptr) : json::value(to_hex(i.root.view()))},
        {"kind", i.kind},
        {"created_unix_ms", i.created},
        {"parent", or_null(i.parent)},
        {"file", i.file},
        {"bytes", i.bytes},
        {"verified", std::string(checkpoint::name(i.verified))},
        {"damaged", or_null(i.damaged)}});
}

}  // namespace synod::app
