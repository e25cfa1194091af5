// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The misbehaviour ledger (behaviour.md section 5): what an identity provably did wrong, decaying
//! by half every 600 s, and the bans that follow. Slowness has no place here. Plain values on the
//! control thread; time is passed in; bans are kept over restarts through `bans()` and `restore`.

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace synod::peers {

inline constexpr double kDisconnectAt = 20;
inline constexpr double kBanAt = 50;
inline constexpr double kMaxPoints = 100;
inline constexpr Duration kHalfLife = std::chrono::seconds(600);
inline constexpr std::uint64_t kBanMs = 24ull * 3600 * 1000;
inline constexpr std::size_t kMaxLedgerEntries = 4'096;  // identities; the least guilty goes first
inline constexpr std::size_t kMaxEvidence = 8;           // offences kept an identity

//! How much one offence weighs. Fatal ones can't happen by accident.
enum class Severity : std::uint8_t { kSlight, kMedium, kGrave, kFatal };
double points(Severity severity);

struct Offence {
    std::string reason;  //!< stable code, for example "invalid_block"
    std::string rule;    //!< the check that failed
    std::uint64_t height = 0;
    UnixMs at = 0;
};

enum class Verdict : std::uint8_t { kNone, kDisconnect, kBan };

struct Standing {
    double points = 0;
    std::optional<UnixMs> banned_until;
    std::vector<Offence> offences;  //!< newest last
};

struct Ban {
    PublicKey identity;
    UnixMs until = 0;
    Offence why;
};

class Misbehaviour {
  public:
    //! Adds an offence and says what follows from the standing now.
    Verdict report(const PublicKey& identity, Severity severity, Offence offence, Instant now);
    [[nodiscard]] Standing standing(const PublicKey& identity, Instant now, UnixMs unix_now) const;
    [[nodiscard]] bool banned(const PublicKey& identity, UnixMs unix_now) const;
    [[nodiscard]] std::vector<Ban> bans(UnixMs unix_now) const;
    void restore(const Ban& ban, Instant now);
    void pardon(const PublicKey& identity) { entries_.erase(identity); }
    //! Lifts the ban and keeps the points: for a rule that would leave too few peers.
    void unban(const PublicKey& identity);

  private:
    struct Entry {
        double points = 0;
        Instant as_of{};
        UnixMs banned_until = 0;
        std::deque<Offence> offences;
    };
    static double decayed(const Entry& entry, Instant now);
    Entry& entry_for(const PublicKey& identity, Instant now);

    std::unordered_map<PublicKey, Entry> entries_;
};

}  // namespace synod::peers
