// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The words that the sync room shares: states, ids, reasons. Plain values, no behaviour beyond
//! their names. Any thread may read them.

#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace synod::sync {

using Height = std::uint64_t;
using Slot = std::uint64_t;
//! A connected peer, numbered by the driver; 0 is "this node itself" and never a peer.
using PeerId = std::uint64_t;
//! One request on the wire, numbered by the machine from 1; never used twice.
using RequestId = std::uint64_t;
//! One run of blocks between two anchors, numbered by the machine from 1; never used twice.
using RangeId = std::uint64_t;

//! Heights at which the header skeleton keeps a hash: every multiple of this many blocks.
inline constexpr Height kAnchorStride = 128;
//! The most bytes that one reply counts for, in measurements too: rates and sums stay within 64 bits.
inline constexpr std::uint64_t kReplyBytesMax = 64ULL << 20U;

struct BlockRef {
    Height height = 0;
    Hash hash;
    bool operator==(const BlockRef&) const = default;
};
using Anchor = BlockRef;

//! The one numbering of the engine's states: API, metrics and journal use these values.
enum class State : std::uint8_t {
    idle = 0,
    discovering = 1,
    downloading_headers = 2,
    downloading_blocks = 3,
    catching_up = 4,
    synced = 5,
    paused = 6,
    recovering = 7,
    failed = 8,
    emergency = 9,
};
inline constexpr std::size_t kStateCount = 10;

//! How blocks are checked (behaviour.md section 1). The machine only carries it to the driver;
//! `emergency` also limits it to federation peers.
enum class Mode : std::uint8_t { full, fast, optimistic, catchup, emergency };

//! What a peer's reply to a request was, as the driver read it off the wire.
enum class ReplyResult : std::uint8_t {
    ok = 0,
    not_found = 1,   //!< it has nothing from that height on: a claim about its own tip, no more
    other_fork = 2,  //!< its block at from - 1 is not the parent that was named
    malformed = 3,   //!< can't be decoded, too large, not contiguous, not what was asked
};

//! Why a request ended without a reply.
enum class RequestFailure : std::uint8_t {
    busy = 0,
    refused = 1,
    timeout = 2,
    disconnected = 3,
    silent = 4,  //!< a time-out of a peer from which nothing at all came since: the line may be cut
};

//! What a peer did, for the misbehaviour ledger. Slowness is never in this list.
enum class Offence : std::uint8_t {
    invalid_header = 0,
    invalid_block = 1,
    malformed_reply = 2,
    claimed_height_never_backed = 3,
};

//! Stable snake_case names, as used in the API, metrics labels and the journal.
std::string_view name(State state);
std::string_view name(Mode mode);
std::string_view name(ReplyResult result);
std::string_view name(RequestFailure failure);
std::string_view name(Offence offence);

}  // namespace synod::sync
