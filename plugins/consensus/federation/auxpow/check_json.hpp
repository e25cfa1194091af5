// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The report of `synod auxpow check` as JSON text. Pure, any thread.
#include "plugins/consensus/federation/auxpow/auxpow.hpp"

namespace synod::federation {

/// Checks the encoded proof `bytes` for the block `aux_hash` (internal order) of chain `chain_id`;
/// without `target` that rule is listed as not checked. Never fails: bytes that do not parse give
/// "parsed": false with code, message, where.
/// {"ok", "parsed", "chain_id", "hash", "reason" (code or null), "parent_hash", "rules": [{"code",
/// "name", "holds", "checked", "detail"}]}; hashes in display order. An unchecked rule has "holds":
/// false, "checked": false.
std::string check_json(uint32_t chain_id, const Hash32& aux_hash, const std::optional<U256>& target,
                       ByteView bytes, const Hasher& hash);

/// The RPC method "auxpow.check": params {"chain_id": int, "hash": display hex, "auxpow": hex,
/// "bits"?: int or hex text, "target"?: 64 hex digits, most significant first}. Faults: rpc.params,
/// bits.*.
Outcome<std::string> check_call(std::string_view params_json, const Hasher& hash);

} // namespace synod::federation
