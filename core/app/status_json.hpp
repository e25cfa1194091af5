// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A node's status as the JSON that `status --json`, `run --json` and the control API give, and as
//! one line for a terminal. One source for all of them.

#include <string>

#include "core/app/node/node.hpp"

namespace synod::app {

std::string status_json(const NodeStatus& status);
//! The part of it that `synod emergency` shows.
std::string emergency_json(const NodeStatus& status);
//! The optional reason of a command's parameters. Errors: control.invalid_params.
Result<std::string> emergency_reason(const std::string& params);
std::string peers_json(const NodeStatus& status);
//! "CatchingUp  99.87 %  99870/100000  23400 blocks/s  ETA 4-6 s  4 peers"; or why it stands still.
std::string status_line(const NodeStatus& status);

}  // namespace synod::app
