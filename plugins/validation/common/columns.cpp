// SPDX-License-Identifier: Apache-2.0
#include "columns.hpp"

#include "merkle.hpp"

#include <algorithm>
#include <cstring>

namespace synod::simd {
namespace {

constexpr std::uint64_t kHashesPerTask = 1024;
constexpr std::uint64_t kLeavesPerTask = 8192;
constexpr std::uint64_t kChunk = 256;  // digests on the stack of a task
constexpr std::uint64_t kHeaderBytes = 80;

//! Both 32 bytes, little-endian.
bool at_or_below(const std::uint8_t* hash, const std::uint8_t* target) noexcept {
    for (int i = 31; i >= 0; --i) {
        if (hash[i] != target[i]) {
            return hash[i] < target[i];
        }
    }
    return true;
}

template <class... Columns>
void need(std::uint64_t n, const char* what, const Columns*... columns) {
    if (n != 0 && ((columns == nullptr) || ...)) {
        throw Failure(SYNOD_E_INVALID, "a column is missing", "report this to the host's author", what);
    }
}

void split_merkles(std::vector<Task>& tasks, const synod_merkle_checks& checks) {
    std::uint64_t first = 0;
    std::uint64_t leaves = 0;
    for (std::uint64_t i = 0; i < checks.n; ++i) {
        leaves += std::min(checks.leaf_counts[i] + 1, kLeavesPerTask);
        if (leaves >= kLeavesPerTask || i + 1 == checks.n) {
            tasks.push_back({Column::kMerkles, first, i + 1});
            first = i + 1;
            leaves = 0;
        }
    }
}

void check_digests(const Hasher& hasher, const synod_digest_checks& c, const Task& task) noexcept {
    std::uint8_t got[32 * kChunk];
    for (std::uint64_t at = task.first; at < task.last; at += kChunk) {
        const std::uint64_t n = std::min(kChunk, task.last - at);
        sha256d(hasher, c.spans + at, n, got);
        for (std::uint64_t i = 0; i < n; ++i) {
            write(c.verdicts[at + i], std::memcmp(got + 32 * i, c.digests[at + i], 32) == 0);
        }
    }
}

void check_targets(const Hasher& hasher, const synod_target_checks& c, const Task& task) noexcept {
    std::uint8_t got[32 * kChunk];
    synod_bytes headers[kChunk];
    for (std::uint64_t at = task.first; at < task.last; at += kChunk) {
        const std::uint64_t n = std::min(kChunk, task.last - at);
        for (std::uint64_t i = 0; i < n; ++i) {
            headers[i] = {c.headers[at + i], kHeaderBytes};
        }
        sha256d(hasher, headers, n, got);
        for (std::uint64_t i = 0; i < n; ++i) {
            write(c.verdicts[at + i], at_or_below(got + 32 * i, c.targets[at + i]));
        }
    }
}

}  // namespace

void need_columns(const synod_check_batch& batch) {
    if (batch.size < sizeof(synod_check_batch)) {
        throw Failure(SYNOD_E_INVALID, "the batch is shorter than that of version 1.0");
    }
    const auto& [n_s, keys, signatures, messages, verdicts_s] = batch.signatures;
    need(n_s, "signatures", keys, signatures, messages, verdicts_s);
    const auto& [n_d, spans, digests, verdicts_d] = batch.digests;
    need(n_d, "digests", spans, digests, verdicts_d);
    const auto& [n_m, leaves, leaf_counts, roots, verdicts_m] = batch.merkles;
    need(n_m, "merkles", leaves, leaf_counts, roots, verdicts_m);
    const auto& [n_t, headers, targets, verdicts_t] = batch.targets;
    need(n_t, "targets", headers, targets, verdicts_t);
}

void split(std::vector<Task>& tasks, Column column, std::uint64_t n, std::uint64_t each) {
    for (std::uint64_t first = 0; first < n; first += each) {
        tasks.push_back({column, first, std::min(n, first + each)});
    }
}

void split_hashes(std::vector<Task>& tasks, const synod_check_batch& batch) {
    split_merkles(tasks, batch.merkles);
    split(tasks, Column::kDigests, batch.digests.n, kHashesPerTask);
    split(tasks, Column::kTargets, batch.targets.n, kHashesPerTask);
}

void check_hashes(const Hasher& hasher, const synod_check_batch& batch, const Task& task) {
    switch (task.column) {
        case Column::kDigests:
            check_digests(hasher, batch.digests, task);
            break;
        case Column::kMerkles:
            check_merkles(hasher, batch.merkles, task.first, task.last);
            break;
        case Column::kTargets:
            check_targets(hasher, batch.targets, task);
            break;
        case Column::kSignatures:
            break;
    }
}

}  // namespace synod::simd
