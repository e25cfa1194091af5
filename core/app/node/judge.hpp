// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Keeps the ledgers about peers apart and in force: misbehaviour with its bans (kept over restarts),
//! liveness with its cool-downs, and the suspicion that a failure is our own. Knows identities, not
//! links: what was done stays with whoever did it. Control thread.

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "core/peers/liveness.hpp"
#include "core/peers/misbehaviour.hpp"
#include "core/peers/self_fault.hpp"
#include "core/store/store.hpp"

namespace synod::app {

//! What a peer is accused of. `digest` names the bytes that failed; with it the same bytes from
//! another network make it our own fault.
struct Charge {
    peers::Severity severity = peers::Severity::kMedium;
    std::string reason;  //!< stable code, as `peers` shows it
    std::string rule;    //!< the check that failed
    std::uint64_t height = 0;
    std::optional<Hash> digest;
};

enum class Sentence : std::uint8_t { kNone, kSelfFault, kCoolDown, kDisconnect, kBan };

class Judge {
  public:
    //! `store_change` gets bans to be written.
    explicit Judge(std::function<void(store::Commit)> store_change)
        : store_change_(std::move(store_change)) {}

    //! Bans of earlier runs. Unreadable or ended ones are left out.
    void restore(const std::vector<store::Record>& bans, Instant now, UnixMs unix_now);
    //! `needed` says that without this peer fewer than the least number would be left: then nobody is
    //! banned, the peer cools down, and our own fault is suspected (behaviour.md section 5).
    Sentence charge(const PublicKey& identity, std::uint64_t group, const Charge& charge, bool needed,
                    Instant now, UnixMs unix_now);
    //! It didn't answer, or far too slowly. Costs time, never points.
    void unanswered(const PublicKey& identity, std::string reason, Instant now) {
        liveness_.timed_out(identity, std::move(reason), now);
    }
    void answered(const PublicKey& identity) { liveness_.answered(identity); }
    //! Our own fault is suspected, whoever it was that found out.
    void suspect_ourselves() { ++self_faults_; }

    [[nodiscard]] bool banned(const PublicKey& identity, UnixMs unix_now) const {
        return ledger_.banned(identity, unix_now);
    }
    [[nodiscard]] bool cooling(const PublicKey& identity, Instant now) const {
        return liveness_.cooling(identity, now);
    }
    [[nodiscard]] peers::Standing standing(const PublicKey& identity, Instant now,
                                           UnixMs unix_now) const {
        return ledger_.standing(identity, now, unix_now);
    }
    [[nodiscard]] std::optional<peers::CoolDown> cool_down(const PublicKey& identity) const {
        return liveness_.cool_down(identity);
    }
    [[nodiscard]] std::uint64_t self_faults() const { return self_faults_; }

  private:
    peers::Misbehaviour ledger_;
    peers::Liveness liveness_;
    peers::SelfFault self_fault_;
    std::uint64_t self_faults_ = 0;
    std::function<void(store::Commit)> store_change_;
};

}  // namespace synod::app
