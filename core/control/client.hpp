// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The commands' side of the control door: finds a running node from its data folder and asks it
//! one thing. Blocks the calling thread; starts no thread, keeps nothing between calls.

#include <string>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::control {

inline constexpr Duration kCallTimeout = std::chrono::seconds(35);  //!< above kReplyTimeout

//! Calls `method` of the node whose data folder is `data_dir` and returns the JSON text of
//! `result`. `params_json` is an object or an array, or empty for none. `timeout` bounds the whole
//! call. Any thread but the node's I/O thread. Errors: the method's own error unchanged;
//! control.not_running, control.unauthorized, control.timeout, control.method_not_found,
//! control.invalid_params, control.too_large, control.bad_reply, control.token_readable,
//! control.token_malformed, control.file_failed.
Result<std::string> call(const std::string& data_dir, const std::string& method,
                         const std::string& params_json, Duration timeout = kCallTimeout);

}  // namespace synod::control
