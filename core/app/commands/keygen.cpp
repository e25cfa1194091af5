// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/app/commands/commands.hpp"
#include "core/app/node/signer.hpp"

namespace synod::app {

void add_keygen(CLI::App& app, Chosen& chosen) {
    auto* command = app.add_subcommand("keygen", "Makes a new key in FILE (mode 0600) and prints its public half");
    auto file = std::make_shared<std::string>();
    command->add_option("FILE", *file, "where the secret goes; an existing file is never overwritten")
        ->required();
    command->callback([&chosen, file] {
        chosen = [file] {
            if (sodium_init() < 0) {
                std::fputs("synod: libsodium can't be initialised\n", stderr);
                return kFailed;
            }
            auto seed = random_seed();
            const auto key = SecretKey::from_seed(seed);
            auto written = write_seed(*file, seed);
            sodium_memzero(seed.data(), seed.size());
            if (!written) {
                std::fprintf(stderr, "synod: %s\n", written.error().text().c_str());
                return kFailed;
            }
            std::puts(to_hex(key->public_key().view()).c_str());
            return kDone;
        };
    });
}

}  // namespace synod::app
