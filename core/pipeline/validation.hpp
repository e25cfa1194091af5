// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The validation backends as core sees them: proves a CheckSet on the chosen one and, when there is
//! one beside it, on the reference, and routes the host's hash service to the chosen one. Owned by the
//! app, made before the registry (it is the registry's Hasher and Completion), bound to instances once
//! they are active. `prove` runs on one strand at a time, everything else on any thread.

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>

#include "core/host/guard.hpp"
#include "core/host/services.hpp"
#include "core/pipeline/check_set.hpp"
#include "core/pipeline/lent_batch.hpp"

namespace synod::pipeline {

//! How long a backend may leave a batch PENDING, and how much longer after it was cancelled. Together
//! less than what the sync's watchdog waits at least (10 s): the backend is named before a stall is.
inline constexpr Duration kPendingLimit = std::chrono::seconds(8);
inline constexpr Duration kCancelLimit = std::chrono::seconds(1);

struct PendingLimits {
    Duration pending = kPendingLimit;
    Duration cancel = kCancelLimit;
};

//! A backend that was taken out of use.
struct Isolated {
    std::string alias;
    std::string call;
    Error why;
    std::string instead;  //!< who proves from now on; empty: nobody is left, every proof fails
};

class Validation final : public host::Hasher, public host::Completion {
  public:
    //! `clock` gives batches their deadline and must outlive this.
    explicit Validation(host::Clock& clock = host::system_clock(), PendingLimits limits = {})
        : clock_(clock), limits_(limits) {}

    //! [main] Instances of the validation kind, active; `reference` may be null. They outlive their
    //! use here, which unbind() ends.
    void bind(host::Instance& chosen, host::Instance* reference);
    //! [main] After bind, before the first proof. `standby` proves in place of a chosen one that never
    //! completes a batch; it may be bind's reference, or null. `isolated` is told of whoever goes, on a
    //! worker.
    void stand_by(host::Instance* standby, std::function<void(Isolated)> isolated);
    //! [main] When no call runs any more, before the instances go.
    void unbind();

    //! Every verdict is written, or an error: plugin.*, plugin.misbehaving (a verdict is missing),
    //! validation.disagreement (chosen and reference differ; the message has both): from then on neither is
    //! asked, and every proof fails with that error, until ask_again(). A backend that never completes a batch
    //! is isolated and the batch proven by the one that stands by; validation.none_left: there is none.
    //! [worker] of all instances.
    Result<void> prove(CheckSet& checks);
    //! The two that disagreed are asked again, both. Any thread.
    void ask_again();
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
    Result<void> prove_both(CheckSet& checks);
    Result<void> prove_on(host::Instance& backend, CheckSet& checks);
    Result<synod_status> wait(host::Instance& backend, std::shared_ptr<const LentBatch> lent,
                              std::future<synod_status> answer);
    void isolate(host::Instance& backend, const Error& why);
    void forget(std::uint64_t ticket);

    host::Clock& clock_;
    const PendingLimits limits_;
    std::atomic<host::Instance*> chosen_{nullptr};
    host::Instance* reference_ = nullptr;
    host::Instance* standby_ = nullptr;
    std::function<void(Isolated)> isolated_;
    std::optional<Error> none_left_;
    std::optional<Error> disagreement_;  // with mutex_
    std::atomic<host::Instance*> hashing_{nullptr};
    std::mutex mutex_;
    std::map<std::uint64_t, Pending> pending_;  // by ticket; at most one a backend
    std::uint64_t last_ticket_ = 0;             // with mutex_
};

}  // namespace synod::pipeline
