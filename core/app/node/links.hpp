// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How the node's parts reach its peers: messages out, requests with their table. Control thread.

#include <functional>
#include <optional>
#include <unordered_map>

#include "core/net/messages.hpp"
#include "core/net/network.hpp"
#include "core/net/request_table.hpp"
#include "core/net/token_bucket.hpp"
#include "core/peers/tier.hpp"

namespace synod::app {

//! What is known of a connected peer.
struct PeerLink {
    net::PeerInfo info;
    peers::Tier tier = peers::Tier::kRegular;
    net::Status status;  //!< the last one; default before the first
    std::int64_t clock_offset_ms = 0;
    bool clock_known = false;
    Instant last_heard{};
    Instant since{};
    Duration rtt{};
    Instant ping_sent{};  //!< zero: no ping is open
    //! Its newest claim that went to be proven, and whether that still runs.
    Hash proven_hash;
    std::size_t proven_bytes = 0;
    bool proving = false;
    std::uint32_t asked_peers = 0;  //!< id of the open question for addresses; 0: none
    //! For what it says unasked; what was over it and dropped.
    std::optional<net::TokenBucket> unasked;
    std::uint32_t dropped = 0;

    [[nodiscard]] bool is_authority() const { return tier == peers::Tier::kFederation; }
};

struct Links {
    net::Transport* network = nullptr;
    net::RequestTable requests;
    std::unordered_map<std::uint64_t, PeerLink> peers;

    void send(std::uint64_t peer, const net::Message& message) {
        network->send(peer, net::encode_message(message));
    }
    void broadcast(const net::Message& message, std::uint64_t except = 0) {
        const auto frame = net::encode_message(message);
        for (const auto& [id, link] : peers) {
            if (id != except) {
                network->send(id, frame);
            }
        }
    }
};

}  // namespace synod::app
