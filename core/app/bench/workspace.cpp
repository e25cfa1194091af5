// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/workspace.hpp"

#include <sodium.h>
#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "core/app/commands/chain_offline.hpp"
#include "core/app/forge/authorities.hpp"
#include "core/app/forge/forge.hpp"

namespace synod::app::bench {

namespace fs = std::filesystem;

Result<TemporaryFolder> TemporaryFolder::make(const fs::path& parent) {
    std::error_code error;
    const auto under = parent.empty() ? fs::temp_directory_path(error) : fs::absolute(parent, error);
    auto pattern = (under / "synod-bench-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
        return fail("bench.folder", std::string("can't make a folder: ") + std::strerror(errno), pattern,
                    "name a folder that exists with --dir");
    }
    return TemporaryFolder(pattern);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
        fs::remove_all(path_, ignored);
    }
}

Workspace::Workspace(Options options, TemporaryFolder folder)
    : options_(std::move(options)), folder_(std::move(folder)) {}

fs::path Workspace::fresh(const std::string& name) {
    return folder_.path() / (name + "-" + std::to_string(++made_));
}

Result<BenchChain> Workspace::chain(std::uint64_t blocks) {
    if (chain_ && chain_->height >= blocks) {
        return *chain_;
    }
    if (chain_) {
        std::error_code ignored;
        fs::remove_all(chain_->dir, ignored);
        chain_.reset();
    }
    auto forged = forge(blocks);
    if (forged) {
        chain_ = *forged;
    }
    return forged;
}

Result<BenchChain> Workspace::forge(std::uint64_t blocks) {
    say("forging " + std::to_string(blocks) + " blocks");
    forge::Options options;
    options.blocks = blocks;
    options.authorities = kAuthorities;
    options.transactions = kTransactions;
    options.tx_bytes = kTransactionBytes;
    options.seed = kSeed;
    options.dir = fresh("chain").string();
    auto forged = forge::forge_chain(options, [](std::uint64_t) {});
    if (!forged) {
        return std::unexpected(forged.error());
    }
    return BenchChain{options.dir, forged->height};
}

Result<fs::path> Workspace::genesis() {
    if (genesis_.empty()) {
        if (sodium_init() < 0) {
            return fail("crypto.init", "libsodium can't be initialised");
        }
        const auto file = fresh("genesis");
        const forge::GenesisFacts facts{forge::kSlotMs, forge::kStartSlot, forge::Options{}.record_every};
        const auto authorities = forge::make_authorities(kSeed, kAuthorities);
        if (auto written = forge::write_new(file, forge::genesis_text(authorities, facts)); !written) {
            return std::unexpected(written.error());
        }
        genesis_ = file;
    }
    return genesis_;
}

Result<std::unique_ptr<Runtime>> Workspace::runtime(const std::string& validation,
                                                    const std::string& isa, unsigned workers) {
    auto file = genesis();
    return file ? offline_runtime(*file, validation, isa, workers) : std::unexpected(file.error());
}

void Workspace::say(const std::string& line) { std::fprintf(stderr, "bench: %s\n", line.c_str()); }

}  // namespace synod::app::bench
