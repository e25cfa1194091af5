// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The operators' door to governance: governance.status, .log, .submit. Called on the I/O thread, answered on the
//! control thread.

#include <functional>

#include "core/app/governance/governance.hpp"
#include "core/control/server.hpp"

namespace synod::app {

inline constexpr std::size_t kMaxEventsAnAnswer = 1'000;

//! `post` runs a task on the control thread; `governance` is called there. Both outlive the handlers.
void add_governance_methods(control::Handlers& out, std::function<void(std::function<void()>)> post,
                            std::function<Governance&()> governance);

}  // namespace synod::app
