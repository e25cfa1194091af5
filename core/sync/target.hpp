// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What to sync to: the highest height with verified evidence (behaviour.md section 3). A peer's
//! claim is kept apart, as a hint. Owned by the machine, control thread.

#include <algorithm>
#include <optional>

#include "core/sync/types.hpp"

namespace synod::sync {

class Target {
  public:
    //! A certificate or enough signed heads were verified for this block. True when it is news.
    bool evidence(const BlockRef& block, Slot slot) {
        if (best_ && (block.height < best_->height ||
                      (block.height == best_->height && slot <= slot_))) {
            return false;
        }
        best_ = block;
        slot_ = slot;
        return true;
    }
    //! The operator's own end; none: the network's tip.
    void cap(std::optional<Height> height) { cap_ = height; }

    //! The evidence-backed tip, uncapped: what the production gate measures against.
    [[nodiscard]] std::optional<BlockRef> best() const { return best_; }
    //! Where to sync to now; none before any evidence.
    [[nodiscard]] std::optional<Height> height() const {
        if (!best_) {
            return std::nullopt;
        }
        return cap_ ? std::min(*cap_, best_->height) : best_->height;
    }
    [[nodiscard]] std::optional<Height> cap() const { return cap_; }

  private:
    std::optional<BlockRef> best_;
    Slot slot_ = 0;
    std::optional<Height> cap_;
};

}  // namespace synod::sync
