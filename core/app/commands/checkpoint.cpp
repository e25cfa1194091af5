// SPDX-License-Identifier: Apache-2.0
//! synod checkpoint create|list|verify: asks the running node; when none runs, works on the node's
//! folder itself. recover: of a node that doesn't run; a running one recovers by itself.

#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>

#include "core/app/checkpoint/methods.hpp"
#include "core/app/checkpoint/offline.hpp"
#include "core/app/commands/asking.hpp"
#include "core/app/commands/commands.hpp"
#include "core/app/commands/shown.hpp"
#include "core/control/client.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

struct CheckpointOptions {
    std::string where;
    std::string which = "latest";
    std::string level = "full";
    bool json = false;
    bool dry_run = false;
};

//! The node's answer, or `offline`'s when no node runs there.
Result<std::string> ask(const CheckpointOptions& options, const char* method,
                        const json::object& params,
                        const std::function<Result<std::string>()>& offline) {
    auto dir = data_dir_of(options.where);
    if (!dir) {
        return dir;
    }
    auto answer = control::call(*dir, method, json::serialize(params));
    if (!answer && answer.error().code == "control.not_running") {
        spdlog::set_level(
            spdlog::level::off);  // the answer says all, and has the standard output to itself
        return offline();
    }
    return answer;
}

std::string text(const json::object& info, const char* key) {
    const auto* value = info.if_contains(key);
    return value == nullptr || value->is_null() ? "-" : shown(*value);
}

void print_checkpoint(const json::object& info) {
    std::printf("%s  height %-10s %-9s %10s bytes  %s%s\n", text(info, "id").c_str(),
                text(info, "height").c_str(), text(info, "kind").c_str(),
                text(info, "bytes").c_str(),
                info.at("damaged").is_null() ? "verified " : "DAMAGED: ",
                text(info, info.at("damaged").is_null() ? "verified" : "damaged").c_str());
}

//! Prints the answer as it came, or hands its parsed form to `show`.
template <typename Show>
int show_answer(const Result<std::string>& answer, bool as_json, Show show) {
    if (!answer) {
        return complain(answer.error());
    }
    if (as_json) {
        std::puts(answer->c_str());
        return kDone;
    }
    boost::system::error_code bad;
    const auto parsed = json::parse(*answer, bad);
    if (bad || !parsed.is_object()) {
        return complain({"control.bad_reply", "the node's answer is no JSON object", {}, {}});
    }
    show(parsed.as_object());
    return kDone;
}

int create(const CheckpointOptions& options) {
    const auto answer = ask(options, "checkpoint.create", {}, [&]() -> Result<std::string> {
        auto offline = OfflineCheckpoints::open(options.where, OfflineCheckpoints::Use::kMake);
        auto made = offline ? (*offline)->create() : std::unexpected(offline.error());
        return made ? Result<std::string>(to_json(*made)) : std::unexpected(made.error());
    });
    return show_answer(answer, options.json, print_checkpoint);
}

int list(const CheckpointOptions& options) {
    const auto answer = ask(options, "checkpoint.list", {}, [&]() -> Result<std::string> {
        auto offline = OfflineCheckpoints::open(options.where, OfflineCheckpoints::Use::kRead);
        auto found = offline ? (*offline)->list() : std::unexpected(offline.error());
        return found ? Result<std::string>(to_json((*offline)->dir(), *found))
                     : std::unexpected(found.error());
    });
    return show_answer(answer, options.json, [](const json::object& all) {
        for (const auto& one : all.at("checkpoints").as_array()) {
            print_checkpoint(one.as_object());
        }
        if (all.at("checkpoints").as_array().empty()) {
            std::printf("none in %s\n", text(all, "dir").c_str());
        }
    });
}

