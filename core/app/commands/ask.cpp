// SPDX-License-Identifier: Apache-2.0
//! Commands that ask a running node over its control door: status, peers, pause, resume, stop.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "core/app/commands/asking.hpp"
#include "core/app/commands/commands.hpp"
#include "core/app/commands/shown.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

struct AskOptions {
    std::string where = ".";
    bool json = false;
    bool watch = false;
};

Result<json::value> ask(const AskOptions& options, const char* method) {
    return ask_node(options.where, method, {});
}

std::string text_of(const json::value& v) {
    return v.is_null() ? "unknown" : shown(v);
}

std::string eta_of(const json::value& v) {
    if (v.is_null()) {
        return "unknown";
    }
    char out[64];
    std::snprintf(out, sizeof out, "%.0f to %.0f s", v.as_array().at(0).to_number<double>(),
                  v.as_array().at(1).to_number<double>());
    return out;
}

std::string checkpoint_of(const json::value& v) {
    if (v.is_null()) {
        return "none";
    }
    const auto& c = v.as_object();
    return "height " + text_of(c.at("height")) + "  " + text_of(c.at("id")) + "  verified " +
           text_of(c.at("verified"));
}

void print_status(const json::object& s) {
    const auto show = [&](const char* label, const char* key) {
        std::printf("%-18s %s\n", label, text_of(s.at(key)).c_str());
    };
    show("state", "state");
    show("height", "current_height");
    show("target", "target_height");
    std::printf("%-18s %.2f %%\n", "synced", 100 * s.at("percentage").to_number<double>());
    std::printf("%-18s %.0f\n", "blocks/s", s.at("blocks_per_second").to_number<double>());
    std::printf("%-18s %s\n", "ETA", eta_of(s.at("eta_seconds")).c_str());
    show("peers", "peers");
    show("committed", "committed_height");
    show("final", "final_height");
    const auto& federation = s.at("federation").as_object();
    std::printf("%-18s %s of %s authorities seen, quorum %s\n", "federation",
                text_of(federation.at("seen")).c_str(), text_of(federation.at("authorities")).c_str(),
                text_of(federation.at("quorum")).c_str());
    for (const auto& item : federation.at("members").as_array()) {
        const auto& m = item.as_object();
        std::printf("  %-16s %s, %s blocks, %s slots missed, last at height %s in slot %s\n",
                    ("authority " + text_of(m.at("index"))).c_str(), m.at("seen").as_bool() ? "seen" : "away",
                    text_of(m.at("blocks")).c_str(), text_of(m.at("missed")).c_str(),
                    text_of(m.at("last_height")).c_str(), text_of(m.at("last_slot")).c_str());
    }
    for (const auto& [label, key] : {std::pair("  approval", "approval_latency_ms"),
                                     std::pair("  proposal is late", "proposal_lateness_ms")}) {
        if (const auto& times = federation.at(key); times.is_object()) {
            std::printf("%-18s %.0f ms, 99 of 100 within %.0f ms\n", label, times.at("median").to_number<double>(),
                        times.at("p99").to_number<double>());
        }
    }
    if (federation.at("equivocators").to_number<std::uint64_t>() > 0) {
        std::printf("%-18s of %s authorities; see `synod evidence list`\n", "equivocation",
                    text_of(federation.at("equivocators")).c_str());
    }
    std::printf("%-18s sequence %s\n", "governance", text_of(federation.at("governance_sequence")).c_str());
    const auto& mining = s.at("mining").as_object();
    if (mining.at("stage") != "off") {
        std::printf("%-18s %s: %s of %s blocks without proof of work\n", "mining",
                    text_of(mining.at("stage")).c_str(), text_of(mining.at("blocks_without_pow")).c_str(),
                    text_of(mining.at("max_blocks_without_pow")).c_str());
    }
    show("head", "head_hash");
    std::printf("%-18s %s\n", "last checkpoint", checkpoint_of(s.at("last_checkpoint")).c_str());
    if (!s.at("stalled").is_null()) {
        show("stalled", "stalled");
    }
    for (const auto& item : s.at("isolated_plugins").as_array()) {
        const auto& f = item.as_object();
        std::printf("%-18s %s: %s\n", "without plugin", text_of(f.at("plugin")).c_str(),
                    text_of(f.at("reason")).c_str());
    }
    std::printf("%-18s %s\n", "can produce", s.at("can_produce").as_bool() ? "yes" : "no");
    for (const auto& item : s.at("gate").as_array()) {
        const auto& c = item.as_object();
        std::printf("  %s %-26s %-20s needs %s\n", c.at("met").as_bool() ? "ok " : "NOT",
                    text_of(c.at("name")).c_str(), text_of(c.at("value")).c_str(),
                    text_of(c.at("limit")).c_str());
    }
}

