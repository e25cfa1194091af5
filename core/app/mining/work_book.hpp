// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The work that miners were given: bounded, expiring, written to the store so that a proof found while
//! the node restarted still counts. A plain value without clock or I/O; control thread.

#include <deque>
#include <optional>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::app {

//! Pieces of work that are remembered; the oldest go first.
inline constexpr std::size_t kMaxGivenWork = 256;
//! After so long a proof comes too late to be looked at, ms.
inline constexpr UnixMs kWorkLifeMs = 60 * 60 * 1'000;
//! Whoever asks again within this time gets the same work, ms: new blocks every slot are no reason to
//! make miners begin anew.
inline constexpr UnixMs kWorkRefreshMs = 5'000;
inline constexpr std::size_t kMaxTaskBytes = 4u << 10;
inline constexpr std::size_t kMaxPayoutBytes = 32;

struct GivenWork {
    Hash hash;  //!< what the proof commits to, internal order
    Bytes task;
    Bytes payout;
    Hash target;  //!< little-endian
    Hash previous;  //!< last final block when it was given
    std::uint64_t range_start = 0, range_end = 0;
    std::uint64_t number = 0;  //!< of the record that it would make
    std::uint32_t bits = 0, chain_id = 0;
    UnixMs given = 0;
    bool solved = false;
    auto operator<=>(const GivenWork&) const = default;
};

class WorkBook {
  public:
    //! What this payout was given last, when that still is what it would get: the same final block, and
    //! nothing newer committed or not refreshed yet. Null otherwise.
    [[nodiscard]] const GivenWork* current(ByteView payout, std::uint64_t final_height,
                                           std::uint64_t committed_height, UnixMs now) const;
    void add(GivenWork work);  //!< one that is known stays as it is
    [[nodiscard]] const GivenWork* find(const Hash& hash) const;
    void solve(const Hash& hash);
    void expire(UnixMs now);
    [[nodiscard]] std::size_t size() const { return work_.size(); }

    [[nodiscard]] Bytes encode() const;
    //! Errors: mining.record_damaged; the book is then as it was.
    Result<void> decode(ByteView bytes);

  private:
    std::deque<GivenWork> work_;  // oldest first
};

}  // namespace synod::app
