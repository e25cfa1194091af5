// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Governance events: their bytes, whether a block may carry one, and what they do to the state at their height. Pure;
//! consensus worker. Signatures are left to the caller as checks. The format stands in README.md.
#include "plugins/consensus/federation/state.hpp"

namespace synod::federation {

inline constexpr uint64_t kGovernanceNotice = 16;           // blocks from the carrier of a change to its first block
inline constexpr uint64_t kMaxGovernanceNotice = 1'000'000; // blocks
inline constexpr size_t kMaxPendingEvents = 16;
inline constexpr uint32_t kMaxBlockEvents = 8;       // events of one block
inline constexpr size_t kMaxEventReasonBytes = 256;
inline constexpr size_t kMaxEvidenceBytes = 4096;
inline constexpr uint64_t kLeastMaxBlockBytes = 256u << 10; // bytes: the largest finality record fits, and as much again
inline constexpr uint64_t kMaxSlotMs = 3'600'000;          // ms: an hour
inline constexpr uint8_t kEventVersion = 1;
inline constexpr size_t kApprovalBytes = kKeyBytes + kSignatureBytes;

struct EventApproval {
    Key key{};
    std::array<uint8_t, kSignatureBytes> signature{};
};

struct Event {
    Change change;
    Hash32 network{}, previous{};
    std::string reason;
    Bytes evidence;                       ///< against the authority that is removed; empty: none
    std::vector<EventApproval> approvals; ///< by rising key
};

/// The bytes of a change as the state keeps it, and back; strict.
Bytes encode_change(const Change& change);
bool read_change(Reader& in, Change& out);

/// What is hashed and signed: everything but the approvals.
Bytes encode_event_core(const Event& event);
Bytes encode_event(const Event& event);
/// Fault: event.*; exactly one encoding is accepted.
Outcome<Event> decode_event(ByteView bytes);
/// kHashMessageBytes to `out`.
void event_message(const Hash32& hash, uint8_t* out);
const char* name_of(EventKind kind);
const char* name_of(Parameter parameter);
std::optional<EventKind> kind_from(std::string_view name);
std::optional<Parameter> parameter_from(std::string_view name);

/// May a block of `height` carry the event after `rooted`, the state before it with the events that precede it in the
/// block? The signatures are left. On success `rooted` has it pending (and is not sealed).
Broken take_event(Rooted& rooted, uint64_t height, const Event& event, const Hash32& network, const Hasher& hash);
/// Changes that are in force from `next_height` on, after a block of `slot`. True when there were any.
bool activate(Rooted& rooted, uint64_t next_height, uint64_t slot);

/// Up to here a state knows the sets: no block after its head can change an earlier one.
constexpr uint64_t known_sets_end(const synod_state& state) { return state.height + kGovernanceNotice; }
/// The set that authors and certifies a height; null when it is too old to be remembered. Above known_sets_end() it is
/// the newest that is known, and another may be in force.
std::shared_ptr<const AuthoritySet> set_at(const synod_state& state, uint64_t height);

} // namespace synod::federation
