// SPDX-License-Identifier: Apache-2.0
//! The first mapping of a library, in a child process. The dynamic linker trusts what it maps: one
//! flipped bit in a table of it is a segmentation fault. A child may have that; the node may not.

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "core/host/loader.hpp"
#include "core/host/normalise.hpp"

namespace synod::host {
namespace {

constexpr int kProbeMs = 10'000;  // for mapping one library and running its constructors

void silence() {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        (void)::dup2(null, standard);
    }
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &none);
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP}) {
        (void)std::signal(signal, SIG_DFL);
    }
}

//! [child] Reads all that the node will read before it calls anything. What is refused in good order
//! is refused again, with its reason, in the node.
[[noreturn]] void look(const std::string& file, int answer) {
    silence();
    void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    const auto* entry = library == nullptr
                            ? nullptr
                            : static_cast<const synod_entry*>(::dlsym(library, SYNOD_ENTRY_SYMBOL));
    if (entry != nullptr) {
        (void)read_entry(entry, file);
    }
    if (library != nullptr) {
        (void)::dlclose(library);  // the destructors, which the node runs at its end
    }
    const char whole = 1;
    ::_exit(::write(answer, &whole, 1) == 1 ? 0 : 1);
}

std::unexpected<Error> damaged(const std::string& file, const std::string& how) {
    return fail("plugin.damaged", "the library can't be mapped: a process that tried " + how, file,
                "the file is damaged, or its constructors fail: build or copy it again");
}

}  // namespace

Result<void> probe_library(const std::filesystem::path& path) {
    const std::string file = path.string();
    std::array<int, 2> alive{};
    if (::pipe2(alive.data(), O_CLOEXEC) != 0) {
        return fail("plugin.load", "no pipe to look at the library through", file);
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(alive[0]);
        look(file, alive[1]);
    }
    ::close(alive[1]);
    if (child < 0) {
        ::close(alive[0]);
        return fail("plugin.load", "no process to look at the library in", file);
    }
    pollfd end{alive[0], POLLIN, 0};  // an answer, or nobody left to give one
    int ready = 0;
    do {
        ready = ::poll(&end, 1, kProbeMs);
    } while (ready < 0 && errno == EINTR);
    char whole = 0;
    const bool answered = ready > 0 && ::read(alive[0], &whole, 1) == 1;
    ::close(alive[0]);
    if (ready <= 0) {
        ::kill(child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (answered) {
        return {};
    }
    if (ready <= 0) {
        return damaged(file, "didn't come to an end in " + std::to_string(kProbeMs / 1000) + " s");
    }
    if (WIFSIGNALED(status)) {
        const char* name = ::strsignal(WTERMSIG(status));
        return damaged(file, std::string("ended with: ") + (name != nullptr ? name : "a signal"));
    }
    return damaged(file, "exited with code " + std::to_string(WEXITSTATUS(status)));
}

}  // namespace synod::host
