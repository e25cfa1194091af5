// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What this process uses, as the kernel counts it. Any thread.

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

#include "core/base/time.hpp"

namespace synod::app {

//! User and system time so far, all threads together; zero when it can't be read.
inline Duration cpu_time() {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) {
        return {};
    }
    const auto of = [](const timeval& t) {
        return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

//! Resident memory in bytes; 0 when it can't be read.
inline std::uint64_t memory_used() {
    unsigned long long all = 0, resident = 0;
    if (auto* file = std::fopen("/proc/self/statm", "re")) {
        const int read = std::fscanf(file, "%llu %llu", &all, &resident);
        std::fclose(file);
        if (read == 2) {
            return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        }
    }
    return 0;
}

}  // namespace synod::app