int status(const AskOptions& options) {
    for (;;) {
        auto answer = ask(options, "node.status");
        if (!answer) {
            return complain(answer.error());
        }
        if (options.json) {
            std::puts(json::serialize(*answer).c_str());
        } else {
            if (options.watch && ::isatty(STDOUT_FILENO) != 0) {
                std::fputs("\033[H\033[2J", stdout);
            }
            print_status(answer->as_object());
        }
        std::fflush(stdout);
        if (!options.watch) {
            return kDone;
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

int peers(const AskOptions& options) {
    auto answer = ask(options, "node.peers");
    if (!answer) {
        return complain(answer.error());
    }
    if (options.json) {
        std::puts(json::serialize(*answer).c_str());
        return kDone;
    }
    for (const auto& item : answer->as_array()) {
        const auto& p = item.as_object();
        std::printf("%.16s  %-10s %-4s %-21s height %-10s %6.1f ms  misbehaviour %.0f%s\n",
                    text_of(p.at("identity")).c_str(), text_of(p.at("tier")).c_str(),
                    p.at("connected").as_bool() ? "up" : "down",
                    (text_of(p.at("address")) + ":" + text_of(p.at("port"))).c_str(),
                    text_of(p.at("height")).c_str(), p.at("latency_ms").to_number<double>(),
                    p.at("misbehaviour").to_number<double>(),
                    p.at("banned_until_unix_ms").is_null() ? "" : "  BANNED");
        for (const auto& o : p.at("offences").as_array()) {
            std::printf("    %s: %s at height %s\n", text_of(o.at("reason")).c_str(),
                        text_of(o.at("rule")).c_str(), text_of(o.at("height")).c_str());
        }
    }
    return kDone;
}

std::shared_ptr<AskOptions> add_ask(CLI::App* command) {
    auto options = std::make_shared<AskOptions>();
    command->add_option("NODE", options->where, "the node's manifest or data folder")->required();
    return options;
}

}  // namespace

void add_status(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand("status", "What a running node does, and why it may not produce");
    auto options = add_ask(command);
    command->add_flag("--json", options->json, "as JSON");
    command->add_flag("--watch", options->watch, "again every second");
    command->callback([&chosen, options] { chosen = [options] { return status(*options); }; });
}

void add_peers(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand("peers", "A running node's peers, what they did, and bans");
    auto options = add_ask(command);
    command->add_flag("--json", options->json, "as JSON");
    command->callback([&chosen, options] { chosen = [options] { return peers(*options); }; });
}

void add_control(CLI::App& app, Chosen& chosen) {
    const std::pair<const char*, const char*> verbs[] = {
        {"pause", "Pauses the sync of a running node; its window is kept"},
        {"resume", "Goes on where pause stopped"},
        {"stop", "Stops a running node after what is in work is written"}};
    for (const auto& [verb, help] : verbs) {
        auto* command = app.add_subcommand(verb, help);
        auto options = add_ask(command);
        command->callback([&chosen, options, method = std::string("node.") + verb] {
            chosen = [options, method] {
                auto answer = ask(*options, method.c_str());
                if (!answer) {
                    return complain(answer.error());
                }
                std::puts(text_of(answer->at("state")).c_str());
                return kDone;
            };
        });
    }
}

}  // namespace synod::app