int verify(const CheckpointOptions& options) {
    const auto level = checkpoint::level_of(options.level).value_or(checkpoint::Level::kFull);
    const json::object params{{"id", options.which}, {"level", options.level}};
    const auto answer = ask(options, "checkpoint.verify", params, [&]() -> Result<std::string> {
        auto offline = OfflineCheckpoints::open(options.where, OfflineCheckpoints::Use::kRead);
        auto good =
            offline ? (*offline)->verify(options.which, level) : std::unexpected(offline.error());
        return good ? Result<std::string>(to_json(*good)) : std::unexpected(good.error());
    });
    if (!answer && answer.error().code.starts_with("checkpoint.")) {
        const auto& e = answer.error();
        if (options.json) {
            std::puts(json::serialize(json::object{{"ok", false},
                                                   {"check", e.code},
                                                   {"detail", e.message},
                                                   {"where", e.where}})
                          .c_str());
        } else {
            std::printf("FAILED %s %s: %s\n", e.code.c_str(), e.where.c_str(), e.message.c_str());
        }
        return kFailed;
    }
    return show_answer(answer, options.json, [](const json::object& info) {
        std::printf("sound: checkpoint %s height %s block %s root %s, checked: %s\n",
                    text(info, "id").c_str(), text(info, "height").c_str(),
                    text(info, "block").c_str(), text(info, "root").c_str(),
                    text(info, "verified").c_str());
    });
}

void print_recovery(const json::object& report, bool dry_run) {
    for (const auto& why : report.at("skipped").as_array()) {
        std::printf("skipped: %s\n", why.as_string().c_str());
    }
    if (const auto* from = report.at("checkpoint").if_object()) {
        std::printf("from checkpoint %s of height %s\n", text(*from, "id").c_str(), text(*from, "height").c_str());
    } else {
        std::puts("from the genesis");
    }
    if (!report.at("damage").is_null()) {
        std::printf("damaged: %s\n", text(report, "damage").c_str());
    }
    std::printf("%s height %s, block %s; %s stored blocks are given up and will be fetched again\n",
                dry_run ? "would go on from" : "goes on from", text(report, "height").c_str(),
                text(report, "head_hash").c_str(), text(report, "given_up").c_str());
}

int recover(const CheckpointOptions& options) {
    spdlog::set_level(spdlog::level::off);
    auto offline = OfflineCheckpoints::open(options.where, OfflineCheckpoints::Use::kRecover);
    auto report = offline ? (*offline)->recover(options.which, options.dry_run)
                          : std::unexpected(offline.error());
    if (!report && report.error().code == "store.locked") {
        report.error().hint = "stop the node first: while it runs it recovers by itself";
    }
    return show_answer(report ? Result<std::string>(to_json(*report)) : std::unexpected(report.error()),
                       options.json,
                       [&](const json::object& done) { print_recovery(done, options.dry_run); });
}

std::shared_ptr<CheckpointOptions> add(CLI::App& group, const char* name, const char* what,
                                       Chosen& chosen, int (*run)(const CheckpointOptions&),
                                       CLI::App** command_out = nullptr) {
    auto* command = group.add_subcommand(name, what);
    auto options = std::make_shared<CheckpointOptions>();
    command->add_option("NODE", options->where, "the node's manifest or data folder")->required();
    command->add_flag("--json", options->json, "print the result as JSON");
    command->callback(
        [&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
    if (command_out != nullptr) {
        *command_out = command;
    }
    return options;
}

}  // namespace

void add_checkpoint(CLI::App& app, Chosen& chosen) {
    auto* group = app.add_subcommand(
        "checkpoint", "Makes, lists and verifies checkpoints of a node, and recovers from them");
    group->require_subcommand(1);
    add(*group, "create", "Makes one of the newest committed block", chosen, create);
    add(*group, "list", "Newest first, with what is known of each", chosen, list);
    CLI::App* command = nullptr;
    const auto options =
        add(*group, "verify",
            "Reads one again and checks it. Exit code 0: sound; 1: the check that failed is\n"
            "printed with the file",
            chosen, verify, &command);
    command->add_option("ID", options->which, "an id or its beginning, or latest")
        ->capture_default_str();
    command
        ->add_option("--level", options->level,
                     "basic: readable, content root; full: also its block, state and certificate")
        ->check(CLI::IsMember({"basic", "full"}))
        ->capture_default_str();
    const auto recovery =
        add(*group, "recover",
            "Makes a damaged store of a stopped node readable again: a checkpoint's state, or the\n"
            "genesis', and every block after it that can be read. What is lost is fetched again",
            chosen, recover, &command);
    command->add_option("ID", recovery->which, "an id or its beginning, or latest: the newest that serves")
        ->capture_default_str();
    command->add_flag("--dry-run", recovery->dry_run, "says what it would do, and writes nothing");
}

}  // namespace synod::app
