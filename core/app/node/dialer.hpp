// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Whom to dial, and when. The manifest's peers are always wanted; endpoints that other nodes named
//! fill up to kWantedPeers. Failures back off with jitter, and what worked is remembered over
//! restarts. Whoever would be our only company has to win two things that it can't influence: links
//! that we dial, of which there are kLeastOutboundPercent whatever comes in, and the draw, which fills a
//! third of them blindly. It only answers: the node dials. Control thread.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/net/messages.hpp"
#include "core/net/network.hpp"
#include "core/peers/book.hpp"
#include "core/peers/tier.hpp"

namespace synod::app {

//! Links to fill up to from the address book (behaviour.md section 5).
inline constexpr std::size_t kWantedPeers = 50;
//! Of all links, so many are dialled by us: a crowd that comes in can take the other places only.
inline constexpr std::size_t kLeastOutboundPercent = 30;
//! Links that are chosen for what is known of them, for each one that was drawn.
inline constexpr std::size_t kPreferredPerDrawn = 2;
//! Dials that may be open at once.
inline constexpr std::size_t kMaxOpenDials = 16;
//! A link that ended sooner counts as a failed dial: whoever hangs up at once isn't dialled at once.
inline constexpr Duration kShortLink = std::chrono::seconds(10);
//! How often the address book is looked through.
inline constexpr Duration kFillEvery = std::chrono::seconds(1);
//! How often an endpoint that never worked is tried although all places are taken: what works is known
//! before it is needed. Such a link is ended at once.
inline constexpr Duration kFeelerEvery = std::chrono::minutes(2);
//! Addresses taken from one peer's answer.
inline constexpr std::size_t kMaxLearned = 64;

struct PeerAddress {
    std::string address;
    std::uint16_t port = 0;
    std::optional<PublicKey> identity;
};

class Dialer {
  public:
    Dialer(std::vector<PeerAddress> configured, PublicKey ourselves, std::uint64_t seed,
           std::size_t wanted = kWantedPeers);

    using Skip = std::function<bool(const PublicKey&)>;
    using TierOf = std::function<peers::Tier(const PublicKey&)>;

    //! Endpoints to dial now, with `links` up in both directions; each counts as open until `up` or
    //! `failed`. The federation is dialled before miners before others, save for what is drawn. `skip` says
    //! which identities aren't dialled: linked already, banned, cooling down. An endpoint's identity is what
    //! it proved last, or hearsay: a wrong one only costs its turn.
    std::vector<PeerAddress> due(Instant now, std::size_t links, const Skip& skip, const TierOf& tier);
    //! False: the link was only a feeler and is to be closed; `down` isn't told of it.
    bool up(const net::PeerInfo& info, std::uint64_t group, UnixMs unix_now, Instant now);
    void down(const net::PeerInfo& info, Instant now);
    void failed(const std::string& address, std::uint16_t port, UnixMs unix_now, Instant now);

    //! What a node of network `group` says; hearsay never changes what is known.
    void learn(const std::vector<net::ListedPeer>& listed, std::uint64_t group);
    //! The address book as bytes, when it changed since the last call.
    std::optional<Bytes> changed_book();
    //! Errors: peers.book_corrupt; the book then stays as it was.
    Result<void> restore(ByteView bytes) { return book_.restore(bytes); }
    [[nodiscard]] std::size_t known() const { return book_.size(); }

  private:
    struct Short {
        std::uint32_t times = 0;  // in a row
        Instant not_before{};
    };
    //! Why an endpoint was dialled: the manifest names it; it is the best that is known; the draw fell on
    //! it; to see whether it works.
    enum class Why : std::uint8_t { kTold, kPreferred, kDrawn, kFeeler };
    struct Linked {
        Instant since{};
        Why why = Why::kTold;
    };
    //! An endpoint that may be dialled: whom a link must prove to be, and whom it is likely to.
    struct Target {
        peers::Endpoint endpoint;
        std::optional<PublicKey> expected, identity;
    };
    [[nodiscard]] bool may_dial(const peers::Endpoint& endpoint, Instant now) const;
    [[nodiscard]] bool may_dial(const Target& target, Instant now, const Skip& skip) const;
    static void by_tier(std::vector<Target>& targets, const TierOf& tier);
    [[nodiscard]] std::vector<Target> configured_ready(Instant now, const Skip& skip) const;
    //! Those of `endpoints`, in their order.
    [[nodiscard]] std::vector<Target> ready(std::vector<peers::Endpoint> endpoints, Instant now,
                                            const Skip& skip) const;
    [[nodiscard]] bool wants_more(std::size_t links) const;
    [[nodiscard]] std::size_t count(Why why) const;  //!< linked and open
    bool take(const Target& target, Why why, std::vector<PeerAddress>& out);
    void feel(Instant now, const Skip& skip, std::vector<PeerAddress>& out);
    void fill(Instant now, std::size_t links, const Skip& skip, const TierOf& tier,
              std::vector<PeerAddress>& out);

    const std::uint64_t seed_;
    const std::vector<PeerAddress> configured_;
    const PublicKey ourselves_;
    const std::size_t wanted_;
    peers::AddressBook book_;
    std::map<peers::Endpoint, Why> open_;
    std::map<peers::Endpoint, Linked> linked_;
    std::map<peers::Endpoint, Short> short_;  // only of endpoints in the book
    Instant next_fill_{}, next_feeler_{};
    std::uint64_t draws_ = 0;
    bool changed_ = false;
};

}  // namespace synod::app
