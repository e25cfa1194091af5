// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The validation backends as core sees them: proves a CheckSet on the chosen one and, when there is
//! one beside it, on the reference, and routes the host's hash service to the chosen one. Owned by the
//! app, made before the registry (it is the registry's Hasher and Completion), bound to instances once
//! they are active. `prove` runs on one strand at a time, everything else on any thread.

#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include "core/host/guard.hpp"
#include "core/host/services.hpp"
#include "core/pipeline/check_set.hpp"

namespace synod::pipeline {

//! How long a backend may leave a batch PENDING, and how much longer after it was cancelled.
inline constexpr std::chrono::seconds kPendingLimit{60};
inline constexpr std::chrono::seconds kCancelLimit{10};

class Validation final : public host::Hasher, public host::Completion {
  public:
    //! `clock` gives batches their deadline and must outlive this.
    explicit Validation(host::Clock& clock = host::system_clock()) : clock_(clock) {}

    //! [main] Instances of the validation kind, active; `reference` may be null. They outlive their
    //! use here, which unbind() ends.
    void bind(host::Instance& chosen, host::Instance* reference);
    //! [main] When no call runs any more, before the instances go.
    void unbind();

    //! Every verdict is written, or an error: plugin.*, plugin.misbehaving (a verdict is missing),
    //! plugin.deadline, validation.disagreement (chosen and reference differ; the message has both).
    //! [worker] of both instances.
    Result<void> prove(CheckSet& checks);
    //! The instruction set that the chosen one uses; empty when it doesn't say.
    [[nodiscard]] std::string isa() const;

    //! [shared] libsodium's, when the backend has none or fails.
    void sha256d(std::span<const synod_bytes> spans, std::uint8_t* out) override;
    //! [shared] Ends a PENDING batch of `who`. Another instance's ticket, or an unknown one, is ignored.
    void complete(host::Instance& who, std::uint64_t ticket, synod_status status) override;

  private:
    struct Pending {
        host::Instance* owner = nullptr;
        std::promise<synod_status> answer;
    };
    Result<void> prove_on(host::Instance& backend, CheckSet& checks);
    Result<synod_status> wait(host::Instance& backend, std::uint64_t ticket,
                              std::future<synod_status> answer);
    void forget(std::uint64_t ticket);

    host::Clock& clock_;
    std::atomic<host::Instance*> chosen_{nullptr};
    host::Instance* reference_ = nullptr;
    std::atomic<host::Instance*> hashing_{nullptr};
    std::mutex mutex_;
    std::map<std::uint64_t, Pending> pending_;  // by ticket; at most one a backend
    std::uint64_t last_ticket_ = 0;             // with mutex_
};

}  // namespace synod::pipeline
