// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/app/commands/chain_forge.hpp"
#include "core/app/commands/chain_offline.hpp"
#include "core/app/forge/verifier.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app {

namespace {

struct VerifyArguments {
    std::string dir, genesis;
    std::string level = "full";
    std::string validation{host::kDefaultBackend};
    bool json = false;
};

std::filesystem::path genesis_of(const VerifyArguments& a) {
    if (!a.genesis.empty()) {
        return a.genesis;
    }
    const auto dir = std::filesystem::absolute(a.dir).lexically_normal();
    std::error_code ignored;
    const auto inside = dir / "genesis.yaml";
    return std::filesystem::exists(inside, ignored) ? inside : dir / ".." / "genesis.yaml";
}

constexpr const char* kWhatToDo =
    "run `synod checkpoint recover` with the node's manifest: it keeps every block that can be read";

int failed(const forge::Finding& finding, bool json) {
    if (json) {
        std::printf("{\"ok\":false,\"check\":%s,\"height\":%llu,\"hash\":%s,\"detail\":%s,\"hint\":%s}\n",
                    json_string(finding.check).c_str(), static_cast<unsigned long long>(finding.height),
                    json_string(finding.hash).c_str(), json_string(finding.detail).c_str(),
                    json_string(kWhatToDo).c_str());
    } else {
        std::printf("FAILED %s height %llu%s%s: %s\n", finding.check.c_str(),
                    static_cast<unsigned long long>(finding.height),
                    finding.hash.empty() ? "" : " block ", finding.hash.c_str(),
                    finding.detail.c_str());
        std::fprintf(stderr, "%s\n", kWhatToDo);
    }
    return kFailed;
}

int passed(const forge::Verified& v, double seconds, bool json) {
    const auto head = to_hex(v.head.hash.view());
    if (json) {
        std::printf("{\"ok\":true,\"blocks\":%llu,\"fork_blocks\":%llu,\"orphans\":%llu,"
                    "\"head_hash\":\"%s\",\"height\":%llu,\"head_certified\":%s,\"seconds\":%.3f}\n",
                    static_cast<unsigned long long>(v.blocks),
                    static_cast<unsigned long long>(v.fork_blocks),
                    static_cast<unsigned long long>(v.orphans), head.c_str(),
                    static_cast<unsigned long long>(v.head.height), v.head_certified ? "true" : "false",
                    seconds);
        return kDone;
    }
    std::fprintf(stderr, "checked %llu committed and %llu uncommitted blocks in %.2f s\n",
                 static_cast<unsigned long long>(v.blocks),
                 static_cast<unsigned long long>(v.fork_blocks), seconds);
    std::printf("sound: head %s height %llu%s\n", head.c_str(),
                static_cast<unsigned long long>(v.head.height), v.head_certified ? " certified" : "");
    return kDone;
}

int run_verify(const VerifyArguments& a) {
    auto runtime = offline_runtime(genesis_of(a), a.validation);
    if (!runtime) {
        complain(runtime.error());
        return kFailed;
    }
    auto store = (*runtime)->open_store(a.dir, false, true, false);
    if (!store) {
        return failed({store.error().code, 0, {}, store.error().text()}, a.json);
    }
    auto stored = (*store)->load();
    Progress progress("checked", stored ? stored->packed_count : 0);
    forge::Verifier verifier(**runtime, **store, a.level == "full");
    const auto result = verifier.run([&](std::uint64_t height) { progress.at(height); });
    const auto seconds = progress.finish();
    return result ? passed(*result, seconds, a.json) : failed(result.error(), a.json);
}

}  // namespace

void add_chain_verify(CLI::App& chain, Chosen& chosen) {
    auto* command = chain.add_subcommand(
        "verify",
        "Re-checks a stored chain: the file, then every block from genesis, the pointers, the fork\n"
        "blocks and the head's certificate. Changes nothing. Exit code 0: sound; 1: the first failure\n"
        "is printed with its check, height and hash");
    auto arguments = std::make_shared<VerifyArguments>();
    command->add_option("DIR", arguments->dir, "folder of synod.db: a node's data folder, stopped")
        ->required();
    command->add_option("--genesis", arguments->genesis,
                        "genesis file; DIR/genesis.yaml or DIR/../genesis.yaml when absent");
    command
        ->add_option("--level", arguments->level,
                     "full: every signature; fast: the newest certificate of a batch vouches for it")
        ->check(CLI::IsMember({"full", "fast"}))
        ->capture_default_str();
    command->add_option("--validation", arguments->validation, "validation plugin that proves")
        ->capture_default_str();
    command->add_flag("--json", arguments->json, "print the result as JSON");
    command->callback([&chosen, arguments] { chosen = [arguments] { return run_verify(*arguments); }; });
}

}  // namespace synod::app
