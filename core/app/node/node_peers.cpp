// SPDX-License-Identifier: Apache-2.0
// Who is linked, dialled, ranked, judged and shown the door.
#include <algorithm>

#include "core/app/node/node.hpp"
#include "core/base/codec.hpp"
#include "core/peers/eviction.hpp"

namespace synod::app {

namespace {

constexpr Duration kEvictionEvery = std::chrono::seconds(1);
constexpr std::size_t kMaxDeparted = 1'024;  // peers that left and are still shown or blamed

//! Same number, same network: /16, for IPv6 /32. Nodes of this machine are told apart by who they
//! are: there is no network between them.
std::uint64_t group_of(const net::PeerInfo& peer) {
    const auto ip = net::parse_ip(peer.address);
    if (!ip) {
        return 0;
    }
    std::uint64_t out = 0;
    if (ip->is_loopback()) {
        for (const auto byte : peer.identity.data) {
            out = out * 257 + byte;
        }
        return out;
    }
    const auto group = ip->group();
    for (const auto byte : group.bytes) {
        out = out * 257 + byte;
    }
    return out;
}

}  // namespace

//! An authority that is a named miner too is an authority; who is proven to have equivocated is nobody.
peers::Tier Node::tier_of(const PublicKey& identity) const {
    if (evidence_->book().guilty(identity)) {
        return peers::Tier::kRegular;
    }
    const auto state = keeper_->head_state();
    if (state && pipeline_.consensus().authority_index(state, identity)) {
        return peers::Tier::kFederation;
    }
    return config_.miners.contains(identity) ? peers::Tier::kMiner : peers::Tier::kRegular;
}

//! The set of authorities changed: who is linked may be one now, or no more.
void Node::grade_peers() {
    for (auto& [id, link] : links_.peers) {
        const auto tier = tier_of(link.info.identity);
        if (tier == link.tier) {
            continue;
        }
        link.tier = tier;
        link.unasked.emplace(cost_share(tier), kCostPeriod, clock_.mono());
        server_->forget(id);  // it pays by its new share
        driver_->feed(sync::PeerUp{id, link.is_authority(), met_[id].group});
    }
}

void Node::peer_up(const net::PeerInfo& info) {
    const auto now = clock_.mono();
    if (!dialer_.up(info, group_of(info), clock_.unix_ms(), now)) {
        network_->close(info.id, "peers.feeler");
        return;
    }
    if (judge_.banned(info.identity, clock_.unix_ms())) {
        network_->close(info.id, "peers.banned");
        dialer_.down(info, now);
        return;
    }
    auto& link = links_.peers[info.id];
    link.info = info;
    link.last_heard = link.since = now;
    link.tier = tier_of(info.identity);
    link.unasked.emplace(cost_share(link.tier), kCostPeriod, now);
    if (met_.size() >= kMaxDeparted) {
        std::erase_if(met_, [&](const auto& p) { return !links_.peers.contains(p.first); });
    }
    met_[info.id] = {info.identity, group_of(info)};
    std::erase_if(departed_, [&](const auto& p) { return p.second.identity == info.identity; });
    driver_->feed(sync::PeerUp{info.id, link.is_authority(), met_[info.id].group});
    publish(bus::Topic::kPeerUp, synod::Writer()
                                     .put(info.id)
                                     .fixed(info.identity)
                                     .put(static_cast<std::uint8_t>(link.tier))
                                     .take());
    send_status(info.id);
    mining_->greet(info.id);
    governance_->greet(info.id);
    evidence_->greet(info.id);
    link.ping_sent = now;
    links_.send(info.id, net::Ping{info.id, clock_.unix_ms()});
}

void Node::peer_down(std::uint64_t peer, const std::string& reason) {
    const auto it = links_.peers.find(peer);
    if (it == links_.peers.end()) {
        return;
    }
    dialer_.down(it->second.info, clock_.mono());
    if (departed_.size() >= kMaxDeparted) {
        departed_.clear();
    }
    // What was measured of it as of the last status: a snapshot for each that goes would cost the square.
    auto left = linked_peer(peer, it->second, status()->sync);
    left.connected = false;
    left.in_flight = 0;
    left.left_because = reason;
    departed_[peer] = std::move(left);
    links_.peers.erase(it);
    server_->forget(peer);
    governance_->forget(peer);
    driver_->peer_gone(peer);
    publish(bus::Topic::kPeerDown, synod::Writer().put(peer).text(reason).take());
}

void Node::dial_failed(const std::string& address, std::uint16_t port, const Error& why) {
    dialer_.failed(address, port, clock_.unix_ms(), clock_.mono());
    const bool wrong_chain =
        why.code == "net.genesis_mismatch" || why.code == "net.network_mismatch";
    log_(wrong_chain ? "warning" : "info", "dial " + address + ":" + std::to_string(port) + ": " +
                                               why.text());
}

void Node::charge(std::uint64_t peer, const Charge& charge) {
    const auto met = met_.find(peer);
    const auto text =
        charge.reason + " (" + charge.rule + ") at height " + std::to_string(charge.height);
    if (peer == 0 || met == met_.end()) {
        log_("error", "our own " + text);
        return;
    }
    const auto identity = met->second.identity;
    const auto short_name = to_hex(identity.view()).substr(0, 16);
    const bool needed = links_.peers.contains(peer) && links_.peers.size() <= config_.sync.min_peers;
    const auto sentence =
        judge_.charge(identity, met->second.group, charge, needed, clock_.mono(), clock_.unix_ms());
    if (sentence == Sentence::kSelfFault) {
        log_("error", "self_fault_suspected: " + text + " came from different networks");
        publish(bus::Topic::kAlert,
                synod::Writer().text("self_fault_suspected").text(text).take());
        return;
    }
    log_("warning", "peer " + short_name + " misbehaved: " + text);
    publish(bus::Topic::kPeerMisbehaved,
            synod::Writer().put(peer).text(charge.reason).put(charge.height).take());
    if (sentence == Sentence::kCoolDown) {
        log_("error", "self_fault_suspected: " + short_name + " is our last peer, so it isn't banned");
    } else if (sentence == Sentence::kBan) {
        publish(bus::Topic::kPeerBanned,
                synod::Writer().fixed(identity).text(charge.reason).put(peers::kBanMs / 1000).take());
    }
    if (sentence != Sentence::kNone) {
        network_->close(peer, "peers.misbehaved", charge.reason + ": " + charge.rule);
    }
}

//! An authority that signed twice for a slot: it loses its tier for good and its link for a day.
void Node::convict(const ProvenEvidence& evidence) {
    const auto text = "authority " + to_hex(evidence.author.view()).substr(0, 16) + " signed twice for slot " +
                      std::to_string(evidence.slot);
    log_("error", text);
    publish(bus::Topic::kAlert, synod::Writer().text("equivocation").text(text).take());
    if (config_.signer && config_.signer->public_key() == evidence.author) {
        duties_->on_evidence_against_us(evidence.slot);
        return;
    }
    const Charge crime{peers::Severity::kFatal, "equivocation",
                       evidence.purpose == SYNOD_SIGN_PROPOSE ? "two_blocks" : "two_approvals",
                       evidence.first_height, {}};
    // Its own signatures show it: no doubt of ours, and no need of peers, speaks for it.
    if (judge_.charge(evidence.author, 0, crime, false, clock_.mono(), clock_.unix_ms()) == Sentence::kBan) {
        publish(bus::Topic::kPeerBanned,
                synod::Writer().fixed(evidence.author).text(crime.reason).put(peers::kBanMs / 1000).take());
    }
    for (auto& [id, link] : links_.peers) {
        if (link.info.identity == evidence.author) {
            link.tier = peers::Tier::kRegular;
            network_->close(id, "peers.misbehaved", crime.reason + ": " + crime.rule);
        }
    }
    watch_emergency(clock_.mono());
}

//! Authorities in force that signed twice for a slot.
std::uint32_t Node::guilty_authorities() const {
    const auto state = keeper_->head_state();
    std::uint32_t out = 0;
    for (const auto& author : evidence_->book().authors()) {
        out += state && pipeline_.consensus().authority_index(state, author) ? 1 : 0;
    }
    return out;
}

void Node::unanswered(std::uint64_t peer, std::string_view reason) {
    const auto met = met_.find(peer);
    if (met == met_.end()) {
        return;
    }
    judge_.unanswered(met->second.identity, std::string(reason), clock_.mono());
    ranker_.of(met->second.identity).failed();
    met->second.judged = clock_.mono();
    log_("info", "peer " + to_hex(met->second.identity.view()).substr(0, 16) + " is put aside: " +
                     std::string(reason));
}

//! A newcomer found no place: whoever adds least makes room for the next one.
void Node::make_room() {
    const auto now = clock_.mono();
    if (now - last_eviction_ < kEvictionEvery) {
        return;
    }
    last_eviction_ = now;
    const auto snapshot = driver_->machine().snapshot(now);
    std::vector<peers::Evictable> links;
    for (const auto& [id, link] : links_.peers) {
        peers::Evictable out;
        out.id = id;
        out.group = met_.at(id).group;
        out.inbound = !link.info.outbound;
        out.tier = link.tier;
        out.latency = link.rtt.count() > 0 ? std::optional(link.rtt) : std::nullopt;
        out.connected = now - link.since;
        const auto load = std::ranges::find(snapshot.peer_loads, id, &sync::PeerLoad::peer);
        out.blocks = load == snapshot.peer_loads.end() ? 0 : load->blocks;
        links.push_back(out);
    }
    if (const auto goes = peers::choose_eviction(std::move(links))) {
        log_("info", "peer " + std::to_string(*goes) + " makes room for others");
        network_->close(*goes, "peers.evicted");
    }
}

void Node::dial() {
    const auto now = clock_.mono();
    const auto unix = clock_.unix_ms();
    const auto skip = [&](const PublicKey& identity) {
        return judge_.banned(identity, unix) ||
               std::ranges::any_of(links_.peers, [&](const auto& p) {
                   return p.second.info.identity == identity;
               }) ||
               (judge_.cooling(identity, now) && links_.peers.size() >= config_.sync.min_peers &&
                tier_of(identity) != peers::Tier::kFederation);  // links to authorities are kept up
    };
    for (auto& endpoint : dialer_.due(now, links_.peers.size(), skip,
                                      [this](const PublicKey& identity) { return tier_of(identity); })) {
        network_->dial(std::move(endpoint.address), endpoint.port, endpoint.identity);
    }
}

void Node::rank() {
    const auto now = clock_.mono();
    const auto unix = clock_.unix_ms();
    if (!ranker_.due(now)) {
        return;
    }
    std::vector<RankedPeer> connected;
    const auto snapshot = driver_->machine().snapshot(now);
    for (const auto& [id, link] : links_.peers) {
        RankedPeer peer{id, link.info.identity, {}};
        peer.known.is_authority = link.is_authority();
        peer.known.reputation =
            1 - judge_.standing(link.info.identity, now, unix).points / peers::kMaxPoints;
        peer.known.participation = link.is_authority() ? 1 : 0;
        peer.known.equivocations = evidence_->book().count(link.info.identity);
        const auto load = std::ranges::find(snapshot.peer_loads, id, &sync::PeerLoad::peer);
        if (load != snapshot.peer_loads.end()) {
            peer.known.in_flight_bytes = load->open_bytes;
        }
        peer.known.connected_s = static_cast<std::uint64_t>((now - link.since) / std::chrono::seconds(1));
        connected.push_back(std::move(peer));
    }
    ranker_.rank(std::move(connected), now);
}

net::Peers Node::peers_for(std::uint32_t request, std::uint64_t asker) const {
    net::Peers out{request, {}};
    for (const auto& [id, link] : links_.peers) {
        const auto port = link.info.outbound ? link.info.port : link.info.listen_port;
        if (id != asker && port != 0 && out.list.size() < net::kMaxPeersListed) {
            out.list.push_back({link.info.address, port, link.info.identity});
        }
    }
    return out;
}

}  // namespace synod::app
