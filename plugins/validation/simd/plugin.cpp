// SPDX-License-Identifier: Apache-2.0
//! Validation on the processor's wide registers and all of the host's workers. Same verdicts as the reference backend;
//! the instruction set and the number of workers change only the time it takes. Never PENDING.

#include "key_cache.hpp"
#include "merkle.hpp"
#include "sha256d.hpp"

#include <synod/validation.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace synod::simd {
namespace {

constexpr std::uint64_t kSignaturesPerTask = 16;
constexpr std::uint64_t kHashesPerTask = 1024;
constexpr std::uint64_t kLeavesPerTask = 8192;
constexpr std::uint64_t kChunk = 256;  // digests on the stack of a task
constexpr std::uint64_t kHeaderBytes = 80;

enum class Column : std::uint8_t { kSignatures, kDigests, kMerkles, kTargets };

//! Checks [first, last) of one column.
struct Task {
    Column column;
    std::uint64_t first;
    std::uint64_t last;
};

void write(std::uint8_t& verdict, bool holds) noexcept {
    verdict = holds ? SYNOD_VERDICT_HOLDS : SYNOD_VERDICT_FAILS;
}

bool at_or_below(const std::uint8_t* hash, const std::uint8_t* target) noexcept {
    return !ed25519::below(target, hash);
}

template <class... Columns>
void need(std::uint64_t n, const char* what, const Columns*... columns) {
    if (n != 0 && ((columns == nullptr) || ...)) {
        throw Failure(SYNOD_E_INVALID, "a column is missing", "report this to the host's author", what);
    }
}

void split(std::vector<Task>& tasks, Column column, std::uint64_t n, std::uint64_t each) {
    for (std::uint64_t first = 0; first < n; first += each) {
        tasks.push_back({column, first, std::min(n, first + each)});
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

class Simd final : public Validation {
public:
    explicit Simd(const Context& context) : Validation(context), hasher_(hasher_of(context.config)) {
        if (sodium_init() < 0) {
            throw Failure(SYNOD_E_INTERNAL, "libsodium doesn't start");
        }
    }

    synod_status validate(const synod_check_batch& batch) override {
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

        std::vector<Task> tasks;
        split(tasks, Column::kSignatures, n_s, kSignaturesPerTask);
        split_merkles(tasks, batch.merkles);
        split(tasks, Column::kDigests, n_d, kHashesPerTask);
        split(tasks, Column::kTargets, n_t, kHashesPerTask);
        if (tasks.size() > std::numeric_limits<std::uint32_t>::max()) {
            throw Failure(SYNOD_E_INVALID, "the batch has too many checks");
        }
        if (tasks.size() == 1) {
            run(batch, tasks[0]);
        } else if (!tasks.empty()) {
            host().parallel(static_cast<std::uint32_t>(tasks.size()),
                            [&](std::uint32_t i) { run(batch, tasks[i]); });
        }
        return SYNOD_OK;
    }

    void sha256d(std::span<const synod_bytes> spans, std::uint8_t* out) noexcept override {
        simd::sha256d(hasher_, spans.data(), spans.size(), out);
    }

    std::string_view isa() const noexcept override { return hasher_.wide->name; }
    std::uint64_t preferred_batch() const noexcept override { return 4096; }

private:
    static Hasher hasher_of(const Value& config) {
        const Value* on = config.find("simd");
        const Value* named = config.find("isa");
        std::string isa = named != nullptr ? named->as_string() : "auto";
        if (on != nullptr && !on->as_bool()) {
            isa = "portable";
        }
        const Hasher hasher = choose_hasher(isa);
        if (hasher.wide == nullptr) {
            throw Failure(SYNOD_E_CONFIG, "this processor can't run the instruction set '" + isa + "'",
                          "set isa to auto", "isa");
        }
        return hasher;
    }

    void run(const synod_check_batch& batch, const Task& task) {
        switch (task.column) {
            case Column::kSignatures:
                check_signatures(batch.signatures, task);
                break;
            case Column::kDigests:
                check_digests(batch.digests, task);
                break;
            case Column::kMerkles:
                check_merkles(hasher_, batch.merkles, task.first, task.last);
                break;
            case Column::kTargets:
                check_targets(batch.targets, task);
                break;
        }
    }

    void check_signatures(const synod_signature_checks& c, const Task& task) {
        for (std::uint64_t i = task.first; i < task.last; ++i) {
            write(c.verdicts[i], keys_.valid(c.keys[i]) &&
                                     ed25519::holds(c.keys[i], c.signatures[i], c.messages[i]));
        }
    }

    void check_digests(const synod_digest_checks& c, const Task& task) const noexcept {
        std::uint8_t got[32 * kChunk];
        for (std::uint64_t at = task.first; at < task.last; at += kChunk) {
            const std::uint64_t n = std::min(kChunk, task.last - at);
            simd::sha256d(hasher_, c.spans + at, n, got);
            for (std::uint64_t i = 0; i < n; ++i) {
                write(c.verdicts[at + i], std::memcmp(got + 32 * i, c.digests[at + i], 32) == 0);
            }
        }
    }

    void check_targets(const synod_target_checks& c, const Task& task) const noexcept {
        std::uint8_t got[32 * kChunk];
        synod_bytes headers[kChunk];
        for (std::uint64_t at = task.first; at < task.last; at += kChunk) {
            const std::uint64_t n = std::min(kChunk, task.last - at);
            for (std::uint64_t i = 0; i < n; ++i) {
                headers[i] = {c.headers[at + i], kHeaderBytes};
            }
            simd::sha256d(hasher_, headers, n, got);
            for (std::uint64_t i = 0; i < n; ++i) {
                write(c.verdicts[at + i], at_or_below(got + 32 * i, c.targets[at + i]));
            }
        }
    }

    Hasher hasher_;
    KeyCache keys_;
};

}  // namespace
}  // namespace synod::simd

SYNOD_PLUGIN(synod::simd::Simd, {.id = "synod.validation.simd",
                                 .name = "Wide-register validation",
                                 .version = "1.0.0",
                                 .vendor = "Synod",
                                 .license = "Apache-2.0",
                                 .flags = SYNOD_F_DETERMINISTIC,
                                 .optional = {"synod.exec/1"},
                                 .config_schema = R"({
  "type": "object", "additionalProperties": false, "properties": {
    "simd": {"type": "boolean", "default": true,
             "description": "false: one message at a time in plain registers, whatever the processor has"},
    "isa": {"type": "string", "enum": ["auto", "portable", "sse2", "avx2", "avx512", "sha-ni"], "default": "auto",
            "description": "instruction set of the hash kernels; auto takes the fastest that the processor has"}
  }})"});
