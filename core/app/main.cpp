// SPDX-License-Identifier: Apache-2.0
//! synod: parses the command line and hands over. Everything else is in commands/.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/app/commands/commands.hpp"
#include "core/sim/command.hpp"

int main(int argc, char** argv) {
    using namespace synod::app;
    CLI::App app{"Synod: a plugin-based node for federated, merge-mined chains", "synod"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "synod 0.1.0 (plugin ABI 1.0)");
    Chosen chosen;
    add_run(app, chosen);
    add_status(app, chosen);
    add_control(app, chosen);
    add_peers(app, chosen);
    add_evidence(app, chosen);
    add_keygen(app, chosen);
    add_plugin(app, chosen);
    add_chain(app, chosen);
    add_auxpow(app, chosen);
    add_governance(app, chosen);
    add_emergency(app, chosen);
    add_checkpoint(app, chosen);
    add_devnet(app, chosen);
    add_bench(app, chosen);
    synod::sim::add_simulate(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(app.help("", CLI::AppFormatMode::All).c_str(), stdout);
        return kDone;
    } catch (const CLI::CallForVersion&) {
        std::puts(app.version().c_str());
        return kDone;
    } catch (const CLI::ParseError& e) {
        std::fprintf(stderr, "synod: %s\nsynod --help lists the commands.\n", e.what());
        return kUsage;
    }
    return chosen ? chosen() : kUsage;
}
