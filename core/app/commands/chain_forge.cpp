// SPDX-License-Identifier: Apache-2.0
#include "core/app/commands/chain_forge.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/app/commands/chain_offline.hpp"
#include "core/app/forge/forge.hpp"
#include "core/app/node/control_loop.hpp"

namespace synod::app {

namespace {

struct ForgeArguments {
    forge::Options options;
    bool end_now = false;
    bool json = false;
};

int run_forge(ForgeArguments arguments) {
    auto& options = arguments.options;
    if (arguments.end_now) {
        const auto now = static_cast<std::uint64_t>(unix_now()) / forge::kSlotMs;
        if (now <= options.blocks + 1) {
            complain({"forge.options", "so many blocks don't fit between 1970 and now", "--blocks", {}});
            return kUsage;
        }
        options.start_slot = now - 1 - options.blocks;
    }
    Progress progress("forged", options.blocks);
    auto forged = forge::forge_chain(options, [&](std::uint64_t height) { progress.at(height); });
    const auto seconds = progress.finish();
    if (!forged) {
        complain(forged.error());
        return forged.error().code == "forge.options" ? kUsage : kFailed;
    }
    const auto head = to_hex(forged->head.view());
    if (arguments.json) {
        std::printf("{\"blocks\":%llu,\"head_hash\":\"%s\",\"seconds\":%.3f,\"genesis\":%s}\n",
                    static_cast<unsigned long long>(forged->height), head.c_str(), seconds,
                    json_string((std::filesystem::path(options.dir) / "genesis.yaml").string()).c_str());
    } else {
        std::fprintf(stderr, "forged %llu blocks in %.2f s\n",
                     static_cast<unsigned long long>(forged->height), seconds);
        std::printf("head %s height %llu\n", head.c_str(),
                    static_cast<unsigned long long>(forged->height));
    }
    return kDone;
}

}  // namespace

void add_chain_forge(CLI::App& chain, Chosen& chosen) {
    auto* command = chain.add_subcommand(
        "forge",
        "Makes a signed, merge-mined test chain: the same arguments give the same chain everywhere.\n"
        "Its keys follow from the seed, so anybody has them: for tests and devnets only. A node\n"
        "starts from a copy of OUT/chain with OUT/genesis.yaml");
    auto arguments = std::make_shared<ForgeArguments>();
    auto& o = arguments->options;
    command->add_option("--blocks", o.blocks, "blocks above genesis")->required();
    command->add_option("--authorities", o.authorities, "authorities, 1 to 64")->capture_default_str();
    command->add_option("--txs", o.transactions, "transactions in every block")->capture_default_str();
    command->add_option("--tx-bytes", o.tx_bytes, "bytes of one transaction")->capture_default_str();
    command->add_option("--seed", o.seed, "number that keys and transactions follow from")
        ->capture_default_str();
    command->add_option("--out", o.dir, "folder for genesis.yaml, authority-<i>.key and chain/")
        ->required();
    command
        ->add_option("--record-every", o.record_every,
                     "blocks between finality records; 0: no merged mining. 30 is one a minute, what\n"
                     "the difficulty aims at; far fewer make it grow until mining takes too long")
        ->capture_default_str();
    auto* start = command
                      ->add_option("--start-slot", o.start_slot,
                                   "slot of genesis, 2 s each since 1970; block i is in slot start + i")
                      ->capture_default_str();
    command
        ->add_flag("--end-now", arguments->end_now,
                   "let the last block's slot be just before now; not the same chain every time")
        ->excludes(start);
    command->add_option("--validation", o.validation, "validation plugin that hashes")
        ->capture_default_str();
    command->add_option("--isa", o.isa,
                        "instruction set of the simd backend: auto, portable, sse2, avx2, avx512, sha-ni");
    command->add_flag("--json", arguments->json,
                      "print {\"blocks\",\"head_hash\",\"seconds\",\"genesis\"}");
    command->callback([&chosen, arguments] { chosen = [arguments] { return run_forge(*arguments); }; });
}

}  // namespace synod::app
