// SPDX-License-Identifier: Apache-2.0
#include "core/app/forge/forge.hpp"

#include <sodium.h>

#include <algorithm>
#include <future>
#include <system_error>

#include "core/app/commands/chain_offline.hpp"
#include "core/app/forge/chain_writer.hpp"

namespace synod::app::forge {

namespace {

//! Blocks that one transaction of the store takes.
constexpr std::uint64_t kBatchBlocks = 1'024;
//! States that are kept at a batch's end: more than a head is ever above its committed block here,
//! since every slot has a block and every block a certificate.
constexpr std::uint64_t kKeptStates = 8;

Result<void> check(const Options& o) {
    const auto bad = [](const std::string& what) { return fail("forge.options", what); };
    if (o.blocks == 0 || o.blocks > kMaxBlocks) {
        return bad("--blocks must be from 1 to " + std::to_string(kMaxBlocks));
    }
    if (o.authorities == 0 || o.authorities > kMaxAuthorities) {
        return bad("--authorities must be from 1 to " + std::to_string(kMaxAuthorities));
    }
    if (std::uint64_t{o.transactions} * (std::uint64_t{o.tx_bytes} + 4) > kMaxPayloadBytes) {
        return bad("--txs times --tx-bytes is more than a block takes (7 MiB)");
    }
    if (o.transactions > 0 && o.tx_bytes == 0) {
        return bad("--tx-bytes must be at least 1");
    }
    if (o.record_every > kMaxRecordEvery) {
        return bad("--record-every must be at most " + std::to_string(kMaxRecordEvery));
    }
    if (o.start_slot > (std::uint64_t{1} << 40)) {
        return bad("--start-slot is more than 2^40");
    }
    return {};
}

//! Nothing of an earlier forge may be there: neither overwritten nor mixed.
Result<void> check_folder(const std::filesystem::path& dir, std::uint32_t authorities) {
    std::vector<std::filesystem::path> files{dir / "genesis.yaml", dir / "chain"};
    for (std::uint32_t i = 0; i < authorities; ++i) {
        files.push_back(key_file(dir, i));
    }
    std::error_code error;
    for (const auto& file : files) {
        if (std::filesystem::exists(file, error)) {
            return fail("forge.exists", "it exists already", file.string(),
                        "choose another folder; nothing is overwritten");
        }
    }
    std::filesystem::create_directories(dir, error);
    if (error) {
        return fail("forge.io", error.message(), dir.string());
    }
    return {};
}

//! [worker] Up to kBatchBlocks blocks, and the transaction that stores them.
Result<store::Commit> make_batch(BlockMaker& maker, ChainWriter& writer, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        auto made = maker.next();
        if (!made) {
            return std::unexpected(made.error());
        }
        const bool keep = i + kKeptStates >= count;
        if (auto taken = writer.take(std::move(*made), maker.state(), keep); !taken) {
            return std::unexpected(taken.error());
        }
    }
    return writer.collect(maker.weight(), maker.certificate());
}

Result<Forged> forge_into(Runtime& runtime, store::Store& store, const Authorities& authorities,
                          const Options& options, const std::function<void(std::uint64_t)>& progress) {
    auto& consensus = runtime.consensus();
    ChainWriter writer(consensus);
    std::unique_ptr<BlockMaker> maker;
    Result<store::Commit> change;
    runtime.on_worker([&] {
        auto genesis = consensus.genesis();
        if (!genesis) {
            change = std::unexpected(genesis.error());
            return;
        }
        change = writer.genesis(genesis->block, genesis->state);
        const Load load{options.seed, options.transactions, options.tx_bytes, options.record_every,
                        kSlotMs};
        maker = std::make_unique<BlockMaker>(consensus, runtime.pool(), authorities, load,
                                             std::move(genesis->state));
        if (auto begun = maker->begin(); !begun) {
            change = std::unexpected(begun.error());
        }
    });
    std::future<Result<void>> writing;
    std::uint64_t height = 0;
    for (;;) {
        // The store writes one batch while the next is made.
        auto written = writing.valid() ? writing.get() : Result<void>{};
        if (!written || !change) {
            return std::unexpected(written ? change.error() : written.error());
        }
        progress(height);
        writing = std::async(std::launch::async,
                             [&store, stored = std::move(*change)] { return store.commit(stored); });
        if (height == options.blocks) {
            break;
        }
        const auto count = std::min(kBatchBlocks, options.blocks - height);
        runtime.on_worker([&] { change = make_batch(*maker, writer, count); });
        height += count;
    }
    if (auto written = writing.get(); !written) {
        return std::unexpected(written.error());
    }
    return Forged{maker->weight().height, Hash::copy(maker->weight().hash)};
}

}  // namespace

Result<Forged> forge_chain(const Options& options, const std::function<void(std::uint64_t)>& progress) {
    if (auto fine = check(options); !fine) {
        return std::unexpected(fine.error());
    }
    if (sodium_init() < 0) {
        return fail("crypto.init", "libsodium can't be initialised");
    }
    const std::filesystem::path dir = options.dir;
    if (auto fine = check_folder(dir, options.authorities); !fine) {
        return std::unexpected(fine.error());
    }
    const auto authorities = make_authorities(options.seed, options.authorities);
    const GenesisFacts facts{kSlotMs, options.start_slot, options.record_every};
    if (auto written = write_new(dir / "genesis.yaml", genesis_text(authorities, facts)); !written) {
        return std::unexpected(written.error());
    }
    auto runtime = offline_runtime(dir / "genesis.yaml", options.validation, options.isa);
    if (!runtime) {
        std::error_code ignored;  // nothing was forged: the folder is as it was
        std::filesystem::remove(dir / "genesis.yaml", ignored);
        return std::unexpected(runtime.error());
    }
    if (auto written = write_keys(dir, authorities); !written) {
        return std::unexpected(written.error());
    }
    auto store = (*runtime)->open_store((dir / "chain").string(), true, false, false);
    if (!store) {
        return std::unexpected(store.error());
    }
    return forge_into(**runtime, **store, authorities, options, progress);
}

}  // namespace synod::app::forge
