// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Governance events as JSON, and the methods with which operators make and sign them. Pure; consensus worker.
#include <synod/cpp/base.hpp>

#include "plugins/consensus/federation/governance.hpp"
#include "plugins/consensus/federation/json.hpp"

namespace synod::federation {

/// SYNOD_E_INVALID with the fault's code.
[[noreturn]] void wrong(const Fault& fault);
Bytes hex_param(const Value& params, std::string_view key);
Event event_param(const Value& params);

/// What the change does, as members of `out`.
Json& explain_change(const Change& change, Json& out);
/// With its encoding, its hash and the message that authorities sign. Evidence comes as {bytes} and, when bytes and
/// hashes show a contradiction of the key that is removed, with {kind, slot, blocks, heights}; whether its signatures
/// hold is proven where an event is taken.
std::string explain_event(const Event& event, const Hasher& hash);
/// {kind, network, sequence, previous, effective, and by kind key, replacement, parameter, value, evidence; reason}
std::string make_event(const Value& params, const Hasher& hash);
/// {event, key, signature}: the event with that signature, which must hold.
std::string sign_event(const Value& params, const Hasher& hash);

} // namespace synod::federation
