// SPDX-License-Identifier: Apache-2.0
// Who is too slow: head-of-line stallers, the statistical slow peer, the absolute floor; and help
// for peers that have nothing to do: stealing a tail, racing the last ranges.
#include "core/sync/scheduler.hpp"

#include <algorithm>
#include <cmath>

namespace synod::sync {
namespace {

//! A download younger than this is not raced, however fast the idle peer is.
constexpr Duration kRaceAfter = std::chrono::milliseconds(500);
constexpr Duration kHurriedRaceAfter = std::chrono::milliseconds(50);  // in mode catchup
constexpr std::uint64_t kOwnLinkFloors = 4;  // total speed below 4 floors: our link is slow

}  // namespace

void Scheduler::watch(Duration dt) {
    watch_head_of_line();
    watch_speed(dt);
}

// A peer stalls the window when it holds the first missing range while others could work were the
// window larger (Bitcoin Core's rule; the time-out adapts so that a slow own link kicks nobody).
void Scheduler::watch_head_of_line() {
    const auto first = std::find_if(window_.begin(), window_.end(), [](const auto& item) {
        return item.second.phase == Phase::wanted || item.second.phase == Phase::downloading;
    });
    if (first == window_.end() || first->second.downloads.size() != 1) {
        return;
    }
    Range& range = first->second;
    const Download download = range.downloads.front();
    const bool blocked = !window_open() || !skeleton_.next_end(allocated_.height, 1);
    if (!blocked || s_.now - download.full_at < stall_timeout_) {
        return;
    }
    const bool others = std::any_of(
        s_.peers.all().begin(), s_.peers.all().end(), [&](const auto& item) {
            const Peer& p = item.second;
            return p.id != download.peer && s_.peers.usable(p, s_.now) && p.open == 0 &&
                   s_.may_have(p, range.end.height);
        });
    Peer* peer = s_.peers.find(download.peer);
    if (!others || peer == nullptr) {
        return;
    }
    release(range, 0);
    range.tried.push_back(peer->id);
    ++peer->stalls;
    const bool again =
        peer->last_stall && s_.now - *peer->last_stall < s_.config.stall_memory;
    peer->last_stall = s_.now;
    if (!again) {
        return;
    }
    stall_timeout_ = std::min<Duration>(stall_timeout_ * 2, s_.config.stall_max);
    release_peer(peer->id);
    if (peer->is_authority) {  // its link is kept: the consensus needs it
        s_.emit(CoolDown{peer->id, s_.peers.cool_down(*peer, s_.now), "stalls the window"});
    } else {
        peer->not_before = s_.now + s_.config.cooldown_first;  // until the driver's PeerDown
        s_.emit(Disconnect{peer->id, "stalls the window"});
    }
}

void Scheduler::watch_speed(Duration dt) {
    for (auto& [id, peer] : s_.peers.all()) {
        peer.sample_busy += peer.open > 0 ? dt : Duration{0};
    }
    sampled_ += dt;
    if (sampled_ < s_.config.slow_sample) {
        return;
    }
    const double span = to_seconds(sampled_);
    double total = 0;
    double sum = 0;
    double squares = 0;
    std::uint32_t busy = 0;
    const Duration half = sampled_ / 2;
    for (const auto& [id, peer] : s_.peers.all()) {
        total += static_cast<double>(peer.sample_bytes) / span;
        if (peer.sample_busy >= half) {
            const double rate = static_cast<double>(peer.sample_bytes) /
                                to_seconds(peer.sample_busy);
            sum += rate;
            squares += rate * rate;
            ++busy;
        }
    }
    const double mean = busy > 0 ? sum / busy : 0;
    const double sigma = busy > 0 ? std::sqrt(std::max(0.0, squares / busy - mean * mean)) : 0;
    const auto floor = static_cast<double>(s_.config.floor_bytes_per_s);
    for (auto& [id, peer] : s_.peers.all()) {
        const Duration was_busy = std::exchange(peer.sample_busy, Duration{0});
        const double bytes = static_cast<double>(std::exchange(peer.sample_bytes, 0));
        if (was_busy < half) {
            continue;  // idle for lack of work is not slow
        }
        const double rate = bytes / to_seconds(was_busy);
        const bool outlier = busy >= s_.config.slow_min_peers &&
                             rate < mean - s_.config.slow_sigmas * sigma;
        const bool below = rate < floor && total >= kOwnLinkFloors * floor;
        if (outlier || below) {
            release_peer(id);
            s_.emit(CoolDown{id, s_.peers.cool_down(peer, s_.now),
                             below ? "below the speed floor" : "much slower than the others"});
        }
    }
    sampled_ = Duration{0};
}

void Scheduler::help_the_idle() {
    if (window_open() && skeleton_.next_end(allocated_.height, 1)) {
        return;  // there is plain work left; whoever is idle has no room or lacks it
    }
    for (auto& [id, peer] : s_.peers.all()) {
        if (!slots_left()) {
            return;
        }
        if (peer.open == 0 && !peer.distrusted && s_.peers.usable(peer, s_.now) && !steal(peer)) {
            race(peer);
        }
    }
}

// A starved peer takes the tail half of the largest part that nobody has asked for yet.
bool Scheduler::steal(Peer& idle) {
    Range* best = nullptr;
    Height best_from = 0;
    for (auto& [height, range] : window_) {
        if (range.phase != Phase::downloading || range.downloads.size() != 1 ||
            range.downloads.front().open == 0 || range.downloads.front().peer == idle.id ||
            !s_.may_have(idle, range.end.height)) {
            continue;
        }
        const auto request = s_.requests.find(range.downloads.front().open);
        if (request == s_.requests.end()) {
            continue;
        }
        const Height asked = request->second.parent.height + request->second.count;
        if (asked < range.end.height && range.end.height - asked >= kAnchorStride &&
            (best == nullptr || range.end.height - asked > best->end.height - best_from)) {
            best = &range;
            best_from = asked;
        }
    }
    if (best == nullptr) {
        return false;
    }
    const Height half = best_from + (best->end.height - best_from) / 2;
    const Height cut = (half + kAnchorStride - 1) / kAnchorStride * kAnchorStride;
    const auto anchor = skeleton_.at(cut);
    if (!anchor || cut <= best->parent.height || cut >= best->end.height) {
        return false;
    }
    Range tail;
    tail.id = next_range_++;
    tail.parent = *anchor;
    tail.end = best->end;
    best->end = *anchor;
    Download download;
    download.peer = idle.id;
    download.last = tail.parent;
    download.started = s_.now;
    download.full_at = s_.now;
    tail.phase = Phase::downloading;
    auto& placed = window_.emplace(tail.parent.height, std::move(tail)).first->second;
    placed.downloads.push_back(std::move(download));
    request_next(placed, placed.downloads.back(), idle);
    return true;
}

bool Scheduler::race(Peer& idle) {
    for (auto& [height, range] : window_) {
        const bool near = near_tip(range);
        const bool hurry = s_.hurries();
        const std::size_t holders = near || hurry ? s_.config.holders_max : 2;
        if (range.phase != Phase::downloading || range.downloads.size() >= holders ||
            !s_.may_have(idle, range.end.height)) {
            continue;
        }
        const bool holds = std::any_of(range.downloads.begin(), range.downloads.end(),
                                       [&](const Download& d) { return d.peer == idle.id; });
        const bool tried =
            std::find(range.tried.begin(), range.tried.end(), idle.id) != range.tried.end();
        const Duration patience =
            hurry  ? std::max<Duration>(kHurriedRaceAfter, idle.block_rtt)
            : near ? s_.config.slot
                   : std::max<Duration>(kRaceAfter, idle.block_rtt);
        if (holds || tried || s_.now - range.downloads.back().started < patience) {
            continue;
        }
        Download download;
        download.peer = idle.id;
        download.last = range.parent;
        download.started = s_.now;
        download.full_at = s_.now;
        range.downloads.push_back(std::move(download));
        request_next(range, range.downloads.back(), idle);
        return true;
    }
    return false;
}

}  // namespace synod::sync
