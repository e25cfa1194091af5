// SPDX-License-Identifier: Apache-2.0
#include "core/app/governance/event_buffer.hpp"

#include <algorithm>

namespace synod::app {

void EventBuffer::carried(std::uint64_t sequence) {
    carried_ = sequence;
    if (sequence < base_ || sequence > base_ + events_.size()) {
        events_.clear();  // they came with blocks, or are of a branch that is not known here
        base_ = sequence;
    } else if (const auto done = sequence - base_; done > kKeptCarriedEvents) {
        const auto gone = done - kKeptCarriedEvents;
        events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(gone));
        base_ += gone;
    }
    early_.erase(early_.begin(), early_.lower_bound(next()));
}

std::vector<Bytes> EventBuffer::run() const {
    return {events_.begin() + static_cast<std::ptrdiff_t>(carried_ - base_), events_.end()};
}

EventBuffer::Kept EventBuffer::append(Bytes event) {
    early_.erase(next());
    if (size() >= kMaxBufferedEvents) {
        return Kept::full;
    }
    events_.push_back(std::move(event));
    return Kept::kept;
}

EventBuffer::Kept EventBuffer::hold(std::uint64_t sequence, Bytes event) {
    if (early_.contains(sequence)) {
        return Kept::duplicate;
    }
    if (size() >= kMaxBufferedEvents) {
        return Kept::full;
    }
    early_.emplace(sequence, std::move(event));
    return Kept::kept;
}

std::optional<Bytes> EventBuffer::take_next() {
    auto found = early_.extract(next());
    return found.empty() ? std::nullopt : std::optional(std::move(found.mapped()));
}

std::size_t EventBuffer::cut(std::size_t from) {
    const auto kept = std::min<std::size_t>(carried_ - base_ + from, events_.size());
    const auto gone = events_.size() - kept;
    events_.resize(kept);
    return gone;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> EventBuffer::gap() const {
    if (early_.empty() || early_.begin()->first <= next()) {
        return std::nullopt;
    }
    return std::pair(next(), early_.begin()->first - 1);
}

}  // namespace synod::app
