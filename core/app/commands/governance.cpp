// SPDX-License-Identifier: Apache-2.0
//! `synod governance propose|sign|submit|log|status`: events as files that authorities pass around and sign, then
//! submit to any node. What is signed is read by this program's own consensus plugin, not by the node that made it.
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "core/app/commands/asking.hpp"
#include "core/app/commands/chain_offline.hpp"
#include "core/app/commands/commands.hpp"
#include "core/app/commands/evidence_source.hpp"
#include "core/app/commands/shown.hpp"
#include "core/app/commands/throwaway_genesis.hpp"
#include "core/app/forge/forge.hpp"
#include "core/app/governance/next_event.hpp"
#include "core/app/node/signer.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxEventText = 256u << 10;  // bytes of an event's file
constexpr std::uint64_t kDefaultNotice = 30;        // blocks until a proposed event is in force

struct Proposal {
    std::string node, file, kind, key, replacement, parameter, reason, evidence;
    std::uint64_t value = 0, at = 0;
    std::uint64_t in = kDefaultNotice;
};

struct GovernanceOptions {
    std::string node, file, key_file;
    std::vector<std::string> files;
    std::uint64_t from = 1;
    bool json = false;
};

int refuse(const Error& error, int code = kFailed) {
    complain(error);
    return code;
}

//! One method of the consensus plugin, without a node.
Result<json::object> plugin_call(const std::string& method, const json::object& params) {
    if (sodium_init() < 0) {
        return fail("crypto.init", "libsodium can't be initialised");
    }
    const ThrowawayGenesis genesis;
    auto runtime = offline_runtime(genesis.file(), std::string(host::kDefaultBackend));
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    Result<std::string> answer;
    (*runtime)->on_worker([&] {
        answer = (*runtime)->consensus().call(pipeline::State{}, method, json::serialize(params));
    });
    if (!answer) {
        return std::unexpected(answer.error());
    }
    boost::system::error_code error;
    auto value = json::parse(*answer, error);
    if (error || !value.is_object()) {
        return fail("plugin.misbehaving", "its answer is not a JSON object", method);
    }
    return value.as_object();
}

Result<json::object> read_event(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kMaxEventText + 1, '\0');
    if (!in) {
        return fail("governance.file", "can't read the file", file);
    }
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    boost::system::error_code error;
    auto value = json::parse(text, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* event = object == nullptr ? nullptr : object->if_contains("event");
    if (event == nullptr || !event->is_string()) {
        return fail("governance.file", "not an event's file", file, "`synod governance propose` makes one");
    }
    // Everything else in it is for people, and anybody may have written it: what counts is read from the bytes.
    return plugin_call("governance.explain", {{"event", *event}});
}

Result<void> write_event(const std::string& file, const json::object& event) {
    const auto temporary = file + ".new";
    {
        std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
        out << json::serialize(event) << "\n";
        out.flush();
        if (!out) {
            return fail("governance.file", "can't write the file", temporary);
        }
    }
    std::error_code error;
    std::filesystem::rename(temporary, file, error);
    if (error) {
        return fail("governance.file", error.message(), file);
    }
    return {};
}

//! What an event does, in one line.
std::string summary(const json::object& e) {
    std::string out = "event " + shown(e, "sequence") + ": " + shown(e, "kind");
    for (const char* key : {"key", "replacement", "parameter", "value"}) {
        if (const auto text = shown(e, key); !text.empty()) {
            out += " " + std::string(key) + " " + text;
        }
    }
    out += ", in force from height " + shown(e, "effective_height");
    if (const auto reason = shown(e, "reason"); !reason.empty()) {
        out += " (" + reason + ")";
    }
    return out;
}

std::size_t approvals(const json::object& e) {
    const auto* list = e.if_contains("approvals");
    return list == nullptr || !list->is_array() ? 0 : list->as_array().size();
}

//! What the removed authority is said to have signed; empty for an event that says nothing of the kind.
std::string charge(const json::object& e) {
    const auto* evidence = e.if_contains("evidence");
    const auto* object = evidence == nullptr ? nullptr : evidence->if_object();
    if (object == nullptr || !object->contains("kind")) {
        return {};
    }
    const auto* what = object->at("kind") == "two_blocks" ? "two blocks" : "approvals of two blocks";
    return std::string(what) + " of slot " + shown(*object, "slot");
}

void print_event(const json::object& e, bool as_json) {
    if (as_json) {
        std::puts(json::serialize(e).c_str());
        return;
    }
    std::printf("%s\n  hash %s, %zu signatures\n", summary(e).c_str(), shown(e, "hash").c_str(), approvals(e));
    if (const auto what = charge(e); !what.empty()) {
        std::printf("  with evidence: it signed %s\n", what.c_str());
    }
}

