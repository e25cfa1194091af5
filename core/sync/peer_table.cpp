// SPDX-License-Identifier: Apache-2.0
#include "core/sync/peer_table.hpp"

#include <algorithm>
#include <vector>

namespace synod::sync {
namespace {

constexpr double kSmooth = 0.25;        // weight of the newest measurement
constexpr std::uint32_t kTimeoutsToCool = 2;
constexpr std::uint32_t kAskLess = 4;   // a time-out divides what the next reply may hold by this
const Duration kFastest = std::chrono::microseconds(50);  // no measurement is shorter than this

Duration smooth(Duration old, Duration sample) {
    if (old == Duration{0}) {
        return sample;
    }
    return Duration(static_cast<std::int64_t>(static_cast<double>(old.count()) * (1 - kSmooth) +
                                              static_cast<double>(sample.count()) * kSmooth));
}

}  // namespace

Peer* PeerTable::add(PeerId id, bool is_authority, std::uint64_t group) {
    if (id == 0 || (peers_.size() >= kMaxPeers && !peers_.contains(id))) {
        return nullptr;
    }
    auto [at, fresh] = peers_.try_emplace(id);
    Peer& peer = at->second;
    peer.is_authority = is_authority;
    peer.group = group;
    if (fresh) {
        peer.id = id;
        peer.limit = config_.peer_requests_first;
        peer.headers_limit = config_.headers_max;
        peer.next_cooldown = config_.cooldown_first;
    }
    return &peer;
}

Peer* PeerTable::find(PeerId id) {
    const auto at = peers_.find(id);
    return at == peers_.end() ? nullptr : &at->second;
}

bool PeerTable::usable(const Peer& peer, Instant now) const {
    return !peer.other_chain && (!authorities_only_ || peer.is_authority) &&
           now >= peer.not_before && now >= peer.cool_until;
}

std::uint32_t PeerTable::usable_count(Instant now) const {
    return static_cast<std::uint32_t>(std::count_if(
        peers_.begin(), peers_.end(), [&](const auto& item) { return usable(item.second, now); }));
}

double PeerTable::random_fraction() {  // splitmix64 (Steele, Lea, Flood 2014)
    random_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = random_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1.0p-53;
}

Peer* PeerTable::pick(Instant now, const std::function<bool(const Peer&)>& passes) {
    std::vector<Peer*> best;
    int best_class = 3;
    const bool any_rested = usable_count(now) > 0;
    for (auto& [id, peer] : peers_) {
        const bool rested = usable(peer, now);
        // With nobody else left, one that cools down is better than nobody.
        const bool last_resort = !any_rested && !peer.other_chain && now >= peer.not_before &&
                                 (!authorities_only_ || peer.is_authority);
        if ((!rested && !last_resort) || !passes(peer)) {
            continue;
        }
        const int rank = peer.distrusted ? 1 : 0;
        if (rank < best_class) {
            best_class = rank;
            best.clear();
        }
        if (rank == best_class) {
            best.push_back(&peer);
        }
    }
    double total = 0;
    for (const Peer* peer : best) {
        total += peer->weight;
    }
    double at = random_fraction() * total;
    for (Peer* peer : best) {
        at -= peer->weight;
        if (at < 0) {
            return peer;
        }
    }
    return best.empty() ? nullptr : best.back();
}

Duration PeerTable::header_deadline(const Peer& peer) const {
    const Duration rtt = peer.header_rtt == Duration{0} ? config_.rtt_guess : peer.header_rtt;
    return std::clamp<Duration>(rtt * config_.deadline_rtts, config_.deadline_min,
                                config_.deadline_max);
}

Duration PeerTable::block_deadline(const Peer& peer, std::uint64_t more_bytes) const {
    const Duration rtt = peer.block_rtt == Duration{0} ? config_.rtt_guess : peer.block_rtt;
    Duration queued{0};
    if (peer.goodput > 0) {
        const double s = static_cast<double>(peer.open_bytes + more_bytes) / peer.goodput;
        queued = Duration(static_cast<std::int64_t>(std::min(s, 60.0) * 1e9));
    }
    return std::clamp<Duration>(std::max(rtt, queued) * config_.deadline_rtts,
                                config_.deadline_min, config_.deadline_max);
}

std::uint64_t PeerTable::soft_bytes(const Peer& peer) const {
    if (peer.goodput <= 0) {
        return std::min(config_.first_soft_bytes, config_.soft_bytes);
    }
    const double aim = peer.goodput * to_seconds(config_.request_aim);
    return std::clamp(static_cast<std::uint64_t>(std::min(aim, 1e12)),
                      std::min(config_.min_soft_bytes, config_.soft_bytes), config_.soft_bytes);
}

bool PeerTable::has_room(const Peer& peer, std::uint64_t bytes) const {
    if (peer.open == 0) {
        return true;
    }
    if (peer.open >= std::min(peer.limit, config_.peer_requests_max)) {
        return false;
    }
    const auto twice_bdp =
        static_cast<std::uint64_t>(2 * peer.goodput * to_seconds(peer.best_rtt));
    // Two requests must fit, or the pipe runs dry while the second is asked for.
    const std::uint64_t cap =
        std::min(config_.peer_bytes_max, std::max(twice_bdp, 2 * soft_bytes(peer)));
    return peer.open_bytes + bytes <= cap;
}

void PeerTable::header_reply(Peer& peer, Instant sent, Instant now, std::uint64_t bytes) {
    const Duration took = std::max(kFastest, now - sent);
    peer.header_rtt = smooth(peer.header_rtt, took);
    peer.timeouts_in_row = 0;
    if (took < config_.request_aim) {
        peer.headers_limit = std::min(config_.headers_max, peer.headers_limit * 2);
    } else if (peer.goodput <= 0 && bytes > 0) {
        // Headers come before blocks: a line that was slow with them need not choke on the first blocks to be known.
        peer.goodput = static_cast<double>(bytes) / to_seconds(took);
    }
}

void PeerTable::block_reply(Peer& peer, Instant sent, Instant now, std::uint64_t bytes,
                            bool full) {
    const Duration took = std::max(kFastest, now - sent);
    peer.block_rtt = smooth(peer.block_rtt, took);
    peer.best_rtt = peer.best_rtt == Duration{0} ? took : std::min(peer.best_rtt, took);
    // Pipelined replies share the line: the time since the last one is what this one cost.
    const Duration alone = std::max(kFastest, now - std::max(sent, peer.last_arrival));
    const double speed = static_cast<double>(bytes) / to_seconds(alone);
    peer.goodput = peer.goodput <= 0 ? speed : peer.goodput * (1 - kSmooth) + speed * kSmooth;
    peer.last_arrival = now;
    peer.bytes += bytes;
    peer.sample_bytes += bytes;
    peer.timeouts_in_row = 0;
    if (full) {
        peer.limit = std::min(peer.limit + 1, config_.peer_requests_max);
        peer.next_cooldown = std::max(config_.cooldown_first, peer.next_cooldown / 2);
    }
}

bool PeerTable::timed_out(Peer& peer, bool headers) {
    Duration& rtt = headers ? peer.header_rtt : peer.block_rtt;
    const Duration from = rtt == Duration{0} ? config_.rtt_guess : rtt;
    rtt = std::min<Duration>(from * 2, config_.deadline_max);
    // No deadline is longer than the longest, so a line too narrow for the reply must be asked for a smaller one.
    if (headers) {
        peer.headers_limit = std::max(peer.headers_limit / kAskLess, std::min(config_.headers_min, config_.headers_max));
    } else {
        peer.goodput = static_cast<double>(soft_bytes(peer)) / to_seconds(config_.request_aim) / kAskLess;
    }
    peer.limit = std::max(config_.peer_requests_first, peer.limit / 2);
    ++peer.timeouts;
    return ++peer.timeouts_in_row >= kTimeoutsToCool;
}

Duration PeerTable::cool_down(Peer& peer, Instant now) {
    const Duration time = peer.next_cooldown;
    peer.timeouts_in_row = 0;
    peer.cool_until = now + time;
    peer.not_before = std::max<Instant>(peer.not_before, now + config_.retry_soon);
    peer.next_cooldown = std::min<Duration>(time * 2, config_.cooldown_max);
    return time;
}

void PeerTable::end_cool_downs(Instant now) {
    for (auto& [id, peer] : peers_) {
        peer.cool_until = std::min(peer.cool_until, now);
    }
}

}  // namespace synod::sync
