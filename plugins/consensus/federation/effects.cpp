// SPDX-License-Identifier: Apache-2.0
//! The effects of a block, event by event. Consensus worker.
#include "plugins/consensus/federation/effects.hpp"

#include <algorithm>

namespace synod::federation {

Rooted& EffectBuilder::next() {
    if (next_ == nullptr) {
        next_ = std::make_shared<Rooted>(*state_.rooted);
    }
    return *next_;
}

Broken EffectBuilder::take_event(ByteView bytes) {
    if (out_.events.size() >= kMaxBlockEvents) {
        return broken(RuleId::kEventPending, "at most %u events in a block", kMaxBlockEvents);
    }
    auto event = decode_event(bytes);
    if (!event) {
        return broken(RuleId::kEventShape, "%s: %s", event.fault().message.c_str(), event.fault().where.c_str());
    }
    Rooted tried = next_ != nullptr ? *next_ : *state_.rooted;
    if (Broken no = federation::take_event(tried, state_.height + 1, *event, network_, hash_)) {
        return no;
    }
    out_.hashes.push_back(tried.governance_hash);
    out_.events.push_back(std::move(*event));
    next() = std::move(tried);
    return {};
}

Broken EffectBuilder::take_record(ByteView bytes) {
    RecordEffect record;
    if (Broken no = check_record(state_, slot_, bytes, hash_, record)) {
        return no;
    }
    record.apply(next());
    out_.record = std::move(record);
    return {};
}

Effects EffectBuilder::finish() {
    const uint64_t next_height = state_.height + 2; // of the first block that what is due judges
    const auto& pending = (next_ != nullptr ? *next_ : *state_.rooted).pending;
    if (std::any_of(pending.begin(), pending.end(), [&](const Change& c) { return c.effective <= next_height; })) {
        activate(next(), next_height, slot_);
    }
    if (next_ != nullptr) {
        next_->seal(hash_);
        out_.rooted = std::move(next_);
    } else {
        out_.rooted = state_.rooted;
    }
    return std::move(out_);
}

} // namespace synod::federation