int propose(Proposal p) {
    if (!p.evidence.empty()) {
        auto named = evidence_from(p.node, p.evidence);
        if (!named) {
            return refuse(named.error());
        }
        p.evidence = named->bytes;
        p.key = p.key.empty() ? named->author : p.key;
    }
    auto status = ask_node(p.node, "governance.status", {});
    if (!status) {
        return refuse(status.error());
    }
    const auto& s = status->as_object();
    auto params = next_event(s);
    params["kind"] = p.kind;
    params["effective"] = p.at != 0 ? p.at : s.at("height").to_number<std::uint64_t>() + p.in;
    params["reason"] = p.reason;
    params["value"] = p.value;
    for (const auto& [name, text] : {std::pair("key", &p.key), {"replacement", &p.replacement},
                                     {"parameter", &p.parameter}, {"evidence", &p.evidence}}) {
        if (!text->empty()) {
            params[name] = *text;
        }
    }
    auto event = plugin_call("governance.make", params);
    if (!event) {
        return refuse(event.error(), kUsage);
    }
    if (auto written = write_event(p.file, *event); !written) {
        return refuse(written.error());
    }
    print_event(*event, false);
    return kDone;
}

int sign(const GovernanceOptions& o) {
    auto event = read_event(o.file);
    if (!event) {
        return refuse(event.error(), kUsage);
    }
    auto key = SecretKey::load(o.key_file);
    if (!key) {
        return refuse(key.error());
    }
    const auto message = from_hex(shown(*event, "message"));
    if (!message) {
        return refuse({"plugin.misbehaving", "no message to sign", "governance.explain", {}});
    }
    const auto signature = (*key)->sign(*message);
    auto done = plugin_call("governance.sign", {{"event", event->at("event")},
                                                {"key", to_hex((*key)->public_key().view())},
                                                {"signature", to_hex(signature.view())}});
    if (!done) {
        return refuse(done.error());
    }
    if (auto written = write_event(o.file, *done); !written) {
        return refuse(written.error());
    }
    print_event(*done, o.json);
    return kDone;
}

//! The event with the signatures of every file.
Result<json::object> merged(const std::vector<std::string>& files) {
    auto out = read_event(files.front());
    for (std::size_t i = 1; out && i < files.size(); ++i) {
        auto other = read_event(files[i]);
        if (!other) {
            return other;
        }
        if (other->at("hash") != out->at("hash")) {
            return fail("governance.file", "it holds another event than " + files.front(), files[i]);
        }
        for (const auto& approval : other->at("approvals").as_array()) {
            out = plugin_call("governance.sign", {{"event", out->at("event")},
                                                  {"key", approval.at("key")},
                                                  {"signature", approval.at("signature")}});
            if (!out) {
                return out;
            }
        }
    }
    return out;
}

int submit(const GovernanceOptions& o) {
    auto event = merged(o.files);
    if (!event) {
        return refuse(event.error(), kUsage);
    }
    auto done = ask_node(o.node, "governance.submit", {{"event", event->at("event")}});
    if (!done) {
        return refuse(done.error());
    }
    print_event(*event, o.json);
    return kDone;
}

int log(const GovernanceOptions& o) {
    auto answer = ask_node(o.node, "governance.log", {{"from", o.from}});
    if (!answer) {
        return refuse(answer.error());
    }
    if (o.json) {
        std::puts(json::serialize(*answer).c_str());
        return kDone;
    }
    for (const auto& item : answer->at("events").as_array()) {
        const auto& e = item.as_object();
        std::printf("%s\n  in block %s, %zu signatures, hash %s\n", summary(e).c_str(), shown(e, "height").c_str(),
                    approvals(e), shown(e, "hash").c_str());
        if (const auto what = charge(e); !what.empty()) {
            std::printf("  proven: it signed %s\n", what.c_str());
        }
    }
    return kDone;
}

