// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Forges a chain: signed by authorities whose keys follow from a seed, merge-mined at the easiest
//! target, and stored as a node stores it. The same options give the same bytes on every machine.
//! Main thread; it works on the Runtime's workers. Never for a chain that holds value: the keys are
//! public.

#include <functional>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app::forge {

inline constexpr std::uint64_t kSlotMs = 2'000;
//! 2025-01-01T00:00:00Z in slots of 2 s: where a chain starts unless told otherwise.
inline constexpr std::uint64_t kStartSlot = 867'844'800;
inline constexpr std::uint64_t kMaxBlocks = 100'000'000;
//! Largest payload of one forged block, bytes: the chain's own limit is 8 MiB with everything.
inline constexpr std::uint64_t kMaxPayloadBytes = 7u << 20;
//! Blocks between finality records: at most so many, so that work is never overdue.
inline constexpr std::uint32_t kMaxRecordEvery = 500'000;

struct Options {
    std::uint64_t blocks = 0;
    std::uint32_t authorities = 4;
    std::uint32_t transactions = 0;
    std::uint32_t tx_bytes = 100;
    std::uint64_t seed = 0;
    std::uint32_t record_every = 30;
    std::uint64_t start_slot = kStartSlot;
    std::string validation{host::kDefaultBackend};
    std::string isa;  //!< the backend's `isa`; empty: it isn't told
    std::string dir;
};

struct Forged {
    std::uint64_t height = 0;
    Hash head;
};

//! Writes DIR/genesis.yaml, DIR/authority-<i>.key and DIR/chain/synod.db. `progress` gets the height
//! about every 1,024 blocks. Errors: forge.exists (nothing is overwritten), forge.options, key.*,
//! genesis.*, plugin.*, store.*; what it wrote before an error stays, for a look at it.
Result<Forged> forge_chain(const Options& options, const std::function<void(std::uint64_t)>& progress);

}  // namespace synod::app::forge
