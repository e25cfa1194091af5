// SPDX-License-Identifier: Apache-2.0
#include "core/host/guard.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <unistd.h>

namespace synod::host {
namespace {

constexpr std::size_t kCrashStackBytes = 64 * 1024;  // a thread

void put(const char* text) {
    if (text != nullptr && ::write(STDERR_FILENO, text, std::strlen(text)) < 0) {
        return;  // nothing more can be done in a crash
    }
}

void put(std::uint64_t number) {
    char digits[21];
    char* at = digits + sizeof digits;
    *--at = 0;
    do {
        *--at = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(at);
}

//! The thread that reports; 0: none. Threads that crash together must not cut each other's report short.
std::atomic<pid_t> reporter{0};

// Only async-signal-safe calls from here on.
void on_crash(int number) {
    const pid_t me = ::gettid();
    pid_t nobody = 0;
    if (!reporter.compare_exchange_strong(nobody, me)) {
        while (nobody != me) {
            ::pause();  // the process ends with the report of another thread
        }
        ::signal(number, SIG_DFL);  // the report itself crashed
        ::raise(number);
    }
    put("synod: signal ");
    put(static_cast<std::uint64_t>(number));
    if (crumbs.depth == 0) {
        put(" outside any plugin\n");
    } else {
        const Crumb& crumb = crumbs.ring[(crumbs.depth - 1) % kCrumbs];
        put(": crashed in plugin ");
        put(crumb.alias);
        put(", call ");
        put(crumb.function);
        put(", batch ");
        put(crumb.batch);
        put("\n");
    }
    ::signal(number, SIG_DFL);
    ::raise(number);
}

}  // namespace

namespace {

//! Taken away before its memory goes: a crash while the thread ends uses the thread's own stack.
class CrashStack {
  public:
    CrashStack() : memory_(std::make_unique<char[]>(kCrashStackBytes)) { set(0); }
    ~CrashStack() { set(SS_DISABLE); }
    CrashStack(const CrashStack&) = delete;
    CrashStack& operator=(const CrashStack&) = delete;

  private:
    void set(int flags) {
        stack_t stack{};
        stack.ss_sp = memory_.get();
        stack.ss_size = kCrashStackBytes;
        stack.ss_flags = flags;
        ::sigaltstack(&stack, nullptr);
    }
    std::unique_ptr<char[]> memory_;
};

}  // namespace

void ScratchBlocks::release() noexcept {
    for (const auto& block : held) {
        std::free(block.first);
    }
    held.clear();
    bytes = 0;
}

void ScratchBlocks::release_oldest() noexcept {
    std::free(held.front().first);
    bytes -= held.front().second;
    held.erase(held.begin());
}

void use_crash_stack() {
    static thread_local const CrashStack stack;
    static_cast<void>(stack);
}

void become_worker() {
    thread_role = Role::kWorker;
    use_crash_stack();
}

void install_crash_handler() {
    use_crash_stack();
    struct sigaction action {};
    action.sa_handler = on_crash;
    action.sa_flags = static_cast<int>(SA_NODEFER | SA_ONSTACK);
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) {
        ::sigaction(number, &action, nullptr);
    }
}

namespace {

std::string names_of(States states) {
    std::string out;
    for (auto state = State::kNone; state <= State::kFailed; state = State(static_cast<int>(state) + 1)) {
        if ((in(state) & states) != 0) {
            out += (out.empty() ? "" : " or ") + std::string(to_string(state));
        }
    }
    return out;
}

}  // namespace

std::unexpected<Error> wrong_state(const Instance& instance, const Terms& terms) {
    return fail("plugin.wrong_state", std::string(terms.function) + " needs the state " +
                names_of(terms.states) + ", the plugin is " + std::string(to_string(instance.state())),
                instance.alias());
}

std::unexpected<Error> wrong_thread(const Instance& instance, const Terms& terms) {
    return fail("plugin.wrong_thread", std::string(terms.function) + " was called on the wrong thread",
                instance.alias());
}

std::unexpected<Error> threw(Instance& instance, const Terms& terms) {
    instance.failures.fetch_add(1, std::memory_order_relaxed);
    return fail("plugin.threw", std::string(terms.function) + " let an exception out", instance.alias(),
                "report it to the plugin's author");
}

std::unexpected<Error> misbehaved(Instance& instance, const char* function, std::string what) {
    instance.failures.fetch_add(1, std::memory_order_relaxed);
    return fail("plugin.misbehaving", std::string(function) + ": " + what, instance.alias(),
                "report it to the plugin's author");
}

Error to_error(synod_status status, const synod_error& error, const std::string& alias,
               const char* function) {
    const auto text = [](const char* p, std::size_t n) { return std::string(p, ::strnlen(p, n)); };
    const char* code = "plugin.internal";
    switch (status) {
        case SYNOD_E_INVALID: code = "plugin.invalid_call"; break;
        case SYNOD_E_CONFIG: code = "plugin.config"; break;
        case SYNOD_E_UNSUPPORTED: code = "plugin.unsupported"; break;
        case SYNOD_E_BUSY: code = "plugin.busy"; break;
        case SYNOD_E_CANCELLED: code = "plugin.cancelled"; break;
        case SYNOD_E_CORRUPT: code = "plugin.corrupt_input"; break;
        case SYNOD_E_DEADLINE: code = "plugin.deadline"; break;
        case SYNOD_E_NO_MEMORY: code = "plugin.no_memory"; break;
        default: break;
    }
    Error out{code, text(error.message, sizeof error.message), alias,
              text(error.hint, sizeof error.hint)};
    if (out.message.empty()) {
        out.message = std::string(function) + " answered status " + std::to_string(status);
    }
    if (const auto where = text(error.where, sizeof error.where); !where.empty()) {
        out.where += ": " + where;
    }
    return out;
}

}  // namespace synod::host
