// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a block does to the consensus state: its governance events, its finality record, and the changes that come into
//! force behind it. One place, so that what is proposed and what is accepted can't differ. Pure; consensus worker.
#include "plugins/consensus/federation/governance.hpp"
#include "plugins/consensus/federation/records.hpp"

namespace synod::federation {

struct Effects {
    std::shared_ptr<const Rooted> rooted; ///< the state after the block
    std::vector<Event> events;            ///< those taken, whose signatures are still to be proven
    std::vector<Hash32> hashes;           ///< of the events, as they were signed
    std::optional<RecordEffect> record;
};

/// Builds the effects of one block that stands on `state`'s head, in the order of its body.
class EffectBuilder {
public:
    EffectBuilder(const synod_state& state, uint64_t slot, const Hash32& network, const Hasher& hash)
        : state_(state), slot_(slot), network_(network), hash_(hash) {}

    Broken take_event(ByteView bytes);
    Broken take_record(ByteView bytes);
    size_t events() const noexcept { return out_.events.size(); }
    bool has_record() const noexcept { return out_.record.has_value(); }
    /// Brings into force what is due and makes the root. Once.
    Effects finish();

private:
    Rooted& next();

    const synod_state& state_;
    const uint64_t slot_;
    const Hash32& network_;
    const Hasher hash_;
    std::shared_ptr<Rooted> next_; ///< null while nothing changed
    Effects out_;
};

} // namespace synod::federation
