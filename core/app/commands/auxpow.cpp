// SPDX-License-Identifier: Apache-2.0
//! `synod auxpow check`: one merged-mining proof, rule by rule, as the consensus plugin sees it.
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "core/app/commands/chain_offline.hpp"
#include "core/app/commands/commands.hpp"
#include "core/app/commands/shown.hpp"
#include "core/app/commands/throwaway_genesis.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app {

namespace {

//! A proof is a few kilobytes; a text file of more than this is something else.
constexpr std::size_t kMaxProofText = 1u << 20;

struct AuxpowArguments {
    std::uint32_t chain_id = 0;
    std::string hash, proof, bits;
    std::string validation{host::kDefaultBackend};
    bool json = false;
};

//! The hex of HEX or @FILE, without white space.
Result<std::string> read_proof(const std::string& argument) {
    std::string text = argument;
    if (argument.starts_with('@')) {
        std::ifstream in(argument.substr(1), std::ios::binary);
        if (!in) {
            return fail("auxpow.input", "can't read the file", argument.substr(1));
        }
        text.assign(kMaxProofText + 1, '\0');
        in.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(in.gcount()));
        if (text.size() > kMaxProofText) {
            return fail("auxpow.input", "larger than a proof can be (1 MiB of text)", argument.substr(1));
        }
    }
    std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
    if (text.empty() || !from_hex(text)) {
        return fail("auxpow.input", "not hexadecimal", "HEX", "give the proof in hex, or @FILE with it");
    }
    return text;
}

Result<std::string> parameters(const AuxpowArguments& a) {
    auto proof = read_proof(a.proof);
    if (!proof) {
        return proof;
    }
    boost::json::object out{{"chain_id", a.chain_id}, {"hash", a.hash}, {"auxpow", *proof}};
    if (!a.bits.empty()) {
        const std::string_view digits = std::string_view(a.bits).substr(a.bits.starts_with("0x") ? 2 : 0);
        std::uint32_t bits = 0;
        const auto end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, bits, 16);
        if (digits.empty() || read.ec != std::errc{} || read.ptr != end) {
            return fail("auxpow.input", "not a compact target in hex", "--bits", "for example 1d00ffff");
        }
        out["bits"] = bits;
    }
    return boost::json::serialize(out);
}

bool flag_of(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    const auto* flag = value == nullptr ? nullptr : value->if_bool();
    return flag != nullptr && *flag;
}

void print_rules(const boost::json::object& report) {
    const auto* member = report.if_contains("rules");
    const auto* rules = member == nullptr ? nullptr : member->if_array();
    std::size_t codes = 0, names = 0;
    for (int pass = 0; rules != nullptr && pass < 2; ++pass) {
        for (const auto& item : *rules) {
            const auto* rule = item.if_object();
            if (rule == nullptr) {
                continue;
            }
            const auto code = text_member(*rule, "code"), name = text_member(*rule, "name");
            if (pass == 0) {
                codes = std::max(codes, code.size());
                names = std::max(names, name.size());
                continue;
            }
            const char* verdict = flag_of(*rule, "holds")     ? "holds"
                                  : flag_of(*rule, "checked") ? "FAILS"
                                                              : "not checked";
            const auto detail = text_member(*rule, "detail");
            std::printf("%-11s  %-*s  %-*s%s%s\n", verdict, static_cast<int>(codes), code.c_str(),
                        detail.empty() ? 0 : static_cast<int>(names), name.c_str(),
                        detail.empty() ? "" : "  ", detail.c_str());
        }
    }
}

int report(const std::string& json, bool as_json) {
    boost::system::error_code error;
    const auto value = boost::json::parse(json, error);
    const auto* object = error ? nullptr : value.if_object();
    if (object == nullptr) {
        complain({"plugin.misbehaving", "its report is not a JSON object", "auxpow.check", {}});
        return kFailed;
    }
    const bool parsed = flag_of(*object, "parsed"), ok = flag_of(*object, "ok");
    if (as_json) {
        std::puts(json.c_str());
    } else if (!parsed) {
        complain({text_member(*object, "reason"), text_member(*object, "message"), text_member(*object, "where"), {}});
    } else {
        print_rules(*object);
        std::printf("%s\n", ok ? "every rule that was checked holds"
                               : ("refused: " + text_member(*object, "reason")).c_str());
    }
    return !parsed ? kUsage : ok ? kDone : kFailed;
}

int run_check(const AuxpowArguments& a) {
    const auto params = parameters(a);
    if (!params) {
        complain(params.error());
        return kUsage;
    }
    if (sodium_init() < 0) {
        complain({"crypto.init", "libsodium can't be initialised", {}, {}});
        return kFailed;
    }
    const ThrowawayGenesis genesis;
    auto runtime = offline_runtime(genesis.file(), a.validation);
    if (!runtime) {
        complain(runtime.error());
        return kFailed;
    }
    Result<std::string> answer;
    (*runtime)->on_worker(
        [&] { answer = (*runtime)->consensus().call(pipeline::State{}, "auxpow.check", *params); });
    if (!answer) {
        complain(answer.error());
        return kUsage;  // the parameters are the plugin's to judge
    }
    return report(*answer, a.json);
}

}  // namespace

void add_auxpow(CLI::App& app, Chosen& chosen) {
    auto* auxpow = app.add_subcommand("auxpow", "Looks at merged-mining proofs");
    auxpow->require_subcommand(1);
    auto* command = auxpow->add_subcommand(
        "check",
        "Checks a merged-mining proof rule by rule. Exit code 0: all hold; 1: one doesn't; 2: it can't\n"
        "be read");
    auto arguments = std::make_shared<AuxpowArguments>();
    command->add_option("--chain-id", arguments->chain_id, "number of the merge-mined chain")->required();
    command->add_option("--hash", arguments->hash, "hash that is proven, as block explorers show it")
        ->required();
    command
        ->add_option("HEX", arguments->proof,
                     "the proof in hex, from the parent's coinbase on, or @FILE with that hex")
        ->required();
    command->add_option("--bits", arguments->bits,
                        "compact target in hex; without it the target is not checked");
    command->add_option("--validation", arguments->validation, "validation plugin that hashes")
        ->capture_default_str();
    command->add_flag("--json", arguments->json, "print the plugin's report as JSON");
    command->callback([&chosen, arguments] { chosen = [arguments] { return run_check(*arguments); }; });
}

}  // namespace synod::app
