// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/attendance.hpp"

#include <algorithm>

namespace synod::app {

std::vector<std::uint64_t> Attendance::settle(std::uint64_t head_slot) {
    std::vector<std::uint64_t> out;
    if (settled_ == 0 || head_slot <= settled_) {
        settled_ = std::max(settled_, head_slot);
        return out;
    }
    const auto first = std::max(settled_ + 1, head_slot - std::min(head_slot, kMaxCountedGap - 1));
    for (auto slot = first; slot <= head_slot; ++slot) {
        out.push_back(slot);
    }
    settled_ = head_slot;
    return out;
}

void Attendance::know(std::uint32_t index, const PublicKey& key) {
    while (list_.size() <= index) {
        const auto next = static_cast<std::uint32_t>(list_.size());
        list_.emplace_back().index = next;
    }
    auto& of = list_[index];
    if (of.key != key) {
        of = Attendant{index, key, 0, 0, 0, 0};
    }
}

void Attendance::count(std::uint64_t slot, std::uint32_t index, const PublicKey& key, std::uint64_t height) {
    know(index, key);
    auto& of = list_[index];
    if (height == 0) {
        ++of.missed;
        return;
    }
    ++of.blocks;
    of.last_height = height;
    of.last_slot = slot;
}

}  // namespace synod::app
