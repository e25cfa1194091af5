// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the simulations of one process share: the plugins, mapped once, and a chain that is forged once
//! for each size of a federation. Made on the main thread, then only read.

#include <filesystem>
#include <memory>
#include <vector>

#include "core/app/forge/authorities.hpp"
#include "core/app/runtime.hpp"
#include "core/host/manifest/manifest.hpp"
#include "core/store/store.hpp"

namespace synod::sim {

//! A folder of its own under the system's temporary one, removed with everything in it at the end.
class Folder {
  public:
    //! Errors: sim.folder.
    static Result<std::unique_ptr<Folder>> make();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

struct FoundationOptions {
    std::uint32_t authorities = 4;
    std::uint64_t blocks = 100;  //!< that are forged; their slots end when a simulation begins
    std::uint32_t max_blocks_without_pow = 0;  //!< 0: the chain needs no work
    std::string validation = host::kDefaultBackend;
    std::string scoring = "weighted";
    std::string optimizer = "aimd";
};

struct Foundation {
    host::Manifest manifest;                  //!< of every node; data_dir and the like are the host's
    std::vector<const synod_entry*> plugins;  //!< mapped
    app::forge::Authorities authorities;
    std::vector<store::Commit> chain;  //!< the transactions that make a store of the forged chain
    std::vector<Bytes> blocks;         //!< of the forged chain, by height
    UnixMs begins = 0;                 //!< of a simulation
    std::unique_ptr<Folder> folder;    //!< holds the genesis file
};

//! Errors: sim.folder, plugin.*, config.*, genesis.*.
Result<std::shared_ptr<const Foundation>> lay_foundation(const FoundationOptions& options);

}  // namespace synod::sim
