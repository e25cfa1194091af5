// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/app/commands/commands.hpp"
#include "core/app/node/signer.hpp"

namespace synod::app {

void add_keygen(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand("keygen", "Makes a new key in FILE (mode 0600) and prints its public half");
    auto file = std::make_shared<std::string>();
    auto given = std::make_shared<std::string>();
    command->add_option("FILE", *file, "where the secret goes; an existing file is never overwritten")
        ->required();
    command->add_option("--seed", *given,
                        "64 hex digits: the key of a known seed, for test networks. Never one of value: "
                        "the command line is no secret");
    command->callback([&chosen, file, given] {
        chosen = [file, given] {
            if (sodium_init() < 0) {
                std::fputs("synod: libsodium can't be initialised\n", stderr);
                return kFailed;
            }
            auto seed = random_seed();
            if (!given->empty()) {
                const auto bytes = from_hex(*given);
                if (!bytes || bytes->size() != seed.size()) {
                    std::fputs("synod: --seed takes 64 hex digits [key.bad_seed]\n", stderr);
                    return kUsage;
                }
                std::ranges::copy(*bytes, seed.begin());
            }
            const auto key = SecretKey::from_seed(seed);
            auto written = write_seed(*file, seed);
            sodium_memzero(seed.data(), seed.size());
            if (!written) {
                complain(written.error());
                return kFailed;
            }
            std::puts(to_hex(key->public_key().view()).c_str());
            return kDone;
        };
    });
}

}  // namespace synod::app
