// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The liveness ledger (behaviour.md section 5): who doesn't answer. A time-out costs a cool-down
//! of 30 s that doubles to 10 min and ends with the first answer; never points, never a ban. Plain
//! values on the control thread; time is passed in. Header only.

#include <algorithm>
#include <unordered_map>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace synod::peers {

inline constexpr Duration kCoolDownFirst = std::chrono::seconds(30);
inline constexpr Duration kCoolDownMax = std::chrono::minutes(10);
inline constexpr std::size_t kMaxLivenessEntries = 4'096;  // identities; the first to end goes first

class Liveness {
  public:
    //! A request to `identity` ran into its deadline. Answers when it may be asked again. Time-outs
    //! during a cool-down change nothing: requests that were open together fail together, once.
    Instant timed_out(const PublicKey& identity, Instant now) {
        make_room(identity);
        auto& entry = entries_[identity];
        if (now < entry.until) {
            return entry.until;
        }
        entry.wait = std::clamp(entry.wait * 2, kCoolDownFirst, kCoolDownMax);
        entry.until = now + entry.wait;
        return entry.until;
    }
    //! A useful answer came: the next time-out starts at 30 s again.
    void answered(const PublicKey& identity) { entries_.erase(identity); }
    [[nodiscard]] bool cooling(const PublicKey& identity, Instant now) const {
        const auto it = entries_.find(identity);
        return it != entries_.end() && now < it->second.until;
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        Duration wait{};
        Instant until{};
    };
    void make_room(const PublicKey& identity) {
        if (entries_.size() < kMaxLivenessEntries || entries_.contains(identity)) {
            return;
        }
        entries_.erase(std::ranges::min_element(
            entries_, {}, [](const auto& entry) { return entry.second.until; }));
    }

    std::unordered_map<PublicKey, Entry> entries_;
};

}  // namespace synod::peers
