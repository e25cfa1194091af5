// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The liveness ledger (behaviour.md section 5): who doesn't answer. A time-out costs a cool-down
//! of 30 s that doubles to 10 min and ends with the first answer; never points, never a ban. Plain
//! values on the control thread; time is passed in. Header only.

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace synod::peers {

inline constexpr Duration kCoolDownFirst = std::chrono::seconds(30);
inline constexpr Duration kCoolDownMax = std::chrono::minutes(10);
inline constexpr std::size_t kMaxLivenessEntries = 4'096;  // identities; the first to end goes first

struct CoolDown {
    Instant until{};
    std::string reason;       //!< of the newest time-out
    std::uint32_t times = 0;  //!< since the last useful answer
};

class Liveness {
  public:
    //! A request to `identity` ran into its deadline. Answers when it may be asked again. Time-outs
    //! during a cool-down don't lengthen it: requests that were open together fail together, once.
    Instant timed_out(const PublicKey& identity, std::string reason, Instant now) {
        make_room(identity);
        auto& [wait, cool_down] = entries_[identity];
        cool_down.reason = std::move(reason);
        if (now >= cool_down.until) {
            wait = std::clamp(wait * 2, kCoolDownFirst, kCoolDownMax);
            cool_down.until = now + wait;
            ++cool_down.times;
        }
        return cool_down.until;
    }
    //! A useful answer came: the next time-out starts at 30 s again.
    void answered(const PublicKey& identity) { entries_.erase(identity); }
    //! The newest cool-down since the last useful answer; it may have ended.
    [[nodiscard]] std::optional<CoolDown> cool_down(const PublicKey& identity) const {
        const auto it = entries_.find(identity);
        return it == entries_.end() ? std::nullopt : std::optional(it->second.cool_down);
    }
    [[nodiscard]] bool cooling(const PublicKey& identity, Instant now) const {
        const auto it = entries_.find(identity);
        return it != entries_.end() && now < it->second.cool_down.until;
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        Duration wait{};
        CoolDown cool_down;
    };
    void make_room(const PublicKey& identity) {
        if (entries_.size() < kMaxLivenessEntries || entries_.contains(identity)) {
            return;
        }
        entries_.erase(std::ranges::min_element(
            entries_, {}, [](const auto& entry) { return entry.second.cool_down.until; }));
    }

    std::unordered_map<PublicKey, Entry> entries_;
};

}  // namespace synod::peers
