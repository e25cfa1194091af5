// SPDX-License-Identifier: Apache-2.0
#pragma once
//! JSON as an operator reads it. Pure; any thread.

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace synod::app {

//! A text without its quotes, anything else as JSON.
std::string shown(const boost::json::value& value);
//! A member as above; empty where there is none.
std::string shown(const boost::json::object& object, std::string_view key);
//! A member that is a text; empty where there is none or it is something else.
std::string text_member(const boost::json::object& object, std::string_view key);

}  // namespace synod::app
