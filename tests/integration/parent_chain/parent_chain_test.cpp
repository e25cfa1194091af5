// SPDX-License-Identifier: Apache-2.0
//! Merged mining with a parent chain that this project did not write: bcoin, a Bitcoin node, in regtest. A block
//! of its own template commits to our work, is accepted there, and its proof here.

#include <cstdio>

#include "tests/support/federation.hpp"

using namespace synod;
using namespace synod::testing;
using std::chrono::seconds;

namespace {

constexpr int kUnreachable = 77;  // of install.sh: npm can't reach its registry
constexpr const char* kKey = "regtest-only";

fs::path scripts() { return fs::path(SYNOD_SOURCE_DIR) / "tests/integration/parent_chain"; }
fs::path installed() { return fs::path(SYNOD_BINARY_DIR) / "parent_chain"; }

//! A shell's command to its end.
Ended shell(const fs::path& folder, const std::string& command, Duration limit) {
    const auto log = folder / ("shell-" + std::to_string(mono_now().count()) + ".txt");
    auto process = Process::start("shell", {"/bin/sh", "-c", command}, log);
    REQUIRE(process);
    REQUIRE(process->wait(limit));
    return {process->exit_code().value_or(-1), text_of(log)};
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

TEST_CASE("a block of a real Bitcoin node is our proof of work: both accept it") {
    const TestFolder folder("parent-chain");
    const auto install =
        shell(folder.path(), quoted((scripts() / "install.sh").string()) + " " + quoted(installed().string()),
              std::chrono::minutes(3));
    if (install.code == kUnreachable) {
        std::puts("SKIPPED: npm can't reach its registry, so there is no Bitcoin node");  // what ctest looks for
        return;
    }
    INFO(install.output);
    REQUIRE(install.code == 0);

    FederationFacts facts;
    facts.authorities = 1;  // it is its own quorum
    facts.first_more = "mining:\n  listen: \"127.0.0.1:0\"\n";
    Federation federation(folder.path(), facts);
    federation.start();
    auto& node = federation[0];
    std::uint64_t mining_port = 0;
    const bool builds = node.wait_for(seconds(60), [&](const json::value& now) {
        mining_port = now.at("mining").at("port").to_number<std::uint64_t>();
        return number_at(now, "committed_height") >= 2;
    });
    INFO(federation.logs());
    REQUIRE(builds);

    const auto ports = app::devnet::free_ports(1);
    REQUIRE(ports);
    const auto parent_port = std::to_string(ports->front());
    const auto parent_log = folder.path() / "parent.txt";
    auto parent = Process::start("parent",
                                 {"/bin/sh", "-c",
                                  "cd " + quoted(installed().string()) + " && NODE_BACKEND=js exec node " +
                                      quoted((scripts() / "serve.js").string()) + " " + parent_port + " " + kKey},
                                 parent_log);
    REQUIRE(parent);
    const auto end = mono_now() + seconds(60);
    while (text_of(parent_log).find("open") == std::string::npos && mono_now() < end && parent->running()) {
        std::this_thread::sleep_for(kPollPause);
    }
    INFO(text_of(parent_log));
    REQUIRE(parent->running());

    auto token = text_of(node.data() / "mining.token");
    token.erase(token.find_last_not_of('\n') + 1);
    const auto mined = shell(folder.path(),
                             "PARENT_PORT=" + parent_port + " PARENT_KEY=" + kKey +
                                 " MINING_PORT=" + std::to_string(mining_port) + " MINING_TOKEN=" + token +
                                 " PAYOUT=00112233445566778899aabbccddeeff00112233 exec node " +
                                 quoted((scripts() / "merge_mine.js").string()),
                             seconds(90));
    INFO(mined.output);
    REQUIRE(mined.code == 0);
    const auto said = json::parse(mined.output).as_object();
    // There: the block is the tip, with a transaction beside its coinbase, whose commitment has a witness.
    CHECK(said.at("parent_best") == said.at("parent_hash"));
    CHECK(said.at("parent_height").to_number<int>() == 433);
    CHECK(said.at("transactions").to_number<int>() == 2);
    CHECK(said.at("segwit").as_bool());
    // Here: accepted, once, and the next blocks make it final.
    REQUIRE(said.at("taken").is_bool());
    CHECK(said.at("taken").as_bool());
    CHECK(said.at("refused").is_null());
    CHECK(said.at("again").at("data").at("code").as_string() == "mining.duplicate");
    const bool final = node.wait_for(seconds(30), [&](const json::value& now) {
        return number_at(now, "final_height") >= 2 && number_at(now.at("mining"), "waiting_records") == 0;
    });
    INFO(node.log());
    CHECK(final);
    // The proof holds by the program's own check, rule by rule.
    const auto& work = said.at("work").as_object();
    const auto proof_file = folder.path() / "proof.hex";
    std::ofstream(proof_file) << std::string(said.at("proof").as_string());
    const auto checked = run_to_end(folder.path(), {"auxpow", "check", "--chain-id", "1", "--hash",
                                                    std::string(work.at("hash").as_string()), "--bits",
                                                    std::string(work.at("bits").as_string()),
                                                    "@" + proof_file.string()});
    INFO(checked.output);
    CHECK(checked.code == 0);
    CHECK(node.stop() == 0);
}
