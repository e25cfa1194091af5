// SPDX-License-Identifier: Apache-2.0
#include "core/app/devnet/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

namespace synod::app::devnet {

namespace {

constexpr auto kReapPause = std::chrono::milliseconds(10);
constexpr int kExecFailed = 127;  // as a shell says it
constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> interrupted{false};
std::array<struct sigaction, kSignals.size()> previous{};

void on_signal(int) {
    interrupted.store(true, std::memory_order_relaxed);
}

//! The child's side between fork and exec: only what is safe there. Ends in exec or _exit.
//! Signals are blocked on entry, so that none meets a handler of the parent's.
[[noreturn]] void become(const std::vector<char*>& arguments, const char* log, pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) {
        ::_exit(kExecFailed);  // the parent died before the kernel was asked to tell us
    }
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (const int signal : kSignals) {
        ::sigaction(signal, &usual, nullptr);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int in = ::open("/dev/null", O_RDONLY);
    const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (in < 0 || out < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) {
        ::_exit(kExecFailed);
    }
    if (in > 2) {
        ::close(in);
    }
    if (out > 2) {
        ::close(out);
    }
    ::execv(arguments[0], arguments.data());
    ::_exit(kExecFailed);
}

}  // namespace

Result<Process> Process::start(std::string name, const std::vector<std::string>& arguments,
                               const std::filesystem::path& log) {
    std::vector<char*> raw;  // made before the fork: no memory is asked for after it
    raw.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) {
        raw.push_back(const_cast<char*>(argument.c_str()));  // execv never writes them
    }
    raw.push_back(nullptr);
    sigset_t all, before;
    ::sigfillset(&all);
    const auto parent = ::getpid();
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    const auto pid = ::fork();
    if (pid == 0) {
        become(raw, log.c_str(), parent);
    }
    const int reason = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) {
        return fail("devnet.spawn", std::string("can't start a process: ") + std::strerror(reason),
                    name, "look at `ulimit -u` and at free memory");
    }
    Process out;
    out.name_ = std::move(name);
    out.log_ = log;
    out.pid_ = pid;
    return out;
}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      log_(std::move(other.log_)),
      pid_(std::exchange(other.pid_, -1)),
      exit_code_(other.exit_code_) {}

Process& Process::operator=(Process&& other) noexcept {
    if (this != &other) {
        terminate();
        finish();
        name_ = std::move(other.name_);
        log_ = std::move(other.log_);
        pid_ = std::exchange(other.pid_, -1);
        exit_code_ = other.exit_code_;
    }
    return *this;
}

Process::~Process() {
    terminate();
    finish();
}

bool Process::running() {
    if (pid_ < 0 || exit_code_) {
        return false;
    }
    int state = 0;
    const auto got = ::waitpid(pid_, &state, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) {
        return true;
    }
    exit_code_ = got < 0              ? kExecFailed
                 : WIFSIGNALED(state) ? 128 + WTERMSIG(state)
                                      : WEXITSTATUS(state);
    return false;
}

bool Process::wait(Duration limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (running()) {
        if (std::chrono::steady_clock::now() >= end) {
            return false;
        }
        std::this_thread::sleep_for(kReapPause);
    }
    return true;
}

void Process::terminate() {
    if (running()) {
        ::kill(pid_, SIGTERM);
    }
}

void Process::finish() {
    if (!wait(kStopTime)) {
        ::kill(pid_, SIGKILL);
        wait(kStopTime);
    }
}

std::string Process::log_tail() const {
    std::ifstream in(log_, std::ios::binary | std::ios::ate);
    if (!in) {
        return {};
    }
    const auto size = static_cast<std::size_t>(std::max<std::streamoff>(0, in.tellg()));
    const auto take = std::min(size, kLogTailBytes);
    std::string out(take, '\0');
    in.seekg(static_cast<std::streamoff>(size - take));
    in.read(out.data(), static_cast<std::streamsize>(take));
    out.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
    return out;
}

Interrupts::Interrupts() {
    interrupted.store(false);
    struct sigaction ours {};
    ours.sa_handler = on_signal;
    ::sigemptyset(&ours.sa_mask);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], &ours, &previous[i]);
    }
}

Interrupts::~Interrupts() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], &previous[i], nullptr);
    }
}

bool Interrupts::seen() {
    return interrupted.load(std::memory_order_relaxed);
}

}  // namespace synod::app::devnet
