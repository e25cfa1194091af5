// SPDX-License-Identifier: Apache-2.0
// What to ask for and of whom: the window, the limits, sizes.
#include "core/sync/scheduler.hpp"

#include <algorithm>
#include <cmath>

namespace synod::sync {
namespace {

//! What is asked for ahead, in what the line holds: on its way here, asked for, and to spare for chance.
constexpr double kLineFill = 3;

}  // namespace

Scheduler::At Scheduler::find(RangeId id) {
    return std::find_if(window_.begin(), window_.end(),
                        [&](const auto& item) { return item.second.id == id; });
}

std::uint32_t Scheduler::processing() const {
    return static_cast<std::uint32_t>(
        std::count_if(window_.begin(), window_.end(), [](const auto& item) {
            return item.second.phase == Phase::processing || item.second.phase == Phase::checked;
        }));
}

std::uint64_t Scheduler::first_in_processing() const {
    const auto found = std::ranges::find_if(window_, [](const auto& item) { return item.second.phase == Phase::processing; });
    return found == window_.end() ? 0 : found->second.count();
}

std::uint64_t Scheduler::expected_bytes(std::uint64_t blocks) const {
    const double size = s_.block_bytes > 0 ? s_.block_bytes
                                           : static_cast<double>(s_.config.block_bytes_guess);
    return static_cast<std::uint64_t>(static_cast<double>(blocks) * size) + 1;
}

std::uint64_t Scheduler::window_bytes() const {
    std::uint64_t total = 0;
    for (const auto& [height, range] : window_) {
        total += range.bytes > 0 ? range.bytes : expected_bytes(range.count());
    }
    return total;
}

bool Scheduler::window_open() const {
    if (window_.empty()) {
        return true;
    }
    const Height base = window_.begin()->first;
    return allocated_.height - base < s_.config.window_blocks &&
           window_bytes() < s_.config.window_bytes;
}

// The formula that the guide's authors planned, cut to whole anchor strides:
// 128 x clamp(100/latency_ms, .5, 4) x clamp(MBps/10, 1, 8) x clamp(peers/5, .5, 2);
// and never so few that all requests together leave a long line half empty.
std::uint32_t Scheduler::batch_blocks() const {
    if (s_.hurries()) {
        return kAnchorStride;  // the first blocks are stored before the last have come
    }
    double latency_ms = 0;
    double mbps = 0;
    double in_line = 0;  // bytes that a peer's line holds
    std::uint32_t measured = 0;
    for (const auto& [id, peer] : s_.peers.all()) {
        if (peer.goodput > 0) {
            latency_ms += to_milliseconds(peer.best_rtt);
            mbps += peer.goodput / 1e6;
            in_line += peer.goodput * to_seconds(peer.best_rtt);
            ++measured;
        }
    }
    double factor = 1;
    if (measured > 0) {
        factor *= std::clamp(100.0 / std::max(latency_ms / measured, 0.01), 0.5, 4.0);
        factor *= std::clamp(mbps / measured / 10, 1.0, 8.0);
    }
    factor *= std::clamp(s_.peers.usable_count(s_.now) / 5.0, 0.5, 2.0);
    double wanted = s_.config.batch_blocks * factor;
    if (measured > 0 && s_.block_bytes > 0) {
        const double requests = std::clamp<double>(s_.config.parallel_downloads / measured, 1,
                                                   s_.config.peer_requests_max);
        const double fill = kLineFill * in_line / measured / requests / s_.block_bytes;
        wanted = std::max(wanted, std::ceil(fill / kAnchorStride) * kAnchorStride);
    }
    wanted = std::min(wanted, static_cast<double>(s_.config.batch_blocks_max));
    const auto strides = static_cast<std::uint32_t>(wanted) / kAnchorStride;
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(strides, 1) * kAnchorStride);
}

bool Scheduler::near_tip(const Range& range) const {
    const auto target = s_.target.height();
    return target && range.end.height + s_.config.near_tip_blocks >= *target;
}

void Scheduler::pump() {
    submit_ready();
    if (processing() >= 2 * s_.config.workers) {
        return;  // back-pressure: nothing new until the pipeline has digested
    }
    resume();
    retry_wanted();
    allocate();
    help_the_idle();
}

// In chain order and without a gap, so that a range is never waited for by one that was given the
// pipeline's place before it.
void Scheduler::submit_ready() {
    std::uint32_t busy = processing();
    for (auto& [height, range] : window_) {
        if (range.phase == Phase::processing || range.phase == Phase::checked) {
            continue;
        }
        if (range.phase != Phase::ready || busy >= 2 * s_.config.workers) {
            return;
        }
        range.phase = Phase::processing;
        range.submission = next_submission_++;
        ++busy;
        s_.progressed();
        s_.emit(SubmitRange{range.id, range.submission, range.winner, range.parent.height + 1,
                            static_cast<std::uint32_t>(range.count()), range.parent.hash,
                            range.end.hash, range.payload});
    }
}

// Downloads whose peer said that it is busy go on where they were.
void Scheduler::resume() {
    for (auto& [height, range] : window_) {
        for (Download& download : range.downloads) {
            Peer* peer = download.open == 0 ? s_.peers.find(download.peer) : nullptr;
            if (!slots_left()) {
                return;
            }
            if (peer != nullptr && s_.now >= peer->not_before &&
                s_.peers.has_room(*peer, s_.peers.soft_bytes(*peer))) {
                request_next(range, download, *peer);
            }
        }
    }
}

