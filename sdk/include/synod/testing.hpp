// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A host for unit tests of plugins: virtual clock, recorded log, seeded random numbers, tasks that run when the test
//! says so, and a driver for the lifecycle. For test programs only; not for use inside a plugin.
#include <synod/cpp/testing_host.hpp>
#include <synod/cpp/testing_io.hpp>

#include <dlfcn.h>

namespace synod::testing {

/// A plugin library mapped from a file, as the node maps it; never unmapped.
inline const synod_entry* open_entry(const std::string& path, std::string* why = nullptr) {
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* symbol = library == nullptr ? nullptr : ::dlsym(library, SYNOD_ENTRY_SYMBOL);
    if (symbol == nullptr && why != nullptr) {
        const char* text = ::dlerror();
        *why = text == nullptr ? "no such symbol" : text;
    }
    return static_cast<const synod_entry*>(symbol);
}

/// One instance from an entry's first plugin, and its lifecycle. Destroying the driver winds the instance down.
class Driver {
public:
    Driver(const synod_entry& entry, FakeHost& host, std::string_view config = "{}")
        : descriptor_(entry.plugins[0]), api_(descriptor_->api) {
        status_ = api_->create(host.raw(), to_bytes(config), &instance_, fresh());
    }
    ~Driver() {
        if (instance_ == nullptr) {
            return;
        }
        if (active_) {
            stop();
        }
        api_->destroy(instance_);
    }
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    bool created() const { return instance_ != nullptr; }
    synod_status status() const { return status_; } ///< of the last call
    const synod_error& error() const { return error_; }
    /// A zeroed error to hand to a table's function; error() shows what it held.
    synod_error* fresh() {
        error_ = {};
        error_.size = sizeof(error_);
        return &error_;
    }
    synod_instance* instance() const { return instance_; }
    const synod_descriptor& descriptor() const { return *descriptor_; }
    const synod_plugin_api& api() const { return *api_; }

    synod_status activate() {
        status_ = api_->activate(instance_, fresh());
        active_ = status_ >= 0;
        return status_;
    }
    /// drain, then deactivate.
    synod_status stop(uint64_t deadline_ns = 0) {
        status_ = api_->drain(instance_, deadline_ns, fresh());
        if (status_ >= 0) {
            status_ = api_->deactivate(instance_, fresh());
        }
        active_ = false;
        return status_;
    }
    synod_status reconfigure(std::string_view json) {
        return status_ = api_->reconfigure(instance_, to_bytes(json), fresh());
    }
    synod_status save(MemorySink& out) { return status_ = api_->save(instance_, out.raw(), fresh()); }
    synod_status load(MemorySource& in, uint32_t state_rev) {
        return status_ = api_->load(instance_, in.raw(), state_rev, fresh());
    }
    void event(const std::vector<synod_event>& events) {
        api_->on_event(instance_, events.data(), static_cast<uint32_t>(events.size()));
    }
    /// The kind's table, for example table<synod_scoring_api>(); nullptr when the id is not answered.
    template <class T> const T* table(const char* id = nullptr) const {
        return static_cast<const T*>(api_->query(instance_, id == nullptr ? descriptor_->kind : id));
    }

private:
    const synod_descriptor* descriptor_;
    const synod_plugin_api* api_;
    synod_instance* instance_ = nullptr;
    synod_error error_{};
    synod_status status_ = SYNOD_OK;
    bool active_ = false;
};

} // namespace synod::testing
