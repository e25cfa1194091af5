// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One call into a plugin with its synod_error turned into an Error: the code from the status, the
//! message, hint and place as the plugin wrote them.

#include <synod/abi.h>

#include <cstring>

#include "core/base/result.hpp"

namespace synod::pipeline {

inline Error plugin_error(synod_status status, const synod_error& error, const char* function) {
    const auto text = [](const char* p, std::size_t n) { return std::string(p, ::strnlen(p, n)); };
    const auto code = [&]() -> const char* {
        switch (status) {
            case SYNOD_E_INVALID: return "plugin.invalid_call";
            case SYNOD_E_CONFIG: return "plugin.config";
            case SYNOD_E_UNSUPPORTED: return "plugin.unsupported";
            case SYNOD_E_BUSY: return "plugin.busy";
            case SYNOD_E_CANCELLED: return "plugin.cancelled";
            case SYNOD_E_CORRUPT: return "plugin.corrupt_input";
            case SYNOD_E_DEADLINE: return "plugin.deadline";
            case SYNOD_E_NO_MEMORY: return "plugin.no_memory";
            default: return "plugin.internal";
        }
    }();
    Error out{code, text(error.message, sizeof error.message), text(error.where, sizeof error.where),
              text(error.hint, sizeof error.hint)};
    if (out.message.empty()) {
        out.message = std::string(function) + " answered status " + std::to_string(status);
    }
    if (out.where.empty()) {
        out.where = function;
    }
    return out;
}

//! `fn(synod_error*)` makes the call. A status of 0 or above is success and is handed back.
template <typename Fn>
Result<synod_status> plugin_call(const char* function, Fn&& fn) {
    synod_error error{};
    error.size = sizeof error;
    const synod_status status = fn(&error);
    if (status < 0) {
        return std::unexpected(plugin_error(status, error, function));
    }
    return status;
}

}  // namespace synod::pipeline
