// SPDX-License-Identifier: Apache-2.0
#include "core/app/devnet/devnet.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "core/app/commands/commands.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

json::value parsed(const std::string& text) {
    boost::system::error_code error;
    auto out = json::parse(text, error);
    return error ? json::value(nullptr) : out;
}

json::object to_json(const devnet::Options& options, const devnet::Summary& s) {
    const auto rate = s.rate();
    json::object out;
    out["ok"] = !s.error.has_value();
    out["dir"] = s.dir.string();
    out["authorities"] = options.authorities;
    out["seed"] = options.seed;
    out["validation"] = options.validation;
    out["forged_height"] = s.forged_height;
    out["forge_seconds"] = s.forge_seconds;
    out["sync"] = {
        {"from_height", s.synced_from},
        {"seconds", s.sync_seconds ? json::value(*s.sync_seconds) : json::value(nullptr)},
        {"blocks_per_second", rate ? json::value(*rate) : json::value(nullptr)},
        {"start_to_height_seconds", s.start_to_height_seconds},
        {"start_to_gate_seconds", s.start_to_gate_seconds}};
    out["gate_open"] = s.gate_open;
    out["live_blocks"] = s.live_blocks;
    out["heads_agree"] = s.heads_agree;
    out["agreed_height"] = s.agreed_height;
    out["agreed_hash"] = s.agreed_hash;
    json::array nodes;
    for (const auto& node : s.nodes) {
        nodes.push_back(
            {{"name", node.name},
             {"folder", node.folder.string()},
             {"port", node.port},
             {"exit_code", node.exit_code ? json::value(*node.exit_code) : json::value(nullptr)},
             {"status", node.last ? parsed(node.last->json) : json::value(nullptr)}});
    }
    out["nodes"] = std::move(nodes);
    if (s.error) {
        out["error"] = {{"code", s.error->code},
                        {"message", s.error->message},
                        {"where", s.error->where},
                        {"hint", s.error->hint}};
    } else {
        out["error"] = nullptr;
    }
    return out;
}

void print(const devnet::Summary& s) {
    for (const auto& node : s.nodes) {
        std::printf("%-13s port %-5u height %-9s exit %-3s %s\n", node.name.c_str(), node.port,
                    node.last ? std::to_string(node.last->height).c_str() : "-",
                    node.exit_code ? std::to_string(*node.exit_code).c_str() : "-",
                    node.folder.c_str());
    }
    if (!s.dir.empty()) {
        std::printf("manifests, keys, logs and chains: %s\n", s.dir.c_str());
    }
    std::fflush(stdout);
    if (s.error) {
        complain(*s.error);
    } else {
        std::puts("everything held");
    }
}

int run(const devnet::Options& options) {
    const auto summary = devnet::Devnet(options).run();
    if (options.json) {
        std::puts(json::serialize(to_json(options, summary)).c_str());
        if (summary.error) {
            complain(*summary.error);
        }
    } else {
        print(summary);
    }
    if (!summary.error) {
        return kDone;
    }
    if (summary.error->code == "devnet.timeout") {
        return kTimeout;
    }
    return summary.dir.empty() ? kUsage : kFailed;  // without a folder nothing was begun
}

struct DevnetArguments {
    devnet::Options options;
    std::string dir;
    std::uint32_t timeout_s = 600;
};

}  // namespace

void add_devnet(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand(
        "devnet", "Runs a federation on this machine and watches a fresh node sync from it");
    auto a = std::make_shared<DevnetArguments>();
    auto& o = a->options;
    command->add_option("--authorities", o.authorities, "authorities, each a process")
        ->check(CLI::Range(1u, devnet::kMaxAuthorities))
        ->capture_default_str();
    command->add_option("--blocks", o.blocks, "blocks of the chain that they start with")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
        ->capture_default_str();
    command->add_option("--txs", o.txs, "transactions in a block")
        ->check(CLI::Range(0u, 10'000u))
        ->capture_default_str();
    command->add_option("--dir", a->dir,
                        "a new or empty folder for everything; default: a temporary one");
    command->add_option("--seed", o.seed, "what the chain's keys and contents come from")
        ->capture_default_str();
    command->add_option("--validation", o.validation, "validation plugin of every node")
        ->capture_default_str();
    command->add_option("--live", o.live, "live blocks to see after the gate opened")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000}))
        ->capture_default_str();
    command->add_flag("--keep-running", o.keep_running, "go on until Ctrl-C once everything held");
    command->add_option("--timeout", a->timeout_s, "seconds for all of it, --keep-running aside")
        ->check(CLI::Range(1u, 86'400u))
        ->capture_default_str();
    command->add_flag("--json", o.json, "print the summary as JSON, progress to standard error");
    command->callback([&chosen, a] {
        chosen = [a] {
            a->options.dir = a->dir;
            a->options.timeout = std::chrono::seconds(a->timeout_s);
            auto& plugin = a->options.validation;
            if (plugin.find('/') != std::string::npos) {  // a path; the manifests lie elsewhere
                plugin = std::filesystem::absolute(plugin).string();
            }
            return run(a->options);
        };
    });
}

}  // namespace synod::app
