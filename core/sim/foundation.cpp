// SPDX-License-Identifier: Apache-2.0
#include "core/sim/foundation.hpp"

#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>

#include "core/app/forge/chain_writer.hpp"
#include "core/app/forge/forge.hpp"
#include "core/host/loader.hpp"

namespace synod::sim {

namespace forge = app::forge;

namespace {

//! Of the forged keys: they are public in any case.
constexpr std::uint64_t kForgeSeed = 1;
constexpr std::uint64_t kStatesKept = 8;

std::string quoted(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

Result<host::Manifest> manifest_of(const FoundationOptions& options, const std::filesystem::path& folder) {
    const auto text = "node:\n  name: simulated\n  data_dir: data\n  genesis: genesis.yaml\n"
                      "storage:\n  disk_floor: 1MiB\n"
                      "plugins:\n  validation: " + quoted(options.validation) +
                      "\n  scoring: " + quoted(options.scoring) + "\n  optimizer: " + quoted(options.optimizer) + "\n";
    return host::parse_manifest(text, folder / "node.yaml");
}

Result<std::vector<const synod_entry*>> map_plugins(const host::Manifest& manifest) {
    std::vector<std::filesystem::path> files;
    for (const auto& use : manifest.plugins) {
        files.push_back(use.file);
    }
    files.push_back(host::find_library(manifest, "validation", "reference"));
    std::ranges::sort(files);
    files.erase(std::unique(files.begin(), files.end()), files.end());
    std::vector<const synod_entry*> out;
    for (const auto& file : files) {
        if (file.empty()) {
            continue;  // linked in, or missing: the runtime says which
        }
        auto entry = host::load_library(file);
        if (!entry) {
            return std::unexpected(entry.error());
        }
        out.push_back(*entry);
    }
    return out;
}

Result<void> forge_chain(app::Runtime& runtime, std::uint64_t blocks, Foundation& out) {
    auto& consensus = runtime.consensus();
    Result<void> outcome;
    runtime.on_worker([&] {
        forge::ChainWriter writer(consensus);
        auto genesis = consensus.genesis();
        if (!genesis) {
            outcome = std::unexpected(genesis.error());
            return;
        }
        auto first = writer.genesis(genesis->block, genesis->state);
        if (!first) {
            outcome = std::unexpected(first.error());
            return;
        }
        out.chain.push_back(std::move(*first));
        out.blocks.push_back(genesis->block);
        const forge::Load load{kForgeSeed, 0, 0, 0, forge::kSlotMs};
        forge::BlockMaker maker(consensus, runtime.pool(), out.authorities, load, std::move(genesis->state));
        auto begun = maker.begin();
        for (std::uint64_t i = 0; begun && i < blocks; ++i) {
            auto made = maker.next();
            if (!made) {
                begun = std::unexpected(made.error());
                break;
            }
            out.blocks.push_back(made->bytes);
            begun = writer.take(std::move(*made), maker.state(), i + kStatesKept >= blocks);
        }
        if (!begun || blocks == 0) {
            outcome = begun;
            return;
        }
        auto rest = writer.collect(maker.weight(), maker.certificate());
        if (!rest) {
            outcome = std::unexpected(rest.error());
            return;
        }
        out.chain.push_back(std::move(*rest));
    });
    return outcome;
}

}  // namespace

Result<std::unique_ptr<Folder>> Folder::make() {
    std::error_code error;
    // Memory where there is some: nothing here is meant to last.
    const std::filesystem::path memory = "/dev/shm";
    const auto base = std::filesystem::is_directory(memory, error) ? memory
                                                                   : std::filesystem::temp_directory_path(error);
    auto name = (base / "synod-simulate-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        return fail("sim.folder", "no temporary folder can be made", base.string());
    }
    return std::unique_ptr<Folder>(new Folder(name));
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Result<std::shared_ptr<const Foundation>> lay_foundation(const FoundationOptions& options) {
    if (sodium_init() < 0) {
        return fail("crypto.init", "libsodium can't be initialised");
    }
    auto out = std::make_shared<Foundation>();
    auto folder = Folder::make();
    if (!folder) {
        return std::unexpected(folder.error());
    }
    out->folder = std::move(*folder);
    out->authorities = forge::make_authorities(kForgeSeed, options.authorities);
    const auto genesis = forge::genesis_text(
        out->authorities, {forge::kSlotMs, forge::kStartSlot, 0, options.max_blocks_without_pow});
    if (auto written = forge::write_new(out->folder->path() / "genesis.yaml", genesis); !written) {
        return std::unexpected(written.error());
    }
    auto manifest = manifest_of(options, out->folder->path());
    if (!manifest) {
        return std::unexpected(manifest.error());
    }
    out->manifest = std::move(*manifest);
    auto plugins = map_plugins(out->manifest);
    if (!plugins) {
        return std::unexpected(plugins.error());
    }
    out->plugins = std::move(*plugins);
    app::Surroundings around;
    around.entries = out->plugins;
    auto runtime = app::Runtime::start(out->manifest, std::move(around));
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    if (auto forged = forge_chain(**runtime, options.blocks, *out); !forged) {
        return std::unexpected(forged.error());
    }
    out->begins = (forge::kStartSlot + options.blocks + 1) * forge::kSlotMs;
    return out;
}

}  // namespace synod::sim
