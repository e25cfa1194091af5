// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One peer of a node under measurement, with the node's own network room: it pushes blocks, notes when
//! blocks and pongs arrive, and is too busy to serve any. Main thread, beside the Network's own.

#include <condition_variable>
#include <memory>
#include <mutex>

#include "core/app/bench/node_process.hpp"
#include "core/net/messages.hpp"
#include "core/net/network.hpp"

namespace synod::app::bench {

class TipPeer final : public net::NetworkHandler {
  public:
    using Clock = std::chrono::steady_clock;

    //! Links to the node with the identity of a key file. Errors: net.*, key.*, bench.no_link.
    static Result<std::unique_ptr<TipPeer>> link(const Contact& node, const std::filesystem::path& key,
                                                 const synod_chain_info& chain);
    ~TipPeer() override;

    void push(const SharedBytes& block);
    void ping();
    //! When block number `count` since the start arrived (the first is 1), or nothing after `limit`.
    std::optional<Clock::time_point> block(std::uint64_t count, Duration limit);
    std::optional<Clock::time_point> pong(std::uint64_t count, Duration limit);
    //! Why the link ended; empty while it stands.
    std::string ended();

    void on_peer_up(const net::PeerInfo& peer) override;
    void on_peer_down(std::uint64_t peer, std::string reason_code, std::string text) override;
    void on_frame(std::uint64_t peer, SharedBytes frame) override;
    void on_dial_failed(std::string address, std::uint16_t port, Error error) override;

  private:
    TipPeer() = default;
    struct Arrivals {
        std::uint64_t count = 0;
        Clock::time_point last{};
    };
    void arrived(Arrivals& what);
    std::optional<Clock::time_point> wait(const Arrivals& what, std::uint64_t count, Duration limit);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t peer_ = 0;  // 0: not linked yet
    std::string ended_;
    Arrivals blocks_, pongs_;
    std::unique_ptr<net::Network> network_;  // last: its thread calls us
};

}  // namespace synod::app::bench
