// SPDX-License-Identifier: Apache-2.0
#include "core/sim/processes.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace synod::sim {

namespace {

Error failed(std::string what) { return {"sim.process", std::move(what), "simulate", "fewer --jobs may go"}; }

}  // namespace

Result<int> in_processes(unsigned count, const std::function<int(Tally&)>& share) {
    if (count <= 1) {
        Tally alone;
        return share(alone);
    }
    void* memory = mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return std::unexpected(failed(std::string("no memory to share: ") + std::strerror(errno)));
    }
    const auto unmap = [](Tally* shared) { munmap(shared, sizeof(Tally)); };
    const std::unique_ptr<Tally, decltype(unmap)> shared(new (memory) Tally, unmap);
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "counted by several processes");

    std::fflush(nullptr);  // or each process writes what waits once more
    std::vector<pid_t> children;
    Result<int> out = 0;
    while (children.size() < count) {
        const auto child = fork();
        if (child == 0) {
            const int code = share(*shared);
            std::fflush(nullptr);
            _exit(code);
        }
        if (child < 0) {
            out = std::unexpected(failed(std::string("can't start another process: ") + std::strerror(errno)));
            break;
        }
        children.push_back(child);
    }
    for (const auto child : children) {
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        if (!WIFEXITED(status)) {
            out = std::unexpected(failed("one process was ended by signal " + std::to_string(WTERMSIG(status))));
        } else if (out) {
            out = std::max(*out, WEXITSTATUS(status));
        }
    }
    return out;
}

}  // namespace synod::sim
