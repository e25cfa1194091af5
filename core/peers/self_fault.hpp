// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Whose fault is a failed check (behaviour.md section 5)? The same bytes failing from peers of two
//! different groups are our fault. Plain values on the control thread. It
//! only says what it suspects; the caller reports to the misbehaviour ledger or pardons.

#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"

namespace synod::peers {

inline constexpr std::size_t kMaxFailureDigests = 1'024;  // different failing bytes; oldest go first
inline constexpr std::size_t kMaxSenders = 16;            // remembered a digest

struct Blame {
    bool self_fault_suspected = false;  //!< true: punish nobody for these bytes
    //! Set when the suspicion arises: who was blamed for the same bytes before and is now cleared.
    std::vector<PublicKey> cleared;
};

class SelfFault {
  public:
    //! `identity` of network `group` (/16 or IPv6 /32, any injective number) sent bytes whose hash
    //! is `digest` and which failed a check here.
    Blame failed(const Hash& digest, const PublicKey& identity, std::uint64_t group);
    [[nodiscard]] std::size_t size() const { return seen_.size(); }

  private:
    struct Entry {
        bool ours = false;  // the fault
        std::uint64_t first_group = 0;
        std::vector<PublicKey> senders;
    };
    Entry& entry_for(const Hash& digest, std::uint64_t group);

    std::unordered_map<Hash, Entry> seen_;
    std::deque<Hash> order_;
};

}  // namespace synod::peers
