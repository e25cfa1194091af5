// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Builds what a manifest names: workers, bus, plugins, pipeline, store. Commands that need the chain
//! but no network (`chain forge`, `chain verify`) use it as it is; `run` puts a Node on top. Main
//! thread, which it marks as such. Whatever uses it (a Node, a State) goes before it does.

#include <atomic>
#include <functional>
#include <memory>

#include "core/app/bus_port.hpp"
#include "core/app/node/control_loop.hpp"
#include "core/app/plugin_faults.hpp"
#include "core/app/plugin_tasks.hpp"
#include "core/bus/bus.hpp"
#include "core/bus/journal.hpp"
#include "core/host/manifest/manifest.hpp"
#include "core/host/metrics.hpp"
#include "core/host/registry.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/pipeline/validation.hpp"
#include "core/store/store.hpp"

namespace synod::app {

//! What a runtime stands on. As it is made: threads, the system's clock, drawn seeds, libraries from
//! files. The simulator gives its own.
struct Surroundings {
    host::Clock& clock = host::system_clock();  //!< outlives the runtime
    std::unique_ptr<ControlLoop> loop;          //!< goes by the same clock; null: the thread's
    std::unique_ptr<pipeline::Workers> workers;  //!< null: the manifest's number of threads
    //! Of the plugins' random streams; nothing: drawn.
    std::optional<std::array<std::uint8_t, 32>> seed = {};
    std::vector<const synod_entry*> entries = {};  //!< libraries that are mapped already
};

class Runtime {
  public:
    //! Loads, creates and activates the manifest's plugins. Errors: plugin.*, config.*, genesis.*.
    static Result<std::unique_ptr<Runtime>> start(const host::Manifest& manifest,
                                                  Surroundings around = {});
    ~Runtime();

    [[nodiscard]] pipeline::Workers& pool() { return *pool_; }
    [[nodiscard]] pipeline::Pipeline& pipeline() { return *pipeline_; }
    [[nodiscard]] pipeline::Consensus& consensus() { return *consensus_; }
    [[nodiscard]] ControlLoop& loop() { return *loop_; }
    //! What plugins subscribe to and publish on. Any thread publishes.
    [[nodiscard]] bus::Bus& bus() { return bus_; }
    [[nodiscard]] bus::Journal& journal() { return journal_; }
    //! The plugins that were left out or are used no more.
    [[nodiscard]] PluginFaults& faults() { return faults_; }
    [[nodiscard]] host::Registry& registry() { return *registry_; }
    [[nodiscard]] host::Metrics& metrics() { return metrics_; }
    //! Every metric that was defined, and what the fence counted of each plugin. Any thread.
    [[nodiscard]] host::MetricPage metric_page() const;
    //! Runs a task as [worker] of an instance, never two at once. Any thread.
    void post(host::Instance& who, std::function<void()> task);
    [[nodiscard]] const synod_chain_info& info() const { return info_; }
    //! Called once, on the control thread, when nothing can be proven any more: the last backend was
    //! isolated. Before anything is proven.
    void on_halt(std::function<void(const Error&)> fn) { halt_ = std::move(fn); }
    //! Called on the control thread when two backends contradict each other. From then on every proof fails, and
    //! nothing is told again, until ask_backends_again(). Before anything is proven.
    void on_disagreement(std::function<void(const Error&)> fn) { disagree_ = std::move(fn); }
    //! Control thread.
    void ask_backends_again();
    //! The instruction set that the validation backend uses; empty when it doesn't say.
    [[nodiscard]] std::string isa() const;
    //! Opens the store of this chain under `dir`; `vfs` as StoreOptions::vfs.
    Result<std::unique_ptr<store::Store>> open_store(const std::string& dir, bool create,
                                                     bool read_only, bool synchronous_full,
                                                     const std::string& vfs = {});
    //! Runs `fn` as [worker] of the consensus plugin and waits: for start-up and offline commands.
    void on_worker(const std::function<void()>& fn);
    //! [worker] What Validation::prove does; what it can't get over halts the node.
    Result<void> prove(pipeline::CheckSet& checks);

  private:
    explicit Runtime(Surroundings around);
    Result<void> load_plugins(const host::Manifest& manifest,
                              const std::vector<const synod_entry*>& mapped);
    Result<void> add_reference(const host::PluginUse& chosen, const host::Manifest& manifest);
    Result<void> add_plugin(const host::PluginUse& use, const host::Manifest& manifest, bool required);
    void backend_isolated(const pipeline::Isolated& who);
    Result<void> connect();
    void settle();  //!< returns when nothing is read, planned or proven

    bus::Journal journal_;
    bus::Bus bus_{&journal_};
    PluginFaults faults_;
    host::Metrics metrics_;
    pipeline::Validation validation_;
    bool paranoid_ = false;  //!< every proof is compared with the reference's
    std::unique_ptr<ControlLoop> loop_;
    std::unique_ptr<pipeline::Workers> pool_;
    std::unique_ptr<PluginTasks> tasks_;
    std::unique_ptr<BusPort> port_;
    std::unique_ptr<host::Registry> registry_;
    std::shared_ptr<pipeline::Strand> consensus_strand_, validation_strand_;
    std::unique_ptr<pipeline::Consensus> consensus_;
    std::unique_ptr<pipeline::Pipeline> pipeline_;
    synod_chain_info info_{};
    std::function<void(const Error&)> halt_, disagree_;
    std::atomic<bool> told_{false};  // of the disagreement
};

//! The plugin's configuration with the genesis file's content under `genesis`.
//! Errors: genesis.missing, genesis.malformed (file:line:column).
Result<std::string> with_genesis(const std::string& config_json, const std::filesystem::path& genesis);

}  // namespace synod::app
