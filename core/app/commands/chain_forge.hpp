// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The two halves of `synod chain`; add_chain puts them together.

#include "core/app/commands/commands.hpp"

namespace synod::app {

void add_chain_forge(CLI::App& chain, Chosen& chosen);
void add_chain_verify(CLI::App& chain, Chosen& chosen);

}  // namespace synod::app
