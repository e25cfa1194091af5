// SPDX-License-Identifier: Apache-2.0
#include "core/sim/disk/sim_file.hpp"

#include <algorithm>

namespace synod::sim {
namespace {

std::uint64_t sectors_of(std::uint64_t bytes) {
    return (bytes + kSectorBytes - 1) / kSectorBytes;
}

}  // namespace

std::size_t SimFile::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
    const auto there = offset < size() ? std::min<std::uint64_t>(size() - offset, into.size()) : 0;
    std::copy_n(bytes_.data() + (there > 0 ? offset : 0), there, into.begin());
    std::fill(into.begin() + static_cast<std::ptrdiff_t>(there), into.end(), std::uint8_t{0});
    return there;
}

SimFile::Sector SimFile::sector(std::uint64_t index) const {
    Sector out;
    read(index * kSectorBytes, out);
    return out;
}

void SimFile::remember(std::uint64_t index) {
    auto [at, fresh] = unsafe_.try_emplace(index);
    auto& state = at->second;
    state.sync_failed = false;
    if (fresh && index * kSectorBytes >= safe_size_) {
        state.was_beyond = true;
        return;
    }
    if (state.older.size() >= kOlderContents) {
        state.older.erase(state.older.begin() + 1);
    }
    state.older.push_back(sector(index));
}

void SimFile::write(std::uint64_t offset, ByteView bytes) {
    if (bytes.empty()) {
        return;
    }
    const auto end = offset + bytes.size();
    for (auto i = std::min(offset, size()) / kSectorBytes; i < sectors_of(end); ++i) {
        if (i * kSectorBytes >= size() || (i + 1) * kSectorBytes > offset) {
            remember(i);
        }
    }
    if (end > size()) {
        bytes_.resize(end);
    }
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
}

void SimFile::resize(std::uint64_t to) {
    for (auto i = std::min(to, size()) / kSectorBytes; i < sectors_of(std::max(to, size())); ++i) {
        remember(i);
    }
    bytes_.resize(to);
}

void SimFile::sync() {
    std::erase_if(unsafe_, [](const auto& entry) { return !entry.second.sync_failed; });
    safe_size_ = size();
}

void SimFile::fail_sync() {
    for (auto& [index, state] : unsafe_) {
        state.sync_failed = true;
    }
}

void SimFile::lose_unsynced(Random& random) {
    // The ends, where nothing or everything arrived, are the likeliest in life; the mixtures
    // between find the most.
    enum class Arrived { nothing, everything, some };
    const auto dice = random.below(4);
    const auto arrived = dice == 0   ? Arrived::nothing
                         : dice == 1 ? Arrived::everything
                                     : Arrived::some;
    const auto pick = [&](std::uint64_t last) {
        return arrived == Arrived::nothing      ? 0
               : arrived == Arrived::everything ? last
                                                : random.below(last + 1);
    };
    const auto least = std::min(safe_size_, size());
    const auto most = std::max(safe_size_, size());
    auto left = arrived == Arrived::nothing ? safe_size_ : size();
    if (arrived == Arrived::some) {
        const auto between = least + random.below(sectors_of(most - least) + 1) * kSectorBytes;
        left = random.one_in(2) ? left : std::min(between, most);
    }
    bytes_.resize(sectors_of(most) * kSectorBytes);
    for (const auto& [index, state] : unsafe_) {
        const std::uint64_t beyond = state.was_beyond ? 1 : 0;
        const auto choice = pick(beyond + state.older.size());
        if (choice == beyond + state.older.size()) {
            continue;  // the newest content arrived
        }
        const auto content = choice < beyond ? Sector{} : state.older[choice - beyond];
        std::copy(content.begin(), content.end(),
                  bytes_.begin() + static_cast<std::ptrdiff_t>(index * kSectorBytes));
    }
    bytes_.resize(left);
    safe_size_ = left;
    unsafe_.clear();
}

bool SimFile::flip_bit(std::uint64_t offset, unsigned bit) {
    if (offset >= size()) {
        return false;
    }
    bytes_[offset] = static_cast<std::uint8_t>(bytes_[offset] ^ (1U << (bit % 8)));
    return true;
}

}  // namespace synod::sim
