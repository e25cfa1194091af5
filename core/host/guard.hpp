// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The fence around every call into a plugin: state, role of the thread, exceptions, time, and a
//! breadcrumb that names the plugin after a crash. Called on whatever thread the function's comment in
//! the SDK asks for; there is no other way into a plugin.
//!
//! Cost. Reading the clock twice costs more than all the rest of the fence together (measured: 15 ns
//! without, 75 ns with, on a machine whose clock takes 28 ns), so only calls that take a batch are
//! always timed; the small ones (an index, a name, a weight) are timed when the
//! instance has a budget. Sampling every n-th call instead would be wrong: calls come in fixed
//! patterns (fork, plan, weigh, ...), and every n-th is always the same function. Clearing a
//! synod_error (660 bytes) is the next dearest thing, so a thread has one that stays clear.

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

//! A set of State. Bit n is State n.
using States = std::uint32_t;
constexpr States in(State state) { return States{1} << static_cast<unsigned>(state); }
//! Where a header's comment names no state: from create to destroy.
inline constexpr States kAlive = in(State::kCreated) | in(State::kActive) | in(State::kDraining);

//! What the SDK's comment above a function says about calling it.
struct Terms {
    const char* function = "";      //!< static text, for errors and for the crumb
    States states = in(State::kActive);
    Role role = Role::kWorker;      //!< kUnset: [shared]
    bool batch = true;              //!< takes a batch: always timed
};

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
    bool scratch = false;  //!< scratch_blocks holds something
};
inline thread_local Crumbs crumbs;
//! The innermost call of this thread; an alias of null when there is none.
inline Crumb innermost() { return crumbs.depth == 0 ? Crumb{} : crumbs.ring[(crumbs.depth - 1) % kCrumbs]; }

//! The synod_error of this thread's outermost call: clear between calls.
inline thread_local synod_error clear_error{};

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
//! First thing on a pool's thread: its role and its crash stack.
void become_worker();

class CrumbScope {
  public:
    CrumbScope(const char* alias, const char* function, std::uint64_t batch) {
        crumbs.ring[crumbs.depth % kCrumbs] = {alias, function, batch};
        ++crumbs.depth;
    }
    ~CrumbScope() {
        if (--crumbs.depth == 0 && crumbs.scratch) {
            scratch_blocks.release();
            crumbs.scratch = false;
        }
    }
    CrumbScope(const CrumbScope&) = delete;
    CrumbScope& operator=(const CrumbScope&) = delete;
};

//! Error from a status and what the plugin wrote; `plugin.<reason>`, where begins with the alias.
Error to_error(synod_status status, const synod_error& error, const std::string& alias,
               const char* function);

//! The error that one call may fill in. Nested calls clear one of their own.
class ErrorSlot {
  public:
    ErrorSlot() : at_(crumbs.depth == 0 ? &clear_error : &own_) {
        if (at_ == &own_) {
            std::memset(&own_, 0, sizeof own_);
        }
        at_->size = sizeof own_;
    }
    ~ErrorSlot() {
        const synod_error& e = *at_;
        const bool written = e.code != 0 || e.subcode != 0 || e.retry_ms != 0 || e.message[0] != 0 ||
                             e.hint[0] != 0 || e.where[0] != 0;
        if (at_ == &clear_error && written) {
            clear_error = {};
        }
    }
    ErrorSlot(const ErrorSlot&) = delete;
    ErrorSlot& operator=(const ErrorSlot&) = delete;
    [[nodiscard]] synod_error* get() { return at_; }

  private:
    synod_error* at_;
    synod_error own_;  // left uninitialised in an outermost call
};

