// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Plugins that are loaded and instances that were made of them. Owned by the app, used on the main
//! thread only; tables and handles it hands out are used by the workers. Code is never unmapped.

#include <synod/abi.h>
#include <synod/checkpoint.h>
#include <synod/consensus.h>
#include <synod/optimizer.h>
#include <synod/scoring.h>
#include <synod/validation.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.hpp"
#include "core/host/services.hpp"

namespace synod::host {

inline constexpr std::size_t kMaxPlugins = 64;      // a process
inline constexpr std::size_t kMaxAliasBytes = 64;
inline constexpr std::size_t kMaxConfigBytes = 1 << 20;

enum class State : std::uint8_t { kNone, kCreated, kActive, kDraining, kDestroyed, kFailed };
std::string_view to_string(State state);

//! All that one descriptor of a loaded library or of a static plugin says, copied: nobody reads the
//! library's data again. Lives as long as the process.
struct Plugin {
    std::string id, name, version, kind, schema, file;  //!< file is empty for a static one
    std::string vendor, license, url;                   //!< empty when it doesn't say
    std::vector<std::string> needs, uses, provides;     //!< ids: the descriptor's requires_, optional, provides
    std::uint32_t flags = 0, state_rev = 0;
    std::uint32_t abi_minor_needed = 0, abi_minor_built = 0;
    std::string built_with;  //!< compiler and flags, for people
    synod_plugin_api api{};  //!< full size: absent functions answer SYNOD_E_UNSUPPORTED
};

//! How an instance is treated, beside its own configuration.
struct InstanceOptions {
    bool required = true;  //!< false: a failure to create or activate it is logged, and it is left out
    Duration budget{};     //!< calls that took longer are counted; 0: none
};

class Instance {
  public:
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    [[nodiscard]] const std::string& alias() const { return alias_; }
    [[nodiscard]] const Plugin& plugin() const { return plugin_; }
    [[nodiscard]] State state() const { return state_.load(std::memory_order_acquire); }
    //! The plugin's own handle; null unless created.
    [[nodiscard]] synod_instance* handle() const { return handle_; }
    //! The kind's table, full size, no null function; null when the instance is of another kind.
    //! `Api` is synod_validation_api and so on. Valid from create to destroy.
    template <typename Api>
    [[nodiscard]] const Api* table() const {
        return std::get_if<Api>(&table_);
    }
    //! Functions that the plugin has itself, not the host's answer in their place.
    [[nodiscard]] bool has(std::size_t offset) const;
    //! Any time; 0 is no budget. Calls that took longer are counted in over_budget.
    void set_budget(Duration budget) { budget_ns_.store(budget.count(), std::memory_order_relaxed); }
    [[nodiscard]] Duration budget() const { return Duration(budget_ns_.load(std::memory_order_relaxed)); }
    [[nodiscard]] bool required() const { return options_.required; }
    //! Why it is in the state failed. Main thread.
    [[nodiscard]] const std::optional<Error>& why_failed() const { return why_failed_; }
    //! Any thread. Whether tasks that it posted may still be queued and run.
    [[nodiscard]] bool takes_tasks() const { return takes_tasks_.load(std::memory_order_acquire); }

    //! What the fence counted since the instance was made. busy_ns holds the calls that were timed
    //! (core/host/guard.hpp says which); a call that a plugin's call makes counts in both.
    std::atomic<std::uint64_t> busy_ns{0}, over_budget{0}, failures{0};
    [[nodiscard]] std::uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }
    void count_call() { calls_.fetch_add(1, std::memory_order_relaxed); }

  private:
    friend class Registry;
    struct Services;
    Instance(const Plugin& plugin, std::string alias, std::string config, InstanceOptions options,
             HostServices& services);
    Result<void> create();
    Result<void> activate();
    void close_tasks();  //!< no task of it runs or will run afterwards
    void destroy();      //!< from created; the failure of a plugin's destroy is logged
    Result<void> take_table();
    void discard();  //!< destroys a handle that never became an instance

    std::atomic<std::uint64_t> calls_{0};
    const Plugin& plugin_;
    std::string alias_, config_;
    std::atomic<State> state_{State::kNone};
    synod_instance* handle_ = nullptr;
    std::variant<std::monostate, synod_consensus_api, synod_validation_api, synod_scoring_api,
                 synod_checkpoint_api, synod_optimizer_api>
        table_;
    const void* raw_table_ = nullptr;
    std::uint32_t raw_size_ = 0;
    InstanceOptions options_;
    std::atomic<std::int64_t> budget_ns_{0};
    std::atomic<bool> takes_tasks_{false};
    std::optional<Error> why_failed_;
    std::unique_ptr<Services> services_;
};

class Registry {
  public:
    explicit Registry(HostServices services);
    ~Registry();  //!< drains and destroys what still lives

    //! Loads the library (checked before any of its code runs) and adds its plugins.
    //! Errors: plugin.missing, plugin.not_a_library, plugin.truncated, plugin.damaged, plugin.no_entry,
    //! plugin.load, plugin.abi, plugin.bad_descriptor, plugin.duplicate_id.
    Result<std::vector<const Plugin*>> load(const std::filesystem::path& file);
    //! The same checks for an entry that was linked in.
    Result<std::vector<const Plugin*>> register_static(const synod_entry* entry);
    [[nodiscard]] const Plugin* find_plugin(std::string_view id) const;
    [[nodiscard]] const std::vector<std::unique_ptr<Plugin>>& plugins() const { return plugins_; }

    //! Adds an instance to be created. `config_json` is JSON text; it is checked against the
    //! descriptor's schema, defaults filled in. Errors: plugin.duplicate_alias, config.*.
    Result<Instance*> add(const Plugin& plugin, std::string alias, std::string_view config_json = "{}",
                          InstanceOptions options = {});
    //! Two passes over all: create every one, then activate every one. When a required one fails, what
    //! was made is taken down again and the error names the alias; another that fails is logged, left
    //! in the state failed, and the rest goes on.
    Result<void> start();
    //! Drain all, then deactivate and destroy all in reverse order. Never fails: failures are logged.
    void stop(Duration drain_time);
    //! The first instance of a kind ("synod.scoring/1") that didn't fail, or null.
    [[nodiscard]] Instance* of_kind(std::string_view kind) const;
    [[nodiscard]] Instance* find(std::string_view alias) const;
    [[nodiscard]] const std::vector<std::unique_ptr<Instance>>& instances() const { return instances_; }
    //! Any time on the main thread, for example once the validation backend is active.
    void set_hasher(Hasher* hasher) { services_.hasher = hasher; }

  private:
    Result<std::vector<const Plugin*>> adopt(const synod_entry* entry, const std::string& file);

    HostServices services_;
    std::vector<std::unique_ptr<Plugin>> plugins_;
    std::vector<std::unique_ptr<Instance>> instances_;
};

}  // namespace synod::host
