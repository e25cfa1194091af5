// SPDX-License-Identifier: Apache-2.0
#pragma once
//! `synod simulate`. Exit codes: 0 everything held, 1 something didn't, 2 a mistake in the scenario.

#include "core/app/commands/commands.hpp"

namespace synod::sim {

void add_simulate(CLI::App& app, app::Chosen& chosen);

}  // namespace synod::sim
