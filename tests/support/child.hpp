// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Runs a piece of a test in a process of its own, for what ends in a crash.

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

namespace synod::testing {

struct Died {
    int signal = 0;    //!< what it died of; 0: it came to its end
    std::string said;  //!< on standard error
};

//! Waits until it ends. `fn` runs with the memory of the test and only the calling thread.
inline Died in_a_child(const std::function<void()>& fn) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[1]);
        fn();
        ::_exit(0);
    }
    ::close(ends[1]);
    Died died;
    char buffer[256];
    for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        died.said.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    died.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return died;
}

}  // namespace synod::testing
