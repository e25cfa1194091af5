// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Knows what every honest node has stored for good and everything that an honest authority has signed,
//! and says at once when something is there that must not be: two final blocks at one height, a final
//! block undone, a stored block that doesn't verify, two signatures of one authority for one slot, a ban
//! of an honest peer. It verifies each final block itself, with the reference backend. One thread.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/sim/foundation.hpp"
#include "core/sim/host.hpp"

namespace synod::sim {

struct Violation {
    Instant at{};
    std::string rule;    //!< as in README.md, "What is watched"
    std::string host;
    std::string detail;
};

//! Verifies final blocks. One a foundation and process; begin() starts a simulation anew.
class BlockCheck {
  public:
    //! Errors: plugin.*, genesis.*.
    static Result<std::unique_ptr<BlockCheck>> make(const Foundation& foundation);
    ~BlockCheck();
    void begin();
    //! The block after the last one: nothing when every rule holds, else why not.
    std::optional<std::string> next(const SharedBytes& block);
    //! A method of the consensus plugin that needs no state, for whoever makes proofs of work and events.
    Result<std::string> call(const std::string& method, const std::string& params);
    [[nodiscard]] const std::vector<Hash>& forged() const { return forged_; }
    [[nodiscard]] std::uint64_t forged_final() const { return forged_final_; }

  private:
    BlockCheck() = default;
    Result<void> take_forged(const Foundation& foundation);

    Events events_;  // never run: whoever waits does the work
    std::unique_ptr<VirtualClock> clock_;
    std::unique_ptr<app::Runtime> runtime_;
    pipeline::State base_, state_;
    std::vector<Hash> forged_;
    std::uint64_t forged_final_ = 0;
};

class Referee {
  public:
    //! `hopeless`: more authorities are Byzantine than a federation bears, so final chains may differ.
    Referee(Events& events, BlockCheck& check, bool hopeless = false)
        : events_(events), check_(check), hopeless_(hopeless) {
        check_.begin();
    }

    void add(Host& host, bool honest);
    void signed_by(HostId host, const synod_sign_request& request);
    //! The host's final blocks became more.
    void committed(Host& host, std::uint64_t from, std::uint64_t to);
    //! It holds something against a peer, a ban or less.
    void charged(const Host& by, const PublicKey& identity, const std::string& reason);
    void banned(const Host& by, const PublicKey& identity, const std::string& reason);
    //! Everything that an honest host has stored, once more.
    void audit(Host& host);
    void violated(std::string rule, std::string host, std::string detail);

    [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
    struct Ban {
        Instant at{};
        std::string by, who, reason;
        bool right = false;  //!< of a hostile one
    };
    [[nodiscard]] const std::vector<Ban>& bans() const { return bans_; }
    //! Slots for which a Byzantine authority signed two different blocks, or approved two.
    [[nodiscard]] std::uint64_t equivocations() const { return equivocations_; }
    [[nodiscard]] std::uint64_t final_height() const { return final_.empty() ? 0 : final_.size() - 1; }

  private:
    struct Final {
        Hash hash;
        std::uint64_t bytes = 0;  //!< their fingerprint
        std::string first;        //!< who had it first
    };
    struct Known {
        std::string name;
        bool honest = false;
    };
    void compare(Host& host, std::uint64_t height, const Hash& hash, const SharedBytes& block);

    Events& events_;
    BlockCheck& check_;
    const bool hopeless_;
    std::vector<Final> final_;  // by height
    std::map<HostId, Known> hosts_;
    std::map<PublicKey, Known> identities_;
    std::map<std::tuple<PublicKey, std::uint32_t, std::uint64_t>, Bytes> signed_;
    std::map<HostId, PublicKey> keys_;
    std::uint64_t equivocations_ = 0;
    std::vector<Violation> violations_;
    std::vector<Ban> bans_;
};

}  // namespace synod::sim
