// SPDX-License-Identifier: Apache-2.0
#include "core/host/registry.hpp"

#include <boost/json.hpp>
#include <sodium.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>

#include "core/host/guard.hpp"
#include "core/host/loader.hpp"
#include "core/host/manifest/manifest.hpp"
#include "core/host/normalise.hpp"
#include "core/host/instance_services.hpp"

namespace synod::host {
namespace {

constexpr std::uint32_t kMinTableBytes = 2 * sizeof(std::uint32_t);  // its size and the word after it

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::kCreated: return "created";
        case State::kActive: return "active";
        case State::kDraining: return "draining";
        case State::kDestroyed: return "destroyed";
        case State::kFailed: return "failed";
        default: return "not created";
    }
}

Instance::Instance(const Plugin& plugin, std::string alias, std::string config, InstanceOptions options,
                   HostServices& host)
    : plugin_(plugin), alias_(std::move(alias)), config_(std::move(config)), options_(options),
      budget_ns_(options.budget.count()), services_(std::make_unique<Services>(*this, host)) {}
Instance::~Instance() = default;

bool Instance::has(std::size_t offset) const {
    void* function = nullptr;
    if (raw_table_ == nullptr || offset + sizeof function > raw_size_) {
        return false;
    }
    std::memcpy(&function, static_cast<const char*>(raw_table_) + offset, sizeof function);
    return function != nullptr;
}

Result<void> Instance::take_table() {
    const void* raw = nullptr;
    if (auto asked = guarded(*this, "query", State::kNone, Role::kMain, 0, [&](synod_error*) {
            raw = plugin_.api.query(handle_, plugin_.kind.c_str());
            return SYNOD_OK;
        }); !asked) {
        return std::unexpected(asked.error());
    }
    if (raw == nullptr) {
        return fail("plugin.bad_descriptor", "the plugin says it is a " + plugin_.kind +
                    " but has no table for it", alias_, "report it to the plugin's author");
    }
    raw_table_ = raw;
    std::memcpy(&raw_size_, raw, sizeof raw_size_);
    if (raw_size_ < kMinTableBytes) {
        return fail("plugin.bad_descriptor", "the plugin's table for " + plugin_.kind + " says that it is " +
                    std::to_string(raw_size_) + " bytes long", alias_, "report it to the plugin's author");
    }
    const auto take = [&]<typename Api>(Api) {
        Api table{};
        normalise(raw, table);
        table_ = table;
    };
    if (plugin_.kind == SYNOD_KIND_CONSENSUS) {
        take(synod_consensus_api{});
    } else if (plugin_.kind == SYNOD_KIND_VALIDATION) {
        take(synod_validation_api{});
    } else if (plugin_.kind == SYNOD_KIND_SCORING) {
        take(synod_scoring_api{});
    } else if (plugin_.kind == SYNOD_KIND_CHECKPOINT) {
        take(synod_checkpoint_api{});
    } else {
        take(synod_optimizer_api{});
    }
    return {};
}

Result<void> Instance::create() {
    const auto failed = [&](Error why) -> Result<void> {
        close_tasks();
        // Neither the SDK's wrapper nor a host may lose an object that was handed out before the failure.
        discard();
        why_failed_ = why;
        state_ = State::kFailed;
        return std::unexpected(std::move(why));
    };
    if (auto granted = services_->check_required(plugin_); !granted) {
        return failed(granted.error());
    }
    const synod_bytes config{reinterpret_cast<const std::uint8_t*>(config_.data()), config_.size()};
    takes_tasks_ = true;
    auto made = guarded(*this, "create", State::kNone, Role::kMain, 0, [&](synod_error* error) {
        return plugin_.api.create(&services_->host, config, &handle_, error);
    });
    if (!made) {
        return failed(made.error());
    }
    if (handle_ == nullptr) {
        return failed(misbehaved(*this, "create", "no instance beside success").error());
    }
    if (auto taken = take_table(); !taken) {
        return failed(taken.error());
    }
    state_ = State::kCreated;
    return {};
}

Result<void> Instance::activate() {
    if (state() != State::kCreated) {
        return {};  // an optional one that failed before
    }
    auto active = guarded(*this, "activate", State::kCreated, Role::kMain, 0,
                          [&](synod_error* e) { return plugin_.api.activate(handle_, e); });
    if (!active && active.error().code != "plugin.unsupported") {
        why_failed_ = active.error();
        destroy();
        state_ = State::kFailed;
        return std::unexpected(active.error());
    }
    state_ = State::kActive;
    return {};
}

void Instance::close_tasks() {
    if (takes_tasks_.exchange(false) && services_->services.executor != nullptr) {
        services_->services.executor->settle(*this);
    }
}

void Instance::destroy() {
    close_tasks();
    auto gone = guarded(*this, "destroy", State::kCreated, Role::kMain, 0, [&](synod_error*) {
        plugin_.api.destroy(handle_);
        return SYNOD_OK;
    });
    if (!gone) {
        spdlog::warn("stopping: {}", gone.error().text());
    }
    handle_ = nullptr;
    state_ = State::kDestroyed;
}

void Instance::discard() {
    if (handle_ != nullptr) {
        fenced_task(*this, "destroy", 0, [&] { plugin_.api.destroy(handle_); });
        handle_ = nullptr;
    }
}

