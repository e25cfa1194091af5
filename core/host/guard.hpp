// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The fence around every call into a plugin: state, exceptions, time, and a breadcrumb that names
//! the plugin after a crash. Called on whatever thread the function's comment in the SDK asks for.

#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/host/registry.hpp"

namespace synod::host {

enum class Role : std::uint8_t { kUnset, kMain, kWorker };
//! What this thread is; the host sets it once a thread.
inline thread_local Role thread_role = Role::kUnset;

//! What this thread does right now; read by the crash handler.
struct Crumb {
    const char* alias = nullptr;
    const char* function = nullptr;
    std::uint64_t batch = 0;
};
inline constexpr unsigned kCrumbs = 8;  // nested calls remembered a thread
struct Crumbs {
    Crumb ring[kCrumbs];
    unsigned depth = 0;
};
inline thread_local Crumbs crumbs;

//! What a thread's plugin calls took from exec.scratch. Freed when the outermost call ends, so that
//! blocks of one call are distinct and none outlives it.
struct ScratchBlocks {
    std::vector<std::pair<void*, std::uint64_t>> held;  //!< with its bytes, oldest first
    std::uint64_t bytes = 0;
    ScratchBlocks() = default;
    ~ScratchBlocks() { release(); }
    ScratchBlocks(const ScratchBlocks&) = delete;
    ScratchBlocks& operator=(const ScratchBlocks&) = delete;
    void release() noexcept;
    void release_oldest() noexcept;  //!< precondition: there is one
};
inline thread_local ScratchBlocks scratch_blocks;

//! Handlers for SIGSEGV, SIGBUS, SIGABRT, SIGFPE and SIGILL that write "crashed in plugin <alias>,
//! call <function>, batch <n>" to standard error and then die of the same signal. Main thread, once.
//! Gives the calling thread a stack of its own for them, so that an overflowing stack is reported too.
void install_crash_handler();
//! The same stack for another thread; call at its start.
void use_crash_stack();

class CrumbScope {
  public:
    CrumbScope(const char* alias, const char* function, std::uint64_t batch) {
        crumbs.ring[crumbs.depth % kCrumbs] = {alias, function, batch};
        ++crumbs.depth;
    }
    ~CrumbScope() {
        if (--crumbs.depth == 0) {
            scratch_blocks.release();
        }
    }
    CrumbScope(const CrumbScope&) = delete;
    CrumbScope& operator=(const CrumbScope&) = delete;
};

//! Error from a status and what the plugin wrote; `plugin.<reason>`, where begins with the alias.
Error to_error(synod_status status, const synod_error& error, const std::string& alias,
               const char* function);

//! Runs fn(synod_error*) under the fence. `need` is the state that the function asks for. A status of
//! 0 or above is success. Errors: plugin.wrong_state, plugin.wrong_thread, plugin.threw, plugin.*.
template <typename Fn>
Result<synod_status> guarded(Instance& instance, const char* function, State need, Role role,
                             std::uint64_t batch, Fn&& fn) {
    if (instance.state() != need) {
        return fail("plugin.wrong_state", std::string(function) + " needs the state " +
                    std::string(to_string(need)) + ", the plugin is " +
                    std::string(to_string(instance.state())), instance.alias());
    }
    if (role != Role::kUnset && thread_role != Role::kUnset && thread_role != role) {
        return fail("plugin.wrong_thread", std::string(function) + " was called on the wrong thread",
                    instance.alias());
    }
    synod_error error{};
    error.size = sizeof error;
    synod_status status = SYNOD_E_INTERNAL;
    const CrumbScope crumb(instance.alias().c_str(), function, batch);
    const auto begin = std::chrono::steady_clock::now();
    try {
        status = fn(&error);
    } catch (...) {
        instance.failures.fetch_add(1, std::memory_order_relaxed);
        return fail("plugin.threw", std::string(function) + " let an exception out",
                    instance.alias(), "report it to the plugin's author");
    }
    const auto took = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin).count());
    instance.calls.fetch_add(1, std::memory_order_relaxed);
    instance.busy_ns.fetch_add(took, std::memory_order_relaxed);
    const auto budget = static_cast<std::uint64_t>(instance.budget().count());
    if (budget != 0 && took > budget) {
        instance.over_budget.fetch_add(1, std::memory_order_relaxed);
    }
    if (status < 0) {
        instance.failures.fetch_add(1, std::memory_order_relaxed);
        return std::unexpected(to_error(status, error, instance.alias(), function));
    }
    return status;
}

template <typename>
struct TableOf;
template <typename Api, typename F>
struct TableOf<F Api::*> {
    using type = Api;
};

//! call<&synod_scoring_api::score>(instance, "score", need, cols, n, out): [worker & active], with
//! the instance's handle in front and a synod_error behind the arguments.
template <auto Member, typename... Args>
Result<synod_status> call(Instance& instance, const char* function, Args... args) {
    using Api = typename TableOf<decltype(Member)>::type;
    const Api* table = instance.table<Api>();
    if (table == nullptr) {
        return fail("plugin.wrong_kind", std::string(function) + " belongs to another kind",
                    instance.alias());
    }
    return guarded(instance, function, State::kActive, Role::kWorker, 0, [&](synod_error* error) {
        return (table->*Member)(instance.handle(), args..., error);
    });
}

}  // namespace synod::host