void Scheduler::retry_wanted() {
    for (auto& [height, range] : window_) {
        if (!slots_left()) {
            return;
        }
        if (range.phase == Phase::wanted) {
            assign(range);
        }
    }
}

void Scheduler::allocate() {
    const std::uint32_t batch = batch_blocks();
    while (slots_left() && window_open()) {
        const auto end = skeleton_.next_end(allocated_.height, batch);
        if (!end) {
            return;
        }
        Range range;
        range.id = next_range_;
        range.parent = allocated_;
        range.end = *end;
        if (!assign(range)) {
            return;  // nobody has room
        }
        ++next_range_;
        allocated_ = *end;
        window_.emplace(range.parent.height, std::move(range));
    }
}

Peer* Scheduler::choose(const Range& range, bool strict) {
    return s_.peers.pick(s_.now, [&](const Peer& p) {
        const auto bytes = std::min(s_.peers.soft_bytes(p), expected_bytes(range.count()));
        const bool holds = std::any_of(range.downloads.begin(), range.downloads.end(),
                                       [&](const Download& d) { return d.peer == p.id; });
        if (holds || !s_.peers.has_room(p, bytes) || !s_.may_have(p, range.end.height)) {
            return false;
        }
        const bool tried =
            std::find(range.tried.begin(), range.tried.end(), p.id) != range.tried.end();
        const bool suspect = range.processing_failures > 0 && p.distrusted;
        return !strict ||
               (!tried && !suspect && (p.claim == 0 || p.claim >= range.end.height));
    });
}

// A range that failed waits for room at somebody fresh rather than going back to who failed it.
bool Scheduler::better_wait(const Range& range) const {
    return !range.tried.empty() &&
           std::any_of(s_.peers.all().begin(), s_.peers.all().end(), [&](const auto& item) {
               const Peer& p = item.second;
               return p.open > 0 && !p.distrusted && s_.peers.usable(p, s_.now) &&
                      s_.may_have(p, range.end.height) &&
                      std::find(range.tried.begin(), range.tried.end(), p.id) ==
                          range.tried.end();
           });
}

bool Scheduler::assign(Range& range) {
    Peer* peer = choose(range, true);
    if (peer == nullptr && !better_wait(range)) {
        peer = choose(range, false);
    }
    if (peer == nullptr) {
        return false;
    }
    Download download;
    download.peer = peer->id;
    download.last = range.parent;
    download.started = s_.now;
    download.full_at = s_.now;
    range.phase = Phase::downloading;
    range.downloads.push_back(std::move(download));
    request_next(range, range.downloads.back(), *peer);
    return true;
}

void Scheduler::request_next(Range& range, Download& download, Peer& peer) {
    const std::uint64_t left = range.end.height - download.last.height;
    const std::uint64_t soft = s_.peers.soft_bytes(peer);
    std::uint64_t count = left;
    if (s_.block_bytes > 0) {  // not more than a reply holds: the tail stays free to be stolen
        const double fits = static_cast<double>(soft) / s_.block_bytes;
        count = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(fits), 1, left);
    }
    OpenRequest request;
    request.peer = peer.id;
    request.range = range.id;
    request.parent = download.last;
    request.count = static_cast<std::uint32_t>(count);
    request.bytes = std::min(soft, expected_bytes(count));
    request.soft = soft;
    request.sent = s_.now;
    request.deadline = s_.now + s_.peers.block_deadline(peer, request.bytes);
    download.open = s_.open(request);
    s_.emit(RequestBlocks{download.open, peer.id, range.id, download.last.height + 1,
                          request.count, download.last.hash, soft, request.deadline});
}

void Scheduler::release(Range& range, std::size_t index) {
    Download& download = range.downloads[index];
    if (download.open != 0) {
        s_.cancel(download.open);
    }
    for (const RequestId id : download.done) {
        s_.emit(CancelRequest{id});
    }
    range.downloads.erase(range.downloads.begin() + static_cast<std::ptrdiff_t>(index));
    if (range.downloads.empty() && range.phase == Phase::downloading) {
        range.phase = Phase::wanted;
    }
}

void Scheduler::release_all(Range& range) {
    while (!range.downloads.empty()) {
        release(range, range.downloads.size() - 1);
    }
}

void Scheduler::release_peer(PeerId peer) {
    for (auto& [height, range] : window_) {
        for (std::size_t i = range.downloads.size(); i-- > 0;) {
            if (range.downloads[i].peer == peer) {
                release(range, i);
            }
        }
    }
}

void Scheduler::drop_all(bool keep_processing) {
    for (auto& [height, range] : window_) {
        release_all(range);
        const bool submitted = range.phase == Phase::processing || range.phase == Phase::checked;
        if (submitted && !keep_processing) {
            s_.emit(DropRange{range.id});
        } else if (range.phase == Phase::ready) {
            for (const RequestId id : range.payload) {
                s_.emit(CancelRequest{id});
            }
        }
    }
    std::erase_if(window_, [&](const auto& item) {
        const Phase phase = item.second.phase;
        return !keep_processing || (phase != Phase::processing && phase != Phase::checked);
    });
    allocated_ = window_.empty() ? skeleton_.base() : window_.rbegin()->second.end;
}

}  // namespace synod::sync
