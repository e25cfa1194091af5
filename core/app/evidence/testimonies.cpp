// SPDX-License-Identifier: Apache-2.0
#include "core/app/evidence/testimonies.hpp"

namespace synod::app {

bool Testimonies::knows(const Said& said) const {
    const auto it = known_.find(key_of(said));
    return it != known_.end() && it->second.block == said.block;
}

std::optional<Bytes> Testimonies::note(const Said& said, Bytes testimony) {
    const auto [it, fresh] = known_.try_emplace(key_of(said), Known{said.block, {}});
    if (!fresh) {
        return it->second.block == said.block ? std::nullopt : std::optional(it->second.testimony);
    }
    it->second.testimony = std::move(testimony);
    if (known_.size() > kMaxTestimonies) {
        known_.erase(known_.begin());
    }
    return std::nullopt;
}

}  // namespace synod::app
