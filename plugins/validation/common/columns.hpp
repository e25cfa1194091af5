// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What every backend does alike with a batch: refuse a broken one, cut its columns into tasks for the host's workers,
//! and answer the columns that are hashes. No state; any thread.

#include "sha256d.hpp"

#include <synod/cpp/host.hpp>
#include <synod/validation.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace synod::simd {

enum class Column : std::uint8_t { kSignatures, kDigests, kMerkles, kTargets };

//! Checks [first, last) of one column.
struct Task {
    Column column;
    std::uint64_t first;
    std::uint64_t last;
};

//! Throws Failure (SYNOD_E_INVALID) when the batch is shorter than that of version 1.0 or misses a column.
void need_columns(const synod_check_batch& batch);

//! Adds tasks of `each` checks for `n` checks of one column; the last may be shorter.
void split(std::vector<Task>& tasks, Column column, std::uint64_t n, std::uint64_t each);

//! Adds the tasks of the three columns that are hashes.
void split_hashes(std::vector<Task>& tasks, const synod_check_batch& batch);

//! Writes the verdicts of one task of split_hashes. Throws std::bad_alloc.
void check_hashes(const Hasher& hasher, const synod_check_batch& batch, const Task& task);

inline void write(std::uint8_t& verdict, bool holds) noexcept {
    verdict = holds ? SYNOD_VERDICT_HOLDS : SYNOD_VERDICT_FAILS;
}

//! run(task) for each, on all of the host's workers; a lone task stays on this thread.
template <class Run>
void run_tasks(const Host& host, const std::vector<Task>& tasks, Run&& run) {
    if (tasks.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw Failure(SYNOD_E_INVALID, "the batch has too many checks");
    }
    if (tasks.size() == 1) {
        run(tasks[0]);
    } else if (!tasks.empty()) {
        host.parallel(static_cast<std::uint32_t>(tasks.size()), [&](std::uint32_t i) { run(tasks[i]); });
    }
}

}  // namespace synod::simd
