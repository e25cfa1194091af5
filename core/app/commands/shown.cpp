// SPDX-License-Identifier: Apache-2.0
#include "core/app/commands/shown.hpp"

namespace synod::app {

namespace json = boost::json;

std::string shown(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

std::string shown(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value == nullptr ? std::string() : shown(*value);
}

std::string text_member(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace synod::app
