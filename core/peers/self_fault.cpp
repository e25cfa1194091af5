// SPDX-License-Identifier: Apache-2.0
#include "core/peers/self_fault.hpp"

#include <algorithm>

namespace synod::peers {

SelfFault::Entry& SelfFault::entry_for(const Hash& digest, std::uint64_t group) {
    if (const auto it = seen_.find(digest); it != seen_.end()) {
        return it->second;
    }
    if (seen_.size() >= kMaxFailureDigests) {
        seen_.erase(order_.front());
        order_.pop_front();
    }
    order_.push_back(digest);
    auto& entry = seen_[digest];
    entry.first_group = group;
    return entry;
}

Blame SelfFault::failed(const Hash& digest, const PublicKey& identity, std::uint64_t group) {
    auto& entry = entry_for(digest, group);
    Blame out;
    if (!entry.ours && group != entry.first_group) {
        entry.ours = true;
        out.cleared = entry.senders;
    }
    if (entry.senders.size() < kMaxSenders &&
        std::ranges::find(entry.senders, identity) == entry.senders.end()) {
        entry.senders.push_back(identity);
    }
    out.self_fault_suspected = entry.ours;
    return out;
}

}  // namespace synod::peers
