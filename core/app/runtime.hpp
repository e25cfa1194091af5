// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Builds what a manifest names: workers, plugins, pipeline, store. Commands that need the chain but
//! no network (`chain forge`, `chain verify`) use it as it is; `run` puts a Node on top. Main thread.

#include <functional>
#include <memory>

#include "core/app/node/control_loop.hpp"
#include "core/host/manifest/manifest.hpp"
#include "core/host/registry.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/store/store.hpp"

namespace synod::app {

class Runtime {
  public:
    //! Loads, creates and activates the manifest's plugins. Errors: plugin.*, config.*, genesis.*.
    static Result<std::unique_ptr<Runtime>> start(const host::Manifest& manifest);
    ~Runtime();

    [[nodiscard]] pipeline::WorkerPool& pool() { return *pool_; }
    [[nodiscard]] pipeline::Pipeline& pipeline() { return *pipeline_; }
    [[nodiscard]] pipeline::Consensus& consensus() { return *consensus_; }
    [[nodiscard]] ControlLoop& loop() { return loop_; }
    [[nodiscard]] host::Registry& registry() { return *registry_; }
    [[nodiscard]] const synod_chain_info& info() const { return info_; }
    //! The instruction set that the validation backend uses; empty when it doesn't say.
    [[nodiscard]] std::string isa() const;
    //! Opens the store of this chain under `dir`.
    Result<std::unique_ptr<store::Store>> open_store(const std::string& dir, bool create,
                                                     bool read_only, bool synchronous_full);
    //! Runs `fn` as [worker] of the consensus plugin and waits: for start-up and offline commands.
    void on_worker(const std::function<void()>& fn);

  private:
    Runtime();
    struct Services;
    Result<void> load_plugins(const host::Manifest& manifest);
    Result<void> connect();

    ControlLoop loop_;
    std::unique_ptr<Services> services_;
    std::unique_ptr<pipeline::WorkerPool> pool_;
    std::unique_ptr<host::Registry> registry_;
    std::shared_ptr<pipeline::Strand> consensus_strand_;
    std::unique_ptr<pipeline::Consensus> consensus_;
    std::unique_ptr<pipeline::Pipeline> pipeline_;
    host::Instance* validation_ = nullptr;
    host::Instance* reference_ = nullptr;  //!< beside the chosen one in `paranoid`
    synod_chain_info info_{};
    bool stopping_ = false;
};

//! The plugin's configuration with the genesis file's content under `genesis`.
//! Errors: genesis.missing, genesis.malformed (file:line:column).
Result<std::string> with_genesis(const std::string& config_json, const std::filesystem::path& genesis);

}  // namespace synod::app
