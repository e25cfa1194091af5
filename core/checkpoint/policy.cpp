// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/policy.hpp"

#include <algorithm>
#include <cassert>

namespace synod::checkpoint {

Policy::Policy(PolicyConfig config, std::optional<std::uint64_t> last_height)
    : config_(config), last_height_(last_height) {}

std::optional<Kind> Policy::due(std::uint64_t height, Instant now) {
    if (making_) {
        return std::nullopt;
    }
    if (asked_) {
        return asked_;
    }
    if (config_.interval == 0 || (not_before_ && now < *not_before_) ||
        (last_done_ && now - *last_done_ < config_.min_gap)) {
        return std::nullopt;
    }
    // Genesis needs none: every node has it. A height below the last one: a restore went back.
    const auto passed = height / config_.interval;
    const auto before = std::min(last_height_.value_or(0), height) / config_.interval;
    return passed > before ? std::optional(Kind::kInterval) : std::nullopt;
}

void Policy::ask(Kind kind) {
    if (!asked_) {
        asked_ = kind;
    }
}

void Policy::begin() {
    assert(!making_);
    making_ = true;
    asked_.reset();
}

void Policy::done(std::uint64_t height, Instant now) {
    making_ = false;
    failures_ = 0;
    last_height_ = height;
    last_done_ = now;
    not_before_.reset();
}

void Policy::failed(Instant now) {
    making_ = false;
    ++failures_;
    auto wait = config_.retry_first;
    for (std::uint32_t i = 1; i < failures_ && wait < config_.retry_max; ++i) {
        wait *= 2;
    }
    not_before_ = now + std::min(wait, config_.retry_max);
}

}  // namespace synod::checkpoint
