// SPDX-License-Identifier: Apache-2.0
//! The built program itself: what a crash in a plugin leaves on standard error, and the page of a
//! running node.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "core/app/devnet/process.hpp"
#include "core/control/client.hpp"
#include "core/control/files.hpp"
#include "tests/integration/chain/program.hpp"
#include "tests/support/http_get.hpp"

using namespace synod;

namespace {

constexpr std::chrono::seconds kStartTime{30};
constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kAskTime{3};

bool built() {
    const bool yes = std::filesystem::exists(testing::program());
    if (!yes) {
        MESSAGE("skipped: the program isn't built");
    }
    return yes;
}

}  // namespace

TEST_CASE("a crash in a plugin names the plugin, the call and the height") {
    if (!built()) {
        return;
    }
    const testing::Folder folder;
    const auto forged = testing::run("chain forge --blocks 20 --validation reference --out " + (folder / "f"));
    REQUIRE_MESSAGE(forged.code == 0, forged.output);
    const auto log = folder / "verify.txt";
    auto process = app::devnet::Process::start(
        "verify", {testing::program().string(), "chain", "verify", folder / "f/chain", "--validation",
                   HOST_PLUGINS "crashing_backend.so"}, log);
    REQUIRE(process);
    REQUIRE(process->wait(kStartTime));
    CHECK(process->exit_code() == 128 + SIGSEGV);
    const auto said = testing::read_file(log);
    CHECK_MESSAGE(said.find("synod: signal 11: crashed in plugin validation, call validation.validate, batch 1\n") !=
                      std::string::npos, said);
}

TEST_CASE("a backend that never completes is named: with the reference beside it work goes on, without it ends") {
    if (!built()) {
        return;
    }
    const testing::Folder folder;
    const auto forged = testing::run("chain forge --blocks 20 --authorities 1 --validation reference --out " +
                                     (folder / "f"));
    REQUIRE_MESSAGE(forged.code == 0, forged.output);
    // A program of its own, beside which all plugins are but the reference.
    std::filesystem::create_directories(folder / "lone/bin");
    std::filesystem::copy_file(testing::program(), folder / "lone/bin/synod");
    std::filesystem::copy(SYNOD_BINARY_DIR "/plugins", folder / "lone/plugins");
    std::filesystem::remove(folder / "lone/plugins/synod-validation-reference.so");
    // An authority that is a quorum by itself: the first thing it proves is the block that it makes.
    testing::write_file(folder / "node.yaml",
                        "node: {name: alone, data_dir: data, genesis: f/genesis.yaml, "
                        "authority_key: f/authority-0.key}\nplugins:\n  validation: {use: " HOST_PLUGINS
                        "hanging_backend.so, as: remote}\n");
    const auto start = [&](const char* name, std::vector<std::string> arguments) {
        return app::devnet::Process::start(name, arguments, folder / (std::string(name) + ".txt"));
    };
    const std::string hanging = HOST_PLUGINS "hanging_backend.so", lone = folder / "lone/bin/synod";
    auto with = start("with", {testing::program().string(), "chain", "verify", folder / "f/chain", "--validation",
                               hanging});
    auto without = start("without", {lone, "chain", "verify", folder / "f/chain", "--validation", hanging});
    auto node = start("node", {lone, "run", folder / "node.yaml"});
    REQUIRE(with);
    REQUIRE(without);
    REQUIRE(node);
    const auto said = [&](const char* name) { return testing::read_file(folder / (std::string(name) + ".txt")); };
    CHECK(with->wait(kStartTime));
    CHECK_MESSAGE(with->exit_code() == 0, said("with"));
    CHECK(without->wait(kStartTime));
    CHECK(without->exit_code() == 1);
    const std::string why = "nothing can prove in place of validation: a pending batch was never completed "
                            "[validation.none_left]";
    CHECK_MESSAGE(said("without").find(why) != std::string::npos, said("without"));
    CHECK(node->wait(kStartTime));
    CHECK(node->exit_code() == 1);
    CHECK_MESSAGE(said("node").find("synod: halted: nothing can prove in place of remote: a pending batch was never "
                                    "completed [validation.none_left]") != std::string::npos, said("node"));
    const auto log = testing::read_file(folder / "data/synod.log");
    CHECK_MESSAGE(log.find("remote is not used any more, nothing proves") != std::string::npos, log);
}

TEST_CASE("a running node shows its metrics") {
    if (!built()) {
        return;
    }
    const testing::Folder folder;
    const auto forged = testing::run("chain forge --blocks 5 --validation reference --out " + (folder / "f"));
    REQUIRE_MESSAGE(forged.code == 0, forged.output);
    testing::write_file(folder / "node.yaml",
                        "node: {name: alone, data_dir: data, genesis: f/genesis.yaml}\nplugins:\n"
                        "  validation: reference\n  scoring: {use: " HOST_PLUGINS "listener.so, as: ears}\n"
                        "  optimizer: {use: ./gone.so, on_failure: continue}\n");
    auto process = app::devnet::Process::start("node", {testing::program().string(), "run", folder / "node.yaml"},
                                               folder / "out.txt");
    REQUIRE(process);
    std::string page, status;
    for (auto waited = Duration::zero(); page.empty() && waited < kStartTime && process->running(); waited += kPause) {
        std::this_thread::sleep_for(kPause);
        if (const auto at = control::read_control_file(folder / "data")) {
            page = testing::get(*at, "/metrics");
            status = control::call(folder / "data", "node.status", "", kAskTime).value_or("");
        }
    }
    for (const char* part : {"HTTP/1.1 200", "text/plain; version=0.0.4", "\nsynod_sync_current_height 0\n",
                             "\nsynod_peers_connected 0\n", "\nsynod_sync_gate_open 0\n",
                             "\nsynod_listener_heads_total{plugin=\"ears\"} ",
                             "\nsynod_plugin_active{plugin=\"ears\",kind=\"scoring\"} 1\n"}) {
        CHECK_MESSAGE(page.find(part) != std::string::npos, part, " is not in ", page, process->log_tail());
    }
    CHECK_MESSAGE(status.find("\"isolated_plugins\":[{\"plugin\":\"optimizer\",\"call\":\"load\",") !=
                      std::string::npos, status);
    process->terminate();
    process->finish();
    CHECK(process->exit_code() == 0);
}