int status(const GovernanceOptions& o) {
    auto answer = ask_node(o.node, "governance.status", {});
    if (!answer) {
        return refuse(answer.error());
    }
    if (o.json) {
        std::puts(json::serialize(*answer).c_str());
        return kDone;
    }
    const auto& s = answer->as_object();
    const auto& authorities = s.at("authorities").as_array();
    std::printf("%-14s %zu, quorum %s, change %s\n", "authorities", authorities.size(), shown(s, "quorum").c_str(),
                shown(s, "authority_set").c_str());
    for (const auto& key : authorities) {
        std::printf("  %s\n", shown(key).c_str());
    }
    std::printf("%-14s %s at height %s, hash %s\n", "sequence", shown(s, "governance_sequence").c_str(),
                shown(s, "height").c_str(), shown(s, "governance_hash").c_str());
    std::printf("%-14s slot %s ms, %s blocks without proof of work, blocks of %s bytes\n", "parameters",
                shown(s, "slot_ms").c_str(), shown(s, "max_blocks_without_pow").c_str(),
                shown(s, "max_block_bytes").c_str());
    std::printf("%-14s %s\n", "halted", s.at("halted").as_bool() ? "yes" : "no");
    for (const auto& item : s.at("pending").as_array()) {
        std::printf("carried        %s\n", summary(item.as_object()).c_str());
    }
    for (const auto& item : s.at("waiting").as_array()) {
        std::printf("waiting        %s\n", summary(item.as_object()).c_str());
    }
    std::printf("%-14s %s\n", "stream", s.at("missing_from").is_null() ? s.at("stream_healthy").as_bool() ? "healthy"
                                                                                                         : "silent"
                                        : ("event " + shown(s, "missing_from") + " is missing").c_str());
    return kDone;
}

template <typename Fn>
void run_as(CLI::App* command, Chosen& chosen, const std::shared_ptr<GovernanceOptions>& options, Fn fn) {
    command->callback([&chosen, options, fn] { chosen = [options, fn] { return fn(*options); }; });
}

void add_propose(CLI::App& parent, Chosen& chosen) {
    auto* command = parent.add_subcommand("propose", "Writes an unsigned event that follows the node's newest");
    auto p = std::make_shared<Proposal>();
    command->add_option("NODE", p->node, "the node's manifest or data folder")->required();
    command->add_option("KIND", p->kind,
                        "add-authority, remove-authority, rotate-key, threshold, parameter, halt or resume")
        ->required();
    command->add_option("--out", p->file, "the event's file")->required();
    command->add_option("--key", p->key, "the authority's public key in hex");
    command->add_option("--replacement", p->replacement, "rotate-key: the new public key");
    command->add_option("--parameter", p->parameter, "slot_ms, max_blocks_without_pow or max_block_bytes");
    command->add_option("--value", p->value, "threshold, parameter: the new value");
    auto* at = command->add_option("--at", p->at, "the first height at which it is in force");
    command->add_option("--in", p->in, "the same, so many blocks above the node's head")
        ->capture_default_str()
        ->excludes(at);
    command->add_option("--reason", p->reason, "for people, at most 256 bytes");
    command->add_option("--evidence", p->evidence, "remove-authority: proof that it signed twice for one slot, an id of `synod evidence list` or a\n"
                        "file of `synod evidence show --json`; --key isn't needed then");
    command->callback([&chosen, p] { chosen = [p] { return propose(*p); }; });
}

}  // namespace

void add_governance(CLI::App& app, Chosen& chosen) {
    auto* governance = app.add_subcommand("governance", "Changes of the federation, signed by its authorities");
    governance->require_subcommand(1);
    add_propose(*governance, chosen);
    const auto options = [] { return std::make_shared<GovernanceOptions>(); };
    const auto with_node = [](CLI::App* command, const std::shared_ptr<GovernanceOptions>& o) {
        command->add_option("NODE", o->node, "the node's manifest or data folder")->required();
        command->add_flag("--json", o->json, "as JSON");
    };
    auto* signs = governance->add_subcommand("sign", "Shows an event and adds an authority's signature to its file");
    auto s = options();
    signs->add_option("FILE", s->file, "the event's file")->required();
    signs->add_option("--key", s->key_file, "the authority's key file")->required();
    signs->add_flag("--json", s->json, "as JSON");
    run_as(signs, chosen, s, sign);
    auto* submits = governance->add_subcommand("submit", "Gives an event to a node, with the signatures of all files");
    auto t = options();
    with_node(submits, t);
    submits->add_option("FILES", t->files, "files of one event")->required();
    run_as(submits, chosen, t, submit);
    auto* logs = governance->add_subcommand("log", "The events that the chain carries");
    auto l = options();
    with_node(logs, l);
    logs->add_option("--from", l->from, "first number")->capture_default_str();
    run_as(logs, chosen, l, log);
    auto* tells = governance->add_subcommand("status", "Authorities, parameters and events on their way");
    auto u = options();
    with_node(tells, u);
    run_as(tells, chosen, u, status);
}

}  // namespace synod::app
