// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the machine itself measures of its peers, and the weighted-random choice among them. Knows
//! nothing of bans and scores: those live in other rooms and arrive as weights and PeerDown. Owned
//! by the machine, control thread, deterministic.

#include <functional>
#include <map>
#include <optional>

#include "core/sync/config.hpp"
#include "core/sync/types.hpp"

namespace synod::sync {

//! More connected peers than the driver may ever hold; further ones are not used.
inline constexpr std::size_t kMaxPeers = 1024;

struct Peer {
    PeerId id = 0;
    bool is_authority = false;
    std::uint64_t group = 0;
    double weight = 1;

    Height claim = 0;          // its own word
    Height proven = 0;         // the highest block of which it showed a certificate
    Height lacks_from = 0;     // it had nothing from here on ...
    Instant lacks_until{};     // ... and isn't asked again before
    Height doubted = 0;        // a claim that it couldn't show anything of, and how often
    std::uint32_t unbacked = 0;

    std::uint32_t open = 0;    // block requests
    std::uint64_t open_bytes = 0;
    std::uint32_t limit = 0;
    std::uint32_t headers_limit = 0;  // headers that its line carries before the deadline, as far as is known
    Duration header_rtt{0};
    Duration block_rtt{0};
    Duration best_rtt{0};
    double goodput = 0;        // bytes/s
    Instant last_arrival{};
    std::uint64_t bytes = 0;
    std::uint64_t blocks = 0;

    Instant not_before{};      // busy, or just unhelpful
    Instant cool_until{};
    Duration next_cooldown{0};
    std::uint32_t timeouts_in_row = 0;
    std::uint32_t timeouts = 0;
    std::uint32_t stalls = 0;
    std::optional<Instant> last_stall;
    bool distrusted = false;
    std::uint32_t fork_refusals = 0;
    bool other_chain = false;

    Duration sample_busy{0};   // statistics of the running sample
    std::uint64_t sample_bytes = 0;
};

class PeerTable {
  public:
    explicit PeerTable(const SyncConfig& config) : config_(config), random_(config.seed) {}

    Peer* add(PeerId id, bool is_authority, std::uint64_t group);
    void remove(PeerId id) { peers_.erase(id); }
    Peer* find(PeerId id);
    [[nodiscard]] const std::map<PeerId, Peer>& all() const { return peers_; }
    std::map<PeerId, Peer>& all() { return peers_; }
    void authorities_only(bool on) { authorities_only_ = on; }
    void requests_max(std::uint32_t most) { config_.peer_requests_max = most; }

    [[nodiscard]] bool usable(const Peer& peer, Instant now) const;
    [[nodiscard]] std::uint32_t usable_count(Instant now) const;
    //! Weighted-random among the peers that pass; trusted before distrusted, rested before cooling.
    Peer* pick(Instant now, const std::function<bool(const Peer&)>& passes);

    //! clamp(3 x rtt, 1 s, 15 s); never less than three times what is already queued takes.
    [[nodiscard]] Duration header_deadline(const Peer& peer) const;
    [[nodiscard]] Duration block_deadline(const Peer& peer, std::uint64_t more_bytes) const;
    //! Bytes of one reply so that it takes about config.request_aim.
    [[nodiscard]] std::uint64_t soft_bytes(const Peer& peer) const;
    //! May it carry one more request of so many bytes?
    [[nodiscard]] bool has_room(const Peer& peer, std::uint64_t bytes) const;

    void header_reply(Peer& peer, Instant sent, Instant now, std::uint64_t bytes);
    void block_reply(Peer& peer, Instant sent, Instant now, std::uint64_t bytes, bool full);
    //! Slows expectations down and asks for less next time; true when the peer should cool down now.
    bool timed_out(Peer& peer, bool headers);
    //! Starts a cool-down and answers how long.
    Duration cool_down(Peer& peer, Instant now);
    //! Where nobody else is of use, who was slow is asked again. The next cool-down is as long as it would have been.
    void end_cool_downs(Instant now);

  private:
    double random_fraction();

    SyncConfig config_;
    std::map<PeerId, Peer> peers_;
    std::uint64_t random_;
    bool authorities_only_ = false;
};

}  // namespace synod::sync
