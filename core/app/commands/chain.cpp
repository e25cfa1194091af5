// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "core/app/commands/chain_forge.hpp"

namespace synod::app {

void add_chain(CLI::App& app, Chosen& chosen) {
    auto* chain = app.add_subcommand("chain", "Forges a test chain, or re-checks a stored one");
    chain->require_subcommand(1);
    add_chain_forge(*chain, chosen);
    add_chain_verify(*chain, chosen);
}

}  // namespace synod::app
