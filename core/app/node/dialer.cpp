// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/dialer.hpp"
#include "core/base/planted.hpp"

#include <algorithm>

namespace synod::app {

using peers::Endpoint;

Dialer::Dialer(std::vector<PeerAddress> configured, PublicKey ourselves, std::uint64_t seed,
               std::size_t wanted)
    : seed_(seed),
      configured_(std::move(configured)),
      ourselves_(ourselves),
      wanted_(wanted),
      book_(seed) {
    for (const auto& peer : configured_) {
        // One that can't be used was refused with the manifest; here it would only not be dialled.
        static_cast<void>(book_.add({peer.address, peer.port}, peer.identity));
    }
}

bool Dialer::may_dial(const Endpoint& endpoint, Instant now) const {
    const auto brief = short_.find(endpoint);
    return !open_.contains(endpoint) && !linked_.contains(endpoint) &&
           (SYNOD_PLANTED("dials_once") ? book_.find(endpoint)->failures == 0 : book_.may_dial(endpoint, now)) &&
           (brief == short_.end() || now >= brief->second.not_before);
}

bool Dialer::may_dial(const Target& target, Instant now, const Skip& skip) const {
    return may_dial(target.endpoint, now) &&
           !(target.identity && (*target.identity == ourselves_ || skip(*target.identity)));
}

void Dialer::by_tier(std::vector<Target>& targets, const TierOf& tier) {
    std::vector<std::pair<int, Target>> ranked;
    for (auto& target : targets) {
        const auto rank = peers::rank(target.identity ? tier(*target.identity) : peers::Tier::kRegular);
        ranked.emplace_back(rank, std::move(target));
    }
    std::ranges::stable_sort(ranked, {}, &std::pair<int, Target>::first);
    std::ranges::transform(ranked, targets.begin(), [](auto& r) { return std::move(r.second); });
}

std::vector<Dialer::Target> Dialer::configured_ready(Instant now, const Skip& skip) const {
    std::vector<Target> out;
    for (const auto& peer : configured_) {
        Target target{{peer.address, peer.port}, peer.identity, peer.identity};
        if (const auto* known = book_.find(target.endpoint); known != nullptr && !target.identity) {
            target.identity = known->identity;
        }
        if (may_dial(target, now, skip)) {
            out.push_back(std::move(target));
        }
    }
    return out;
}

std::vector<Dialer::Target> Dialer::ready(std::vector<Endpoint> endpoints, Instant now,
                                          const Skip& skip) const {
    std::vector<Target> out;
    for (auto& endpoint : endpoints) {
        const auto* known = book_.find(endpoint);
        const auto identity = known == nullptr ? std::nullopt : known->identity;
        Target target{std::move(endpoint), identity, identity};
        if (may_dial(target, now, skip)) {
            out.push_back(std::move(target));
        }
    }
    return out;
}

bool Dialer::wants_more(std::size_t links) const {
    const auto all = links + open_.size();
    const auto outbound = linked_.size() + open_.size();
    return wanted_ > 0 && (all < wanted_ || outbound * 100 < all * kLeastOutboundPercent);
}

std::size_t Dialer::count(Why why) const {
    const auto open = std::ranges::count(open_, why, &decltype(open_)::value_type::second);
    const auto linked = std::ranges::count_if(linked_, [&](const auto& l) { return l.second.why == why; });
    return static_cast<std::size_t>(open + linked);
}

bool Dialer::take(const Target& target, Why why, std::vector<PeerAddress>& out) {
    if (open_.size() >= kMaxOpenDials || !open_.emplace(target.endpoint, why).second) {
        return false;
    }
    out.push_back({target.endpoint.address, target.endpoint.port, target.expected});
    return true;
}

void Dialer::feel(Instant now, const Skip& skip, std::vector<PeerAddress>& out) {
    for (const auto& target : ready(book_.candidates(now, peers::kMaxKnownEndpoints), now, skip)) {
        if (book_.find(target.endpoint)->last_success == 0 && take(target, Why::kFeeler, out)) {
            return;
        }
    }
}

void Dialer::fill(Instant now, std::size_t links, const Skip& skip, const TierOf& tier,
                  std::vector<PeerAddress>& out) {
    auto best = ready(book_.candidates(now, peers::kMaxKnownEndpoints), now, skip);
    by_tier(best, tier);
    const auto any = ready(book_.shuffled(now, seed_ + ++draws_), now, skip);
    auto preferred = best.begin();
    auto drawn = any.begin();
    while (wants_more(links) && open_.size() < kMaxOpenDials) {
        // The same endpoints in two orders: neither ends long before the other.
        const bool draw = count(Why::kPreferred) >=
                          kPreferredPerDrawn * std::max<std::size_t>(1, count(Why::kDrawn));
        if (draw && drawn != any.end()) {
            take(*drawn++, Why::kDrawn, out);
        } else if (!draw && preferred != best.end()) {
            take(*preferred++, Why::kPreferred, out);
        } else {
            return;
        }
    }
}

std::vector<PeerAddress> Dialer::due(Instant now, std::size_t links, const Skip& skip,
                                     const TierOf& tier) {
    std::vector<PeerAddress> out;
    auto configured = configured_ready(now, skip);
    by_tier(configured, tier);
    for (const auto& target : configured) {
        take(target, Why::kTold, out);
    }
    if (wanted_ > 0 && links >= wanted_ && !wants_more(links) && now >= next_feeler_) {
        next_feeler_ = now + kFeelerEvery;
        feel(now, skip, out);
    }
    if (now >= next_fill_ && wants_more(links)) {
        next_fill_ = now + kFillEvery;
        fill(now, links, skip, tier, out);
    }
    return out;
}

bool Dialer::up(const net::PeerInfo& info, std::uint64_t group, UnixMs unix_now, Instant now) {
    if (!info.outbound) {
        // Where it listens is hearsay until a dial has shown it.
        static_cast<void>(book_.add({info.address, info.listen_port}, info.identity, group));
        return true;
    }
    const Endpoint endpoint{info.dialled, info.port};
    const auto open = open_.find(endpoint);
    const auto why = open == open_.end() ? Why::kTold : open->second;
    open_.erase(endpoint);
    if (why == Why::kFeeler) {
        changed_ = book_.succeeded(endpoint, info.identity, unix_now).has_value() || changed_;
        return false;
    }
    linked_[endpoint] = {now, why};
    if (book_.succeeded(endpoint, info.identity, unix_now)) {
        auto anchors = book_.anchors();
        std::erase(anchors, endpoint);
        anchors.insert(anchors.begin(), endpoint);
        book_.set_anchors(anchors);
        changed_ = true;
    }
    return true;
}

void Dialer::down(const net::PeerInfo& info, Instant now) {
    const Endpoint endpoint{info.dialled, info.port};
    const auto linked = linked_.find(endpoint);
    if (!info.outbound || linked == linked_.end()) {
        return;
    }
    const auto since = linked->second.since;
    if (SYNOD_PLANTED("links_never_forgotten")) {
        return;
    }
    linked_.erase(linked);
    if (now - since >= kShortLink) {
        short_.erase(endpoint);
        return;
    }
    std::erase_if(short_, [&](const auto& entry) { return book_.find(entry.first) == nullptr; });
    auto& brief = short_[endpoint];
    brief.times = std::min(brief.times + 1, peers::kMaxFailuresCounted);
    brief.not_before = now + peers::dial_wait(seed_, endpoint, brief.times);
}

void Dialer::failed(const std::string& address, std::uint16_t port, UnixMs unix_now, Instant now) {
    const Endpoint endpoint{address, port};
    if (!SYNOD_PLANTED("failed_dials_stay_open")) {
        open_.erase(endpoint);
    }
    book_.failed(endpoint, unix_now, now);
    changed_ = true;
}

void Dialer::learn(const std::vector<net::ListedPeer>& listed, std::uint64_t group) {
    std::size_t taken = 0;
    for (const auto& peer : listed) {
        const auto ip = net::parse_ip(peer.ip);
        if (SYNOD_PLANTED("told_peers_forgotten") || !ip || peer.port == 0 || peer.identity == ourselves_ || ++taken > kMaxLearned) {
            continue;
        }
        // A full book keeps what has worked; a stranger's word is the least of it.
        changed_ = book_.add({peer.ip, peer.port}, peer.identity, group).has_value() || changed_;
    }
}

std::optional<Bytes> Dialer::changed_book() {
    if (!changed_) {
        return std::nullopt;
    }
    changed_ = false;
    return book_.encode();
}

}  // namespace synod::app
