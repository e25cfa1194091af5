// SPDX-License-Identifier: Apache-2.0
#include "core/sync/skeleton.hpp"

#include <algorithm>

namespace synod::sync {
namespace {

bool below(const Anchor& anchor, Height height) { return anchor.height < height; }

}  // namespace

bool Skeleton::fits(const std::vector<Anchor>& anchors, const BlockRef& last) const {
    if (anchors.empty() || anchors.back() != last || last.height <= tip().height) {
        return false;
    }
    Height before = tip().height;
    for (const Anchor& anchor : anchors) {
        // No stride height may lie strictly between two neighbours.
        if (anchor.height <= before ||
            (anchor.height - 1) / kAnchorStride != before / kAnchorStride) {
            return false;
        }
        before = anchor.height;
    }
    return true;
}

void Skeleton::append(const std::vector<Anchor>& anchors, Height used) {
    // The tip of a short reply is no stride anchor; once the chain goes on it is not needed, unless
    // a range was cut there.
    if (!anchors_.empty() && anchors_.back().height % kAnchorStride != 0 &&
        anchors_.back().height > used) {
        anchors_.pop_back();
    }
    anchors_.insert(anchors_.end(), anchors.begin(), anchors.end());
}

std::optional<Anchor> Skeleton::next_end(Height from, Height blocks) const {
    auto at = std::lower_bound(anchors_.begin(), anchors_.end(), from + 1, below);
    if (at == anchors_.end()) {
        return std::nullopt;
    }
    auto last = at;
    while (at != anchors_.end() && at->height - from <= blocks) {
        last = at++;
    }
    return *last;
}

std::optional<Anchor> Skeleton::at(Height height) const {
    if (height == base_.height) {
        return base_;
    }
    const auto at = std::lower_bound(anchors_.begin(), anchors_.end(), height, below);
    if (at == anchors_.end() || at->height != height) {
        return std::nullopt;
    }
    return *at;
}

void Skeleton::consume(const BlockRef& done) {
    while (!anchors_.empty() && anchors_.front().height <= done.height) {
        anchors_.pop_front();
    }
    if (done.height >= base_.height) {
        base_ = done;
    }
}

}  // namespace synod::sync
