// SPDX-License-Identifier: Apache-2.0
//! verify.ed25519.*: signatures through a validation backend on one core, guards on. `single` hands over
//! one signature a call, beside libsodium; `batch` a federation's worth of them to the backend with the id
//! synod.validation.batch, beside `single`.
#include <sodium.h>

#include "core/app/bench/families.hpp"
#include "core/app/bench/micro.hpp"
#include "core/app/forge/authorities.hpp"
#include "core/pipeline/check_set.hpp"
#include "core/pipeline/validation.hpp"

namespace synod::app::bench {

namespace {

constexpr std::size_t kSignatures = 1'024;  // of one batch, over the keys of kAuthorities authorities
constexpr std::size_t kSingles = 32;        // an iteration
constexpr std::size_t kMessageBytes = 48;   // a tag and a hash: what authorities sign
constexpr std::uint32_t kRule = 1;
constexpr const char* kBatchBackend = "batch";

struct Signed {
    PublicKey key;
    Signature signature;
    std::array<std::uint8_t, kMessageBytes> message{};
};

std::vector<Signed> make_signatures() {
    const auto authorities = forge::make_authorities(kSeed, kAuthorities);
    std::vector<Signed> out(kSignatures);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto& key = *authorities[i % authorities.size()];
        std::memcpy(out[i].message.data(), &i, sizeof i);
        out[i].key = key.public_key();
        out[i].signature = key.sign(out[i].message);
    }
    return out;
}

//! The checks of some of them, as the consensus plugin would write them.
void write(const std::vector<Signed>& from, std::size_t first, std::size_t count, pipeline::CheckSet& to) {
    const auto* writer = to.writer();
    for (std::size_t i = first; i < first + count; ++i) {
        writer->signature(writer->ctx, static_cast<std::uint32_t>(i), kRule, from[i].key.data.data(),
                          from[i].signature.data.data(), {from[i].message.data(), kMessageBytes});
    }
}

//! A backend on one worker, and the way to it that the pipeline takes.
class Backend {
  public:
    static Result<std::unique_ptr<Backend>> start(Workspace& work, const std::string& name,
                                                  const std::string& isa) {
        auto runtime = work.runtime(name, isa, 1);
        if (!runtime) {
            return std::unexpected(runtime.error());
        }
        auto out = std::make_unique<Backend>();
        out->runtime_ = std::move(*runtime);
        out->validation_.bind(*out->runtime_->registry().of_kind(SYNOD_KIND_VALIDATION), nullptr);
        return out;
    }
    //! Every check holds. [worker of this thread]
    Result<void> prove(pipeline::CheckSet& checks) {
        if (auto proven = validation_.prove(checks); !proven) {
            return proven;
        }
        return checks.first_failure() ? fail("bench.wrong_verdict", "it refuses a signature that holds")
                                      : Result<void>{};
    }

  private:
    std::unique_ptr<Runtime> runtime_;
    pipeline::Validation validation_;
};

void with_libsodium(const std::vector<Signed>& all) {
    for (std::size_t i = 0; i < kSingles; ++i) {
        const auto held = crypto_sign_verify_detached(all[i].signature.data.data(), all[i].message.data(),
                                                      kMessageBytes, all[i].key.data.data());
        keep(&held);
    }
}

//! What the timed pieces share. The first error stays.
struct Bench {
    std::vector<Signed> all = make_signatures();
    Result<void> outcome;

    void prove(Backend& backend, pipeline::CheckSet& checks) {
        if (auto done = backend.prove(checks); !done && outcome) {
            outcome = done;
        }
    }
};

}  // namespace

Figures bench_verify(Workspace& work) {
    const auto& chosen = work.options();
    auto single = Backend::start(work, chosen.backend, chosen.isa);
    if (!single) {
        return all_failed("verify", single.error());
    }
    // An instruction set is named for the chosen backend; another one may not know it.
    auto batch = Backend::start(work, kBatchBackend, chosen.backend == kBatchBackend ? chosen.isa : "");
    Bench bench;
    std::vector<pipeline::CheckSet> ones(kSingles);
    for (std::size_t i = 0; i < ones.size(); ++i) {
        write(bench.all, i, 1, ones[i]);
    }
    pipeline::CheckSet many;
    write(bench.all, 0, kSignatures, many);
    Micro micro;
    micro.add("libsodium", kSingles, [&] { with_libsodium(bench.all); });
    micro.add("single", kSingles, [&] {
        for (auto& one : ones) {
            bench.prove(**single, one);
        }
    });
    if (batch) {
        micro.add("batch", kSignatures, [&] { bench.prove(**batch, many); });
    }
    // This thread stands in for a worker: the fence lets plugins run on no other.
    const auto role = std::exchange(host::thread_role, host::Role::kWorker);
    auto seconds = micro.run(chosen.runs);
    host::thread_role = role;
    if (!bench.outcome) {
        return all_failed("verify", bench.outcome.error());
    }
    Figures out(1);
    out[0].name = "verify.ed25519.single";
    out[0].value = sample(per_second(seconds["single"]));
    out[0].baseline = "libsodium, one core";
    out[0].baseline_value = sample(per_second(seconds["libsodium"]));
    out[0].details["backend"] = chosen.backend;
    if (!batch) {
        out.push_back(absent("verify.ed25519.batch", batch.error().text()));
        return out;
    }
    Figure of_batch;
    of_batch.name = "verify.ed25519.batch";
    of_batch.value = sample(per_second(seconds["batch"]));
    of_batch.baseline = "verify.ed25519.single, one core";
    of_batch.baseline_value = out[0].value;
    of_batch.details = {{"signatures", kSignatures}, {"keys", kAuthorities}};
    out.push_back(std::move(of_batch));
    return out;
}

}  // namespace synod::app::bench
