// SPDX-License-Identifier: Apache-2.0
//! Validation that proves Ed25519 signatures many at a time; the hash columns are those of simd. Same verdicts as the
//! reference backend. Never PENDING: a batch is what one call brings, and nothing waits for more.

#include "common/columns.hpp"
#include "equations.hpp"

#include <synod/validation.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace synod::batch {
namespace {

//! Signatures proven together. Below the lower bound a sum's fixed part weighs more than another worker is worth; the
//! upper one bounds a worker's memory (1.5 MiB) and what one bad signature makes it do again.
constexpr std::uint64_t kMinTogether = 32;
constexpr std::uint64_t kMaxTogether = 2048;

constexpr std::uint8_t kBasePoint[32] = {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                         0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                         0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};

struct Choice {
    const Kernel* curve;
    simd::Hasher hasher;
    std::string name;  // of both, as isa() gives it
};

//! A forced instruction set holds for the hashes too: the widest kernel that needs nothing beyond it.
Choice choice_of(const Value& config) {
    const Value* named = config.find("isa");
    const std::string isa = named != nullptr ? named->as_string() : "auto";
    const Kernel* curve = choose_kernel(isa);
    const simd::Hasher hasher = simd::choose_hasher(isa == "avx512ifma" ? "avx512" : isa);
    if (curve == nullptr || hasher.wide == nullptr) {
        throw Failure(SYNOD_E_CONFIG, "this processor can't run the instruction set '" + isa + "'",
                      "set isa to auto", "isa");
    }
    const std::string name = curve->name;
    return {curve, hasher, name == hasher.wide->name ? name : name + "+" + hasher.wide->name};
}

class Batch final : public Validation {
public:
    explicit Batch(const Context& context) : Validation(context), choice_(choice_of(context.config)) {
        if (sodium_init() < 0) {
            throw Failure(SYNOD_E_INTERNAL, "libsodium doesn't start");
        }
        if (!make_fixed(kBasePoint, base_)) {
            throw Failure(SYNOD_E_INTERNAL, "the base point can't be decoded");
        }
    }

    synod_status validate(const synod_check_batch& batch) override {
        simd::need_columns(batch);
        const std::uint64_t n = batch.signatures.n;
        const std::uint64_t workers = std::max<std::uint64_t>(host().workers(), 1);
        const std::uint64_t together = std::clamp((n + workers - 1) / workers, kMinTogether, kMaxTogether);
        std::vector<simd::Task> tasks;
        simd::split(tasks, simd::Column::kSignatures, n, together);
        simd::split_hashes(tasks, batch);
        simd::run_tasks(host(), tasks, [&](const simd::Task& task) {
            if (task.column == simd::Column::kSignatures) {
                Equations(*choice_.curve, signers_, base_).check(batch.signatures, task.first, task.last);
            } else {
                simd::check_hashes(choice_.hasher, batch, task);
            }
        });
        return SYNOD_OK;
    }

    void sha256d(std::span<const synod_bytes> spans, std::uint8_t* out) noexcept override {
        simd::sha256d(choice_.hasher, spans.data(), spans.size(), out);
    }

    std::string_view isa() const noexcept override { return choice_.name; }
    std::uint64_t preferred_batch() const noexcept override { return 4096; }

private:
    Choice choice_;
    FixedPoint base_;
    Signers signers_;
};

}  // namespace
}  // namespace synod::batch

SYNOD_PLUGIN(synod::batch::Batch, {.id = "synod.validation.batch",
                                   .name = "Batch signature validation",
                                   .version = "1.0.0",
                                   .vendor = "Synod",
                                   .license = "Apache-2.0",
                                   .flags = SYNOD_F_DETERMINISTIC,
                                   .optional = {"synod.exec/1"},
                                   .config_schema = R"({
  "type": "object", "additionalProperties": false, "properties": {
    "isa": {"type": "string", "enum": ["auto", "portable", "avx2", "avx512ifma"], "default": "auto",
            "description": "instruction set of the curve and hash kernels; auto takes the fastest that the processor has"}
  }})"});
