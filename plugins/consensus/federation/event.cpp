// SPDX-License-Identifier: Apache-2.0
//! Governance events as the host sees them: may the next block carry one? Consensus worker.
#include "plugins/consensus/federation/chain.hpp"

namespace synod::federation {

synod_status Chain::check_event(const synod_state& state, std::span<const synod_bytes> before, ByteView bytes,
                                synod_governance_event& out, const synod_check_writer& writer, synod_refusal* refusal) const {
    const Hasher hash = hasher();
    const auto event = decode_event(bytes);
    if (!event) {
        return refuse(refusal, 0, broken(RuleId::kEventShape, "%s: %s", event.fault().message.c_str(),
                                         event.fault().where.c_str()));
    }
    const Hash32 id = hash(encode_event_core(*event));
    const uint32_t size = out.size;
    out = {};
    out.size = size;
    out.kind = static_cast<uint32_t>(event->change.kind);
    out.sequence = event->change.sequence;
    out.effective = event->change.effective;
    std::memcpy(out.hash, id.data(), 32);
    std::memcpy(out.previous, event->previous.data(), 32);
    Rooted after = *state.rooted;
    for (const synod_bytes& earlier : before) {
        const auto known = decode_event(synod::view(earlier));
        if (!known) {
            return refuse(refusal, 0, broken(RuleId::kEventShape, "an event before it can't be read"));
        }
        if (const Broken no = take_event(after, state.height + 1, *known, network_id_, hash)) {
            return refuse(refusal, 0, no);
        }
    }
    if (event->network == network_id_ && event->change.sequence > after.governance_sequence + 1) {
        return not_yet(refusal, 0, broken(RuleId::kEventSequence, "those before it are not known here"));
    }
    if (const Broken no = take_event(after, state.height + 1, *event, network_id_, hash)) {
        return refuse(refusal, 0, no);
    }
    if (!emit_event(*event, id, hash, 0, writer)) {
        throw Failure(SYNOD_E_NO_MEMORY, "the host has no memory left for checks");
    }
    return SYNOD_OK;
}

} // namespace synod::federation
