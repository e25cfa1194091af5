// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Governance events that no block carries yet: those that hold and follow each other from the chain's last one,
//! and those that came before their predecessors. Bounded; what it has no room for it says. A plain value without
//! clock or I/O; control thread.

#include <map>
#include <optional>
#include <vector>

#include "core/base/bytes.hpp"

namespace synod::app {

//! Events that wait at once, early ones included. Over it an event is refused, and asked for again later.
inline constexpr std::size_t kMaxBufferedEvents = 1'000;
//! Events that a block carries and that are kept all the same: the chain may turn to a branch without that block.
inline constexpr std::size_t kKeptCarriedEvents = 64;

class EventBuffer {
  public:
    enum class Kept : std::uint8_t { kept, duplicate, full };

    //! The head's chain carries everything up to here. It may go back, too.
    void carried(std::uint64_t sequence);
    [[nodiscard]] std::uint64_t carried() const { return carried_; }
    //! The number that the next event must have.
    [[nodiscard]] std::uint64_t next() const { return base_ + events_.size() + 1; }
    //! Precondition: it was proven to follow the run.
    Kept append(Bytes event);
    //! An early one, not judged yet. Precondition: sequence >= next().
    Kept hold(std::uint64_t sequence, Bytes event);
    //! The early one that is next, taken out.
    std::optional<Bytes> take_next();
    //! Those from this place in the run on can't be carried any more. How many went.
    std::size_t cut(std::size_t from);
    //! In order, the first follows what is carried.
    [[nodiscard]] std::vector<Bytes> run() const;
    //! The run, and before it what is kept for another branch.
    [[nodiscard]] const std::vector<Bytes>& kept() const { return events_; }
    //! Those that wait: the run and the early ones.
    [[nodiscard]] std::size_t size() const { return next() - 1 - carried_ + early_.size(); }
    [[nodiscard]] std::size_t early() const { return early_.size(); }
    //! The first number that an early one waits for, and the one before it; nothing without a gap.
    [[nodiscard]] std::optional<std::pair<std::uint64_t, std::uint64_t>> gap() const;

  private:
    std::uint64_t base_ = 0, carried_ = 0;  // base_ <= carried_ <= base_ + events_.size()
    std::vector<Bytes> events_;  // numbered from base_ + 1 on
    std::map<std::uint64_t, Bytes> early_;
};

}  // namespace synod::app
