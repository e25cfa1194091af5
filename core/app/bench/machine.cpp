// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/machine.hpp"

#include <sched.h>

#include <fstream>
#include <thread>

namespace synod::app::bench {

namespace {

unsigned usable_cores() {
    cpu_set_t mine;
    if (::sched_getaffinity(0, sizeof mine, &mine) == 0) {
        return static_cast<unsigned>(CPU_COUNT(&mine));
    }
    return std::thread::hardware_concurrency();
}

std::string cpu_name() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return {};
}

std::vector<std::string> instruction_sets() {
    std::vector<std::string> out;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const auto add = [&](const char* name, int there) {
        if (there != 0) {
            out.emplace_back(name);
        }
    };
    add("sse2", __builtin_cpu_supports("sse2"));
    add("sse4.1", __builtin_cpu_supports("sse4.1"));
    add("avx2", __builtin_cpu_supports("avx2"));
    add("avx512f", __builtin_cpu_supports("avx512f"));
    add("avx512bw", __builtin_cpu_supports("avx512bw"));
    add("avx512dq", __builtin_cpu_supports("avx512dq"));
    add("avx512vl", __builtin_cpu_supports("avx512vl"));
    add("avx512ifma", __builtin_cpu_supports("avx512ifma"));
    add("sha-ni", __builtin_cpu_supports("sha"));
#endif
    return out;
}

}  // namespace

Machine this_machine() {
    Machine out;
    out.cores = usable_cores();
    out.cpu = cpu_name();
    out.instruction_sets = instruction_sets();
#if defined(__VERSION__)
    out.compiler = __VERSION__;
#endif
#if defined(__OPTIMIZE__)
    out.optimised = true;
#endif
    return out;
}

}  // namespace synod::app::bench
