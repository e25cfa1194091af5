// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The secret in an HTTP Authorization header. Pure; any thread; input is hostile.

#include <optional>
#include <string>
#include <string_view>

namespace synod::control {

//! Of `Bearer <secret>`; nothing for any other scheme.
std::optional<std::string> bearer_secret(std::string_view header);
//! Of `Bearer <secret>`, or the password of `Basic <base64 of user:password>`, whoever the user: what
//! mining software sends.
std::optional<std::string> pool_secret(std::string_view header);

}  // namespace synod::control
