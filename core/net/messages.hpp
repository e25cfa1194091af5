// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The typed messages of the wire. A frame is one type byte and the canonical encoding of one
//! message; decoding is strict (no trailing bytes, a cap on every length) and the only encoding of a
//! value is the one written here. Large fields are slices of the received frame, not copies. Pure.

#include <span>
#include <string>
#include <variant>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/net/frame.hpp"

namespace synod::net {

inline constexpr std::size_t kMaxHeadProofBytes = 64u << 10;
inline constexpr std::size_t kMaxGossipBytes = 64u << 10;
inline constexpr std::size_t kMaxPeersListed = 256;
inline constexpr std::size_t kMaxIpTextBytes = 64;
inline constexpr std::size_t kMaxGoodbyeTextBytes = 256;
//! Items in one request or reply; the byte limits usually bite first.
inline constexpr std::uint32_t kMaxRangeCount = 65'536;

//! First byte of a frame. Numbers are the wire format: never reused.
enum class MessageType : std::uint8_t {
    status = 1,
    get_headers = 2,
    headers = 3,
    get_blocks = 4,
    blocks = 5,
    get_by_hash = 6,
    announce = 7,
    new_block = 8,
    gossip = 9,
    ping = 10,
    pong = 11,
    get_peers = 12,
    peers = 13,
    goodbye = 14,
};

enum class ReplyResult : std::uint8_t { ok = 0, other_fork = 1, not_available = 2, busy = 3 };

//! Where a peer stands. Sent after connecting and when the tip moves far.
struct Status {
    std::uint64_t height = 0;
    Hash hash;
    std::uint64_t slot = 0;
    std::uint64_t committed_height = 0;
    Hash committed_hash;
    std::uint64_t final_height = 0;
    std::uint64_t unix_ms = 0;  //!< the sender's clock, ms since 1970
    SharedBytes head_proof;     //!< at most kMaxHeadProofBytes
};
//! `count` headers from height `from`, the first of which has the parent `parent`.
struct GetHeaders {
    std::uint32_t id = 0;
    std::uint64_t from = 0;
    std::uint32_t count = 0;  //!< 1..kMaxRangeCount
    Hash parent;
};
struct Headers {
    std::uint32_t id = 0;
    ReplyResult result = ReplyResult::ok;
    std::uint32_t retry_ms = 0;  //!< with busy: ask again after this
    std::uint64_t from = 0;
    std::uint32_t count = 0;  //!< 0..kMaxRangeCount
    SharedBytes run;          //!< the headers' encodings, one after another
    SharedBytes head_proof;   //!< at most kMaxHeadProofBytes
};
struct GetBlocks {
    std::uint32_t id = 0;
    std::uint64_t from = 0;
    std::uint32_t count = 0;  //!< 1..kMaxRangeCount
    Hash parent;
    std::uint32_t soft_bytes = 0;  //!< the reply stops here, after at least one block
};
//! Answers GetBlocks, and GetByHash with a count of at most 1.
struct Blocks {
    std::uint32_t id = 0;
    ReplyResult result = ReplyResult::ok;
    std::uint32_t retry_ms = 0;
    std::uint64_t from = 0;
    std::uint32_t count = 0;
    SharedBytes run;  //!< the blocks' encodings, one after another
};
struct GetByHash {
    std::uint32_t id = 0;
    Hash hash;
};
struct Announce {
    std::uint64_t height = 0;
    Hash hash;
    std::uint64_t slot = 0;
};
struct NewBlock {
    SharedBytes block;
};
//! A record of one topic: approvals, evidence, transactions; `kind` is the consensus plugin's.
struct Gossip {
    std::uint16_t kind = 0;
    SharedBytes payload;  //!< at most kMaxGossipBytes
};
struct Ping {
    std::uint64_t nonce = 0;
    std::uint64_t unix_ms = 0;
};
struct Pong {
    std::uint64_t nonce = 0;
    std::uint64_t unix_ms = 0;
};
struct GetPeers {
    std::uint32_t id = 0;
};
struct ListedPeer {
    std::string ip;  //!< numeric text, at most kMaxIpTextBytes; not checked here
    std::uint16_t port = 0;
    PublicKey identity;
};
struct Peers {
    std::uint32_t id = 0;
    std::vector<ListedPeer> list;  //!< at most kMaxPeersListed
};
struct Goodbye {
    std::uint8_t reason = 0;
    std::string text;  //!< at most kMaxGoodbyeTextBytes
};

using Message = std::variant<Status, GetHeaders, Headers, GetBlocks, Blocks, GetByHash, Announce,
                             NewBlock, Gossip, Ping, Pong, GetPeers, Peers, Goodbye>;

//! The message's type byte.
MessageType type_of(const Message& message);
//! A short stable name such as "get_blocks"; "unknown" for other numbers.
std::string_view type_name(std::uint8_t type);

//! The one frame that `message` is. Copies the large fields: for bulk use encode_parts.
//! Precondition: every field is within its cap (asserted by decode on the other side).
Bytes encode_message(const Message& message);

//! The same bytes as encode_message, as pieces for Network::send; the run is referred to, not
//! copied. `payloads` stands for the run: the pieces one after another (block after block).
std::vector<SharedBytes> encode_parts(const Blocks& head, std::vector<SharedBytes> payloads);
std::vector<SharedBytes> encode_parts(const Headers& head, std::vector<SharedBytes> payloads);
std::vector<SharedBytes> encode_parts(const NewBlock& message);

//! Decodes one frame; large fields keep `frame` alive. Errors: net.message_empty,
//! net.message_unknown_type, net.message_malformed (names the type).
Result<Message> decode_message(const SharedBytes& frame);

}  // namespace synod::net
