// SPDX-License-Identifier: Apache-2.0
//! `synod emergency status|enter|leave`.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "core/app/commands/asking.hpp"
#include "core/app/commands/chain_offline.hpp"
#include "core/app/commands/commands.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

struct EmergencyOptions {
    std::string node, reason;
    bool json = false;
};

int run(const EmergencyOptions& o, const char* method) {
    json::object params;
    if (!o.reason.empty()) {
        params["reason"] = o.reason;
    }
    auto answer = ask_node(o.node, method, params);
    if (!answer) {
        complain(answer.error());
        return kFailed;
    }
    if (o.json) {
        std::puts(json::serialize(*answer).c_str());
        return kDone;
    }
    std::puts(answer->at("active").as_bool() ? "emergency" : "no emergency");
    for (const auto& one : answer->at("triggers").as_array()) {
        std::printf("  %-13s %s\n", one.at("trigger").as_string().c_str(), one.at("reason").as_string().c_str());
    }
    return kDone;
}

}  // namespace

void add_emergency(CLI::App& app, Chosen& chosen) {
    auto* emergency = app.add_subcommand("emergency", "When a running node stands aside, and why");
    emergency->require_subcommand(1);
    struct Verb {
        const char *name, *method, *help;
    };
    for (const auto& verb : {Verb{"status", "emergency.status", "Whether there is one, and its open triggers"},
                             Verb{"enter", "emergency.enter", "Stops production and sync but from the federation"},
                             Verb{"leave", "emergency.leave", "Ends it, whatever is measured"}}) {
        auto* command = emergency->add_subcommand(verb.name, verb.help);
        auto o = std::make_shared<EmergencyOptions>();
        command->add_option("NODE", o->node, "the node's manifest or data folder")->required();
        command->add_flag("--json", o->json, "as JSON");
        if (std::string_view(verb.name) == "enter") {
            command->add_option("--reason", o->reason, "for people, at most 256 bytes");
        }
        command->callback([&chosen, o, method = verb.method] { chosen = [o, method] { return run(*o, method); }; });
    }
}

}  // namespace synod::app
