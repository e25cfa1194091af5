// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/validation.hpp"

namespace synod::pipeline {

namespace {

using Api = synod_validation_api;

constexpr host::Terms kValidate{"validation.validate", host::in(host::State::kActive),
                                host::Role::kWorker, true};
constexpr host::Terms kCancel{"validation.cancel", host::kAlive, host::Role::kUnset, false};
constexpr host::Terms kHash{"validation.sha256d", host::in(host::State::kActive), host::Role::kUnset,
                            false};
constexpr host::Terms kIsa{"validation.isa", host::kAlive, host::Role::kUnset, false};
constexpr std::uint64_t kMaxIsaBytes = 64;

}  // namespace

void Validation::bind(host::Instance& chosen, host::Instance* reference) {
    chosen_ = &chosen;
    reference_ = reference;
    hashing_ = chosen.has(offsetof(Api, sha256d)) ? &chosen : nullptr;
}

void Validation::stand_by(host::Instance* standby, std::function<void(Isolated)> isolated) {
    standby_ = standby;
    isolated_ = std::move(isolated);
}

void Validation::unbind() {
    hashing_ = nullptr;
    chosen_ = nullptr;
    reference_ = nullptr;
    standby_ = nullptr;
}

Result<void> Validation::prove(CheckSet& checks) {
    {
        const std::scoped_lock lock(mutex_);
        if (disagreement_) {
            return std::unexpected(*disagreement_);
        }
    }
    auto proven = prove_both(checks);
    if (!proven && proven.error().code == "validation.disagreement") {
        const std::scoped_lock lock(mutex_);
        disagreement_ = proven.error();
    }
    return proven;
}

void Validation::ask_again() {
    const std::scoped_lock lock(mutex_);
    disagreement_.reset();
}

Result<void> Validation::prove_both(CheckSet& checks) {
    auto* chosen = chosen_.load();
    if (chosen == nullptr) {
        return none_left_ ? std::unexpected(*none_left_)
                          : fail("plugin.missing", "no validation backend is bound");
    }
    if (auto done = prove_on(*chosen, checks); !done || reference_ == nullptr) {
        // At most once a backend: whoever is isolated isn't chosen again.
        return done || chosen_.load() == chosen ? done : prove_both(checks);
    }
    const auto verdicts = checks.verdicts();
    if (auto done = prove_on(*reference_, checks); !done) {
        return done;
    }
    if (const auto other = checks.difference(verdicts); other.count > 0) {
        const auto word = [](std::uint8_t verdict) {
            return verdict == SYNOD_VERDICT_HOLDS ? std::string("holds") : std::string("fails");
        };
        return fail("validation.disagreement",
                    "of a " + std::string(other.kind) + " " + chosen->alias() + " says that it " +
                        word(other.there) + ", " + reference_->alias() + " that it " + word(other.here) +
                        "; they differ in " + std::to_string(other.count) + " of " +
                        std::to_string(checks.size()) + " checks",
                    "block at height " + std::to_string(checks.number() + other.block),
                    "stop using the backend; keep this line as evidence");
    }
    return {};
}

Result<void> Validation::prove_on(host::Instance& backend, CheckSet& checks) {
    auto batch = checks.batch();
    batch.deadline_ns = static_cast<std::uint64_t>((clock_.mono() + limits_.pending).count());
    std::future<synod_status> answer;
    {
        const std::scoped_lock lock(mutex_);
        batch.ticket = ++last_ticket_;
        auto& pending = pending_[batch.ticket];
        pending.owner = &backend;
        answer = pending.answer.get_future();
    }
    const auto* table = backend.table<Api>();
    const auto lent = table != nullptr && table->max_inflight > 0
                          ? std::make_shared<const LentBatch>(batch)
                          : nullptr;
    const synod_check_batch* given = lent ? lent->batch() : &batch;
    auto status = host::call<&Api::validate>(backend, kValidate, checks.number(), given);
    if (status && *status == SYNOD_PENDING) {
        status = wait(backend, lent, std::move(answer));
    }
    forget(batch.ticket);
    if (!status) {
        return std::unexpected(status.error());
    }
    if (lent) {
        lent->give_back(batch);
    }
    if (!checks.answered()) {
        return host::misbehaved(backend, kValidate.function, "it left a check without a verdict");
    }
    return {};
}

Result<synod_status> Validation::wait(host::Instance& backend, std::shared_ptr<const LentBatch> lent,
                                      std::future<synod_status> answer) {
    if (lent == nullptr) {
        auto liar = host::misbehaved(backend, kValidate.function, "PENDING, though it says that it never is");
        isolate(backend, liar.error());
        return liar;
    }
    if (answer.wait_for(limits_.pending) != std::future_status::ready) {
        const auto ticket = lent->batch()->ticket;
        // A failure to cancel changes nothing: the completion is what counts.
        (void)host::guarded(backend, kCancel, ticket, [&](synod_error*) {
            return backend.table<Api>()->cancel(backend.handle(), ticket);
        });
        if (answer.wait_for(limits_.cancel) != std::future_status::ready) {
            backend.failures.fetch_add(1, std::memory_order_relaxed);
            LentBatch::abandon(std::move(lent));
            auto late = fail("plugin.deadline", "a pending batch was never completed", backend.alias(),
                             "report it to the plugin's author");
            isolate(backend, late.error());
            return late;
        }
    }
    const auto status = answer.get();
    if (status < 0) {
        backend.failures.fetch_add(1, std::memory_order_relaxed);
        return std::unexpected(host::to_error(status, synod_error{}, backend.alias(), kValidate.function));
    }
    return status;
}

//! Of the two that are compared in `paranoid` the chosen one may go; without the reference nothing would
//! be compared, and nobody asked for that.
void Validation::isolate(host::Instance& backend, const Error& why) {
    auto* next = &backend == chosen_.load() ? standby_ : nullptr;
    hashing_ = nullptr;
    reference_ = nullptr;
    standby_ = nullptr;
    chosen_ = next;
    if (next == nullptr) {
        none_left_ = Error{"validation.none_left",
                           "nothing can prove in place of " + backend.alias() + ": " + why.message,
                           "plugins.validation",
                           "name another backend, or put synod-validation-reference.so beside the others"};
    }
    if (isolated_) {
        isolated_({backend.alias(), kValidate.function, next == nullptr ? *none_left_ : why,
                   next == nullptr ? std::string() : next->alias()});
    }
}

void Validation::forget(std::uint64_t ticket) {
    const std::scoped_lock lock(mutex_);
    pending_.erase(ticket);
}

void Validation::complete(host::Instance& who, std::uint64_t ticket, synod_status status) {
    const std::scoped_lock lock(mutex_);
    const auto at = pending_.find(ticket);
    if (at == pending_.end() || at->second.owner != &who) {
        return;
    }
    at->second.answer.set_value(status);
    at->second.owner = nullptr;  // a second completion finds nobody
}

void Validation::sha256d(std::span<const synod_bytes> spans, std::uint8_t* out) {
    if (auto* backend = hashing_.load(std::memory_order_acquire); backend != nullptr) {
        const auto done = host::guarded(*backend, kHash, spans.size(), [&](synod_error*) {
            backend->table<Api>()->sha256d(backend->handle(), spans.data(), spans.size(), out);
            return SYNOD_OK;
        });
        if (done) {
            return;
        }
    }
    host::portable_hasher().sha256d(spans, out);
}

std::string Validation::isa() const {
    std::string out;
    auto* backend = chosen_.load();
    if (backend == nullptr || !backend->has(offsetof(Api, isa))) {
        return out;
    }
    (void)host::guarded(*backend, kIsa, 0, [&](synod_error*) {
        const auto text = backend->table<Api>()->isa(backend->handle());
        if (text.p != nullptr && text.n <= kMaxIsaBytes) {
            out.assign(text.p, text.n);
        }
        return SYNOD_OK;
    });
    return out;
}

}  // namespace synod::pipeline
