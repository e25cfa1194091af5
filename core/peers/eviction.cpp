// SPDX-License-Identifier: Apache-2.0
#include "core/peers/eviction.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace synod::peers {

namespace {

//! Takes the first `count` by `before` out of the links that may go.
template <typename Before>
void protect(std::vector<Evictable>& links, std::size_t count, Before before) {
    std::ranges::sort(links, before);
    links.erase(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(std::min(count, links.size())));
}

}  // namespace

std::optional<std::uint64_t> choose_eviction(std::vector<Evictable> links) {
    std::map<std::uint64_t, std::size_t> of_group;
    for (const auto& link : links) {
        ++of_group[link.group];
    }
    std::erase_if(links, [](const Evictable& l) { return !l.inbound || l.tier != Tier::kRegular; });
    protect(links, kProtectedEach, [](const Evictable& a, const Evictable& b) {
        return std::tuple(a.latency.value_or(Duration::max()), a.id) <
               std::tuple(b.latency.value_or(Duration::max()), b.id);
    });
    protect(links, kProtectedEach, [](const Evictable& a, const Evictable& b) {
        return std::tuple(b.blocks, a.id) < std::tuple(a.blocks, b.id);
    });
    protect(links, links.size() / 2, [](const Evictable& a, const Evictable& b) {
        return std::tuple(b.connected, a.id) < std::tuple(a.connected, b.id);
    });
    const auto goes = std::ranges::min_element(links, [&](const Evictable& a, const Evictable& b) {
        return std::tuple(of_group[b.group], a.connected, b.id) <
               std::tuple(of_group[a.group], b.connected, a.id);
    });
    return goes == links.end() ? std::nullopt : std::optional(goes->id);
}

}  // namespace synod::peers