//! The refusals of the fence itself, out of line. They say what the host did wrong, so they aren't
//! counted against the plugin.
std::unexpected<Error> wrong_state(const Instance& instance, const Terms& terms);
std::unexpected<Error> wrong_thread(const Instance& instance, const Terms& terms);
//! Counts the failure and says that an exception came out.
std::unexpected<Error> threw(Instance& instance, const Terms& terms);
//! Counts as a failure what a call answered that can't be: more items than it was given room for, a
//! null handle beside success. Code plugin.misbehaving.
std::unexpected<Error> misbehaved(Instance& instance, const char* function, std::string what);

//! Runs fn(synod_error*) under the fence. A status of 0 or above is success. `batch` says what the
//! call was about (a height, a ticket) should it crash. Every call is counted in instance.calls(), every
//! one that threw or answered a failure in instance.failures.
//! Errors: plugin.wrong_state, plugin.wrong_thread, plugin.threw, plugin.*.
template <typename Fn>
Result<synod_status> guarded(Instance& instance, const Terms& terms, std::uint64_t batch, Fn&& fn) {
    if ((in(instance.state()) & terms.states) == 0) {
        return wrong_state(instance, terms);
    }
    if (terms.role != Role::kUnset && thread_role != Role::kUnset && thread_role != terms.role) {
        return wrong_thread(instance, terms);
    }
    using Steady = std::chrono::steady_clock;
    const Duration budget = instance.budget();
    const bool timed = terms.batch || budget.count() != 0;
    ErrorSlot error;
    synod_status status = SYNOD_E_INTERNAL;
    const CrumbScope crumb(instance.alias().c_str(), terms.function, batch);
    instance.count_call();
    const auto begin = timed ? Steady::now() : Steady::time_point{};
    try {
        status = fn(error.get());
    } catch (...) {
        return threw(instance, terms);
    }
    if (timed) {
        const Duration took = Steady::now() - begin;
        instance.busy_ns.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
        if (budget.count() != 0 && took > budget) {
            instance.over_budget.fetch_add(1, std::memory_order_relaxed);
        }
    }
    if (status < 0) [[unlikely]] {
        instance.failures.fetch_add(1, std::memory_order_relaxed);
        return std::unexpected(to_error(status, *error.get(), instance.alias(), terms.function));
    }
    return status;
}

//! The same for one state and a call that is always timed.
template <typename Fn>
Result<synod_status> guarded(Instance& instance, const char* function, State need, Role role,
                             std::uint64_t batch, Fn&& fn) {
    return guarded(instance, Terms{function, in(need), role, true}, batch, std::forward<Fn>(fn));
}

//! Runs one of the instance's own tasks, or a part of a call that fans out: crumb and exceptions,
//! nothing else. False, and counted, when it threw.
template <typename Fn>
bool fenced_task(Instance& instance, const char* what, std::uint64_t batch, Fn&& fn) {
    const CrumbScope crumb(instance.alias().c_str(), what, batch);
    try {
        fn();
        return true;
    } catch (...) {
        instance.failures.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
}

template <typename>
struct TableOf;
template <typename Api, typename F>
struct TableOf<F Api::*> {
    using type = Api;
};

//! call<&synod_validation_api::validate>(instance, terms, batch, &checks): with the instance's handle
//! in front and a synod_error behind the arguments. Adds plugin.wrong_kind to the errors.
template <auto Member, typename... Args>
Result<synod_status> call(Instance& instance, const Terms& terms, std::uint64_t batch, Args... args) {
    using Api = typename TableOf<decltype(Member)>::type;
    const Api* table = instance.table<Api>();
    if (table == nullptr) {
        return fail("plugin.wrong_kind", std::string(terms.function) + " belongs to another kind",
                    instance.alias());
    }
    return guarded(instance, terms, batch, [&](synod_error* error) {
        return (table->*Member)(instance.handle(), args..., error);
    });
}

//! The same as [worker & active], about no batch in particular.
template <auto Member, typename... Args>
Result<synod_status> call(Instance& instance, const char* function, Args... args) {
    return call<Member>(instance, Terms{function}, 0, args...);
}

}  // namespace synod::host