Registry::Registry(HostServices services) : services_(std::move(services)) {
    if (sodium_init() < 0) {
        spdlog::critical("libsodium can't start");
        std::abort();
    }
    if (services_.clock == nullptr) {
        services_.clock = &system_clock();
    }
    if (services_.hasher == nullptr) {
        services_.hasher = &portable_hasher();
    }
}
Registry::~Registry() { stop(Duration::zero()); }

Result<std::vector<const Plugin*>> Registry::load(const std::filesystem::path& file) {
    auto entry = load_library(file);
    if (!entry) {
        return std::unexpected(entry.error());
    }
    return adopt(*entry, file.string());
}

Result<std::vector<const Plugin*>> Registry::register_static(const synod_entry* entry) {
    return adopt(entry, "");
}

Result<std::vector<const Plugin*>> Registry::adopt(const synod_entry* entry,
                                                   const std::string& file) {
    auto read = read_entry(entry, file);
    if (!read) {
        return std::unexpected(read.error());
    }
    std::vector<std::unique_ptr<Plugin>> found;
    for (auto& plugin : *read) {
        const bool twice = std::any_of(found.begin(), found.end(),
                                       [&](const auto& other) { return other->id == plugin.id; });
        if (twice || find_plugin(plugin.id) != nullptr) {
            return fail("plugin.duplicate_id", "a plugin with the id " + plugin.id +
                        " is already loaded", file, "load it from one file only");
        }
        found.push_back(std::make_unique<Plugin>(std::move(plugin)));
    }
    if (plugins_.size() + found.size() > kMaxPlugins) {
        return fail("plugin.too_many", "too many plugins", file);
    }
    std::vector<const Plugin*> out;
    for (auto& plugin : found) {
        out.push_back(plugin.get());
        plugins_.push_back(std::move(plugin));
    }
    return out;
}

const Plugin* Registry::find_plugin(std::string_view id) const {
    for (const auto& plugin : plugins_) {
        if (plugin->id == id) {
            return plugin.get();
        }
    }
    return nullptr;
}

Result<Instance*> Registry::add(const Plugin& plugin, std::string alias, std::string_view config,
                                InstanceOptions options) {
    if (alias.empty() || alias.size() > kMaxAliasBytes || find(alias) != nullptr) {
        return fail("plugin.duplicate_alias", "the alias `" + alias + "` is taken, empty or too long",
                    plugin.id, "give each plugin its own `as`");
    }
    if (config.size() > kMaxConfigBytes) {
        return fail("config.too_large", "the plugin's configuration is too large", alias);
    }
    // JSON is YAML: the same tree and the same checker, so that defaults are filled in one way.
    auto document = parse_yaml(config, "plugins." + alias + ".config");
    if (!document) {
        return std::unexpected(document.error());
    }
    boost::system::error_code error;
    const auto schema = boost::json::parse(plugin.schema.empty() ? "{}" : plugin.schema, error);
    if (error) {
        return fail("plugin.bad_descriptor", "the plugin's configuration schema is not JSON", plugin.id);
    }
    std::vector<Problem> problems;
    const auto value = check_tree(document->root, schema, "", problems);
    if (!problems.empty()) {
        return fail(problems.front().code, render(*document, problems.front()), alias);
    }
    instances_.push_back(std::unique_ptr<Instance>(
        new Instance(plugin, std::move(alias), boost::json::serialize(value), options, services_)));
    return instances_.back().get();
}

Result<void> Registry::start() {
    for (const auto pass : {&Instance::create, &Instance::activate}) {
        for (auto& instance : instances_) {
            auto done = ((*instance).*pass)();
            if (done) {
                continue;
            }
            if (instance->required()) {
                stop(Duration::zero());
                return done;
            }
            spdlog::warn("going on without the plugin {}: {}", instance->alias(), done.error().text());
        }
    }
    return {};
}

void Registry::stop(Duration drain_time) {
    const auto warn = [](const auto& result) {
        if (!result && result.error().code != "plugin.unsupported") {
            spdlog::warn("stopping: {}", result.error().text());
        }
    };
    for (auto& i : instances_) {
        if (i->state() == State::kActive) {
            const auto deadline = static_cast<std::uint64_t>(
                (services_.clock->mono() + drain_time).count());
            warn(guarded(*i, "drain", State::kActive, Role::kMain, 0, [&](synod_error* e) {
                return i->plugin_.api.drain(i->handle_, deadline, e);
            }));
            i->close_tasks();
            i->state_ = State::kDraining;
        }
    }
    for (auto at = instances_.rbegin(); at != instances_.rend(); ++at) {
        Instance& i = **at;
        if (i.state() == State::kDraining) {
            warn(guarded(i, "deactivate", State::kDraining, Role::kMain, 0, [&](synod_error* e) {
                return i.plugin_.api.deactivate(i.handle_, e);
            }));
            i.state_ = State::kCreated;
        }
        if (i.state() == State::kCreated) {
            i.destroy();
        }
    }
}

Instance* Registry::of_kind(std::string_view kind) const {
    for (const auto& instance : instances_) {
        if (instance->plugin().kind == kind && instance->state() != State::kFailed) {
            return instance.get();
        }
    }
    return nullptr;
}

Instance* Registry::find(std::string_view alias) const {
    for (const auto& instance : instances_) {
        if (instance->alias() == alias) {
            return instance.get();
        }
    }
    return nullptr;
}

}  // namespace synod::host
