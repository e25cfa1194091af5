// SPDX-License-Identifier: Apache-2.0
//! Validation on the processor's wide registers and all of the host's workers. Same verdicts as the reference backend;
//! the instruction set and the number of workers change only the time it takes. Never PENDING.

#include "common/columns.hpp"
#include "common/key_cache.hpp"

#include <synod/extra/ed25519_rule.hpp>
#include <synod/validation.hpp>

#include <string>
#include <vector>

namespace synod::simd {
namespace {

constexpr std::uint64_t kSignaturesPerTask = 16;

class Simd final : public Validation {
public:
    explicit Simd(const Context& context) : Validation(context), hasher_(hasher_of(context.config)) {
        if (sodium_init() < 0) {
            throw Failure(SYNOD_E_INTERNAL, "libsodium doesn't start");
        }
    }

    synod_status validate(const synod_check_batch& batch) override {
        need_columns(batch);
        std::vector<Task> tasks;
        split(tasks, Column::kSignatures, batch.signatures.n, kSignaturesPerTask);
        split_hashes(tasks, batch);
        run_tasks(host(), tasks, [&](const Task& task) {
            if (task.column == Column::kSignatures) {
                check_signatures(batch.signatures, task);
            } else {
                check_hashes(hasher_, batch, task);
            }
        });
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

    void check_signatures(const synod_signature_checks& c, const Task& task) {
        for (std::uint64_t i = task.first; i < task.last; ++i) {
            write(c.verdicts[i], keys_.of(c.keys[i], ed25519::key_is_valid) &&
                                     ed25519::holds(c.keys[i], c.signatures[i], c.messages[i]));
        }
    }

    Hasher hasher_;
    KeyCache<bool> keys_;
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
