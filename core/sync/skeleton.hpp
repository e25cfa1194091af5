// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The verified header chain, kept as one hash every kAnchorStride blocks plus its tip: 10 million
//! blocks are 3 MB. Owned by the machine, control thread.

#include <deque>
#include <optional>
#include <vector>

#include "core/sync/types.hpp"

namespace synod::sync {

class Skeleton {
  public:
    explicit Skeleton(const BlockRef& base) : base_(base) {}

    void reset(const BlockRef& base) {
        base_ = base;
        anchors_.clear();
    }
    [[nodiscard]] const BlockRef& base() const { return base_; }
    [[nodiscard]] const BlockRef& tip() const { return anchors_.empty() ? base_ : anchors_.back(); }
    [[nodiscard]] std::size_t size() const { return anchors_.size(); }
    //! True when the anchors continue the tip in ascending order and end at `last`.
    [[nodiscard]] bool fits(const std::vector<Anchor>& anchors, const BlockRef& last) const;
    //! Precondition: fits(). `used`: nothing at or below this height may be forgotten.
    void append(const std::vector<Anchor>& anchors, Height used);
    //! The farthest anchor above `from` and at most `blocks` away; else the next one, however far.
    [[nodiscard]] std::optional<Anchor> next_end(Height from, Height blocks) const;
    //! The anchor at this height, if it is one.
    [[nodiscard]] std::optional<Anchor> at(Height height) const;
    //! Everything up to here is done: forget it.
    void consume(const BlockRef& done);

  private:
    BlockRef base_;
    std::deque<Anchor> anchors_;
};

}  // namespace synod::sync
