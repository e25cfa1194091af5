// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Divides a run of many simulations among processes: a world is one thread and shares nothing, so the cores add up.

#include <atomic>
#include <cstdint>
#include <functional>

#include "core/base/result.hpp"

namespace synod::sim {

//! Processes that may be asked for at once.
inline constexpr unsigned kMaxProcesses = 256;

//! What the processes share: whoever is free takes the next simulation.
struct Tally {
    std::atomic<std::uint64_t> taken{0}, played{0}, broken{0};
};

//! Calls `share` in `count` new processes and waits for all of them: the largest exit code that one of them gave. With one it
//! is called in this process. Call it while there is one thread. Errors: sim.process, when one can't be started or was
//! ended by a signal (the others are waited for).
Result<int> in_processes(unsigned count, const std::function<int(Tally&)>& share);

}  // namespace synod::sim
