// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A peer of several nodes that notes by the wall clock when blocks and gossip come, and serves nothing. Main thread,
//! beside the Network's own.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "core/app/bench/node_process.hpp"
#include "core/net/messages.hpp"
#include "core/net/network.hpp"

namespace synod::app::bench {

inline constexpr std::size_t kMaxNoted = 1u << 20;  //!< blocks and pieces of gossip each; later ones are not noted

class SlotWatcher final : public net::NetworkHandler {
  public:
    using Clock = std::chrono::system_clock;

    struct Noted {
        Clock::time_point at;
        SharedBytes bytes;  //!< a block, or the payload of gossip
    };

    //! Links to nobody yet; the identity is the key file's. Errors: net.*, key.*.
    static Result<std::unique_ptr<SlotWatcher>> make(const std::filesystem::path& key, const synod_chain_info& chain);
    ~SlotWatcher() override;

    //! Errors: bench.no_link.
    Result<void> link(const Contact& node);
    //! In the order in which they came; of every node that passed one on.
    [[nodiscard]] std::vector<Noted> blocks() const;
    [[nodiscard]] std::vector<Noted> gossip(std::uint16_t kind) const;

    void on_peer_up(const net::PeerInfo& peer) override;
    void on_peer_down(std::uint64_t peer, std::string reason_code, std::string text) override;
    void on_frame(std::uint64_t peer, SharedBytes frame) override;
    void on_dial_failed(std::string address, std::uint16_t port, Error error) override;

  private:
    SlotWatcher() = default;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t up_ = 0;
    std::string ended_;
    std::vector<Noted> blocks_;
    std::vector<std::pair<std::uint16_t, Noted>> gossip_;
    std::unique_ptr<net::Network> network_;  // last: its thread calls us
};

}  // namespace synod::app::bench
