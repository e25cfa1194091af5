// SPDX-License-Identifier: Apache-2.0
//! `synod evidence list|show`: whom of the federation a running node knows to have signed twice for one slot.

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>

#include "core/app/commands/asking.hpp"
#include "core/app/commands/commands.hpp"
#include "core/app/commands/shown.hpp"
#include "core/control/client.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

struct EvidenceOptions {
    std::string where, id;
    bool json = false;
};

Result<std::string> ask(const EvidenceOptions& options, const char* method, const std::string& params) {
    auto dir = data_dir_of(options.where);
    return dir ? control::call(*dir, method, params) : dir;
}

void print_evidence(const json::object& e) {
    const auto& blocks = e.at("blocks").as_array();
    const auto& heights = e.at("heights").as_array();
    std::printf("%.16s  authority %.16s  slot %s  %s: %.16s at height %s, %.16s at height %s\n",
                shown(e.at("id")).c_str(), shown(e.at("author")).c_str(), shown(e.at("slot")).c_str(),
                e.at("kind") == "two_blocks" ? "two blocks" : "approvals of two blocks", shown(blocks.at(0)).c_str(),
                shown(heights.at(0)).c_str(), shown(blocks.at(1)).c_str(), shown(heights.at(1)).c_str());
}

int answer(const EvidenceOptions& options, const Result<std::string>& got,
           const std::function<void(const json::object&)>& show) {
    if (!got) {
        return complain(got.error());
    }
    if (options.json) {
        std::puts(got->c_str());
        return kDone;
    }
    boost::system::error_code bad;
    const auto parsed = json::parse(*got, bad);
    if (bad || !parsed.is_object()) {
        std::fprintf(stderr, "synod: the node's answer is no JSON object [control.bad_reply]\n");
        return kFailed;
    }
    show(parsed.as_object());
    return kDone;
}

int list(const EvidenceOptions& options) {
    return answer(options, ask(options, "evidence.list", ""), [](const json::object& all) {
        const auto& evidence = all.at("evidence").as_array();
        for (const auto& one : evidence) {
            print_evidence(one.as_object());
        }
        if (evidence.empty()) {
            std::puts("none: nobody is known to have signed twice for a slot");
        }
    });
}

int show(const EvidenceOptions& options) {
    const auto params = json::serialize(json::object{{"id", options.id}});
    return answer(options, ask(options, "evidence.show", params), [](const json::object& one) {
        print_evidence(one);
        std::printf("%s\n", shown(one.at("bytes")).c_str());
    });
}

}  // namespace

void add_evidence(CLI::App& app, Chosen& chosen) {
    auto* group = app.add_subcommand("evidence", "Authorities that are proven to have signed twice for one slot");
    group->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, int (*run)(const EvidenceOptions&)) {
        auto options = std::make_shared<EvidenceOptions>();
        auto* command = group->add_subcommand(name, help);
        command->add_option("NODE", options->where, "the node's manifest or data folder")->required();
        command->add_flag("--json", options->json, "as JSON");
        command->callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
        return std::pair(command, options);
    };
    add("list", "Everything that this node knows", list);
    const auto [command, options] = add("show", "One piece with the bytes that prove it", show);
    command->add_option("ID", options->id, "its id, or the first 8 digits of it or more")->required();
}

}  // namespace synod::app
