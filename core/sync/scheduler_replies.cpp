// SPDX-License-Identifier: Apache-2.0
// What became of what was asked for: replies, failures, verdicts, commits, and who is to blame.
#include "core/sync/scheduler.hpp"

#include <algorithm>

#include "core/base/planted.hpp"

namespace synod::sync {
namespace {

constexpr double kSizeSmooth = 0.2;  // weight of the newest reply in the block size
//! So near the tip, in blocks, two of one height may both be certified: who has the other one is no liar.
constexpr Height kUnsettled = 10;
constexpr const char* kElsewhere = "range.end_mismatch";
constexpr std::size_t kTriedMax = 16;  // peers remembered per range

}  // namespace

void Scheduler::on_blocks(const BlocksReceived& event) {
    const auto at = s_.requests.find(event.request);
    if (at == s_.requests.end() || at->second.headers) {
        return;
    }
    const OpenRequest request = at->second;
    s_.close(event.request);
    const At where = find(request.range);
    Peer* peer = s_.peers.find(request.peer);
    if (request.orphan && peer != nullptr && event.result == ReplyResult::ok && event.count > 0) {
        s_.peers.block_reply(*peer, request.sent, s_.now, event.bytes, false);
    }
    if (where == window_.end()) {
        s_.emit(CancelRequest{event.request});
        return;
    }
    Range& range = where->second;
    const auto mine = std::find_if(range.downloads.begin(), range.downloads.end(),
                                   [&](const Download& d) { return d.open == event.request; });
    if (mine == range.downloads.end() || peer == nullptr) {
        s_.emit(CancelRequest{event.request});
        return;
    }
    const auto index = static_cast<std::size_t>(mine - range.downloads.begin());
    mine->open = 0;
    const bool malformed = event.result == ReplyResult::malformed ||
                           (event.result == ReplyResult::ok && event.count > request.count);
    if (event.result != ReplyResult::ok || malformed || event.count == 0) {
        s_.emit(CancelRequest{event.request});
        release(range, index);
        if (malformed) {
            s_.emit(Penalise{peer->id, Offence::malformed_reply, request.parent.height + 1,
                             "blocks.malformed"});
            peer->not_before = s_.now + s_.config.retry_soon;
        } else {
            s_.lacks(*peer, request.parent.height + 1);  // a claim about its own chain only
        }
        attempt_failed(range, peer->id, malformed);
        return;
    }
    const bool full = event.count == request.count || event.bytes * 4 >= request.soft;
    s_.peers.block_reply(*peer, request.sent, s_.now, event.bytes, full);
    const double size = static_cast<double>(event.bytes) / event.count;
    s_.block_bytes = s_.block_bytes > 0
                         ? s_.block_bytes * (1 - kSizeSmooth) + size * kSizeSmooth
                         : size;
    s_.progressed();
    mine->done.push_back(event.request);
    mine->bytes += event.bytes;
    mine->last = {request.parent.height + event.count, event.last_hash};
    if (full) {
        mine->full_at = s_.now;
    }
    if (mine->last.height < range.end.height) {
        request_next(range, *mine, *peer);  // the same peer goes on where it was cut
    } else {
        complete(range, index);
    }
}

void Scheduler::complete(Range& range, std::size_t index) {
    const Download download = range.downloads[index];
    if (download.last != range.end) {
        // It does not lead to the verified end: known before anything is decoded further.
        release(range, index);
        const auto target = s_.target.best();
        // Near the tip, or where two that have nothing to do with each other bring other blocks, our headers may be
        // those of a branch that everybody has left.
        forgive_elsewhere(range, download.peer);
        const bool unsettled = range.left || !target || range.end.height + kUnsettled > target->height;
        if (unsettled && !SYNOD_PLANTED("branch_at_the_tip_fails")) {
            s_.strayed = download.peer;
            if (Peer* peer = s_.peers.find(download.peer); peer != nullptr) {
                s_.lacks(*peer, range.end.height);
            }
            attempt_failed(range, download.peer, false);
            return;
        }
        failed(range, download.peer, kElsewhere, range.end.height, false);
        return;
    }
    range.downloads.erase(range.downloads.begin() + static_cast<std::ptrdiff_t>(index));
    for (Download& loser : range.downloads) {  // of a race
        s_.abandon(std::exchange(loser.open, 0));
    }
    release_all(range);
    range.phase = Phase::ready;
    range.winner = download.peer;
    range.payload = download.done;
    range.bytes = download.bytes;
}

//! Where somebody of another group brought other blocks than ours for this range as well nobody is blamed.
void Scheduler::forgive_elsewhere(Range& range, PeerId by) {
    const Peer* peer = s_.peers.find(by);
    const Blame mine{by, peer != nullptr ? peer->group : 0, kElsewhere, range.end.height};
    const auto forgiven = [&](const Blame& b) { return b.same_from_another(mine); };
    for (const Blame& blame : range.blames) {
        if (Peer* other = s_.peers.find(blame.peer); other != nullptr && forgiven(blame)) {
            other->distrusted = false;
        }
    }
    const auto n = static_cast<std::uint32_t>(std::erase_if(range.blames, forgiven));
    range.processing_failures -= std::min(range.processing_failures, n);
    range.left = range.left || n > 0;
}

void Scheduler::attempt_failed(Range& range, PeerId peer, bool counts) {
    range.tried.push_back(peer);
    if (range.tried.size() > kTriedMax) {
        range.tried.erase(range.tried.begin());
    }
    if ((counts || SYNOD_PLANTED("missing_peer_counts")) && ++range.download_failures >= s_.config.download_attempts) {
        s_.fatal = "no peer delivers blocks from " + std::to_string(range.parent.height + 1);
    }
}

void Scheduler::on_failed(RequestId id, const OpenRequest& request, bool busy, bool counts) {
    const At where = find(request.range);
    if (where == window_.end()) {
        return;
    }
    Range& range = where->second;
    for (std::size_t i = 0; i < range.downloads.size(); ++i) {
        if (range.downloads[i].open == id) {
            range.downloads[i].open = 0;
            if (busy && !range.downloads[i].done.empty()) {
                return;  // what came is kept: thrown away, a rate limit would never let a range end
            }
            release(range, i);
            attempt_failed(range, request.peer, counts);
            return;
        }
    }
}

void Scheduler::on_checked(const RangeChecked& event) {
    const At at = find(event.range);
    if (at == window_.end() || at->second.phase != Phase::processing ||
        (event.submission != 0 && event.submission != at->second.submission)) {
        return;
    }
    at->second.phase = Phase::checked;
    settle_blame(at->second);
    s_.progressed();
}

void Scheduler::on_range_failed(const RangeFailed& event) {
    const At at = find(event.range);
    if (at == window_.end() ||
        (at->second.phase != Phase::processing && at->second.phase != Phase::checked) ||
        (event.submission != 0 && event.submission != at->second.submission)) {
        return;
    }
    Range& range = at->second;
    const PeerId peer = range.winner;
    s_.emit(DropRange{range.id});
    range.payload.clear();
    range.bytes = 0;
    // What was submitted after it stood on it; the payload is still good.
    for (At later = std::next(at); later != window_.end(); ++later) {
        if (later->second.phase == Phase::processing || later->second.phase == Phase::checked) {
            later->second.phase = Phase::ready;
        }
    }
    range.phase = Phase::wanted;
    if (!SYNOD_PLANTED("overtaken_range_counts") && event.self_fault && range.parent.height < s_.committed.height) {
        s_.overtaken = true;  // by blocks that were pushed: the state that it stands on is kept no longer
        return;
    }
    failed(range, peer, event.rule, event.height, event.self_fault);
}

void Scheduler::failed(Range& range, PeerId by, const std::string& rule, Height height,
                       bool self_fault) {
    Peer* peer = s_.peers.find(by);
    ++range.processing_failures;
    range.tried.push_back(by);
    if (self_fault) {
        range.self_fault = true;
        s_.emit(SelfFaultSuspected{range.id, height, rule});
    } else {
        const Blame blame{by, peer != nullptr ? peer->group : 0, rule, height};
        const bool ours = std::any_of(range.blames.begin(), range.blames.end(),
                                      [&](const Blame& b) { return b.same_from_another(blame); });
        range.blames.push_back(blame);
        if (peer != nullptr) {
            peer->distrusted = true;
        }
        if (ours) {
            range.self_fault = true;
            s_.emit(SelfFaultSuspected{range.id, height, rule});
            for (const Blame& b : range.blames) {
                if (Peer* other = s_.peers.find(b.peer); other != nullptr) {
                    other->distrusted = false;
                }
            }
        }
    }
    if (range.processing_failures >= s_.config.processing_attempts) {
        settle_blame(range);
        s_.fatal = "blocks fail again and again: " + rule + " at height " +
                   std::to_string(height);
    }
}

// Another version of the range held (or nobody but the same people ever failed): now it is known
// who lied. Where two groups brought the same failure nobody is punished.
void Scheduler::settle_blame(Range& range) {
    if (!range.self_fault || SYNOD_PLANTED("own_faults_blamed")) {
        for (const Blame& blame : range.blames) {
            s_.emit(Penalise{blame.peer, Offence::invalid_block, blame.height, blame.rule});
        }
    }
    range.blames.clear();
}

std::optional<BlockRef> Scheduler::on_committed(const RangeCommitted& event) {
    const At at = find(event.range);
    if (at == window_.end() || at != window_.begin() ||
        at->second.end != BlockRef{event.height, event.hash} ||
        (at->second.phase != Phase::processing && at->second.phase != Phase::checked)) {
        return std::nullopt;
    }
    settle_blame(at->second);
    if (Peer* peer = s_.peers.find(at->second.winner); peer != nullptr) {
        peer->blocks += at->second.count();
    }
    const BlockRef end = at->second.end;
    window_.erase(at);
    skeleton_.consume(end);
    const auto decayed = static_cast<std::int64_t>(static_cast<double>(stall_timeout_.count()) *
                                                   s_.config.stall_decay);
    stall_timeout_ = std::max<Duration>(s_.config.stall_first, Duration(decayed));
    s_.progressed();
    return end;
}

void Scheduler::covered(const BlockRef& head) {
    while (!window_.empty() && window_.begin()->second.end.height <= head.height) {
        Range& range = window_.begin()->second;
        if (range.phase == Phase::processing || range.phase == Phase::checked) {
            return;  // its commit is on the way: duplicates are success
        }
        release_all(range);
        for (const RequestId id : range.payload) {
            s_.emit(CancelRequest{id});
        }
        window_.erase(window_.begin());
    }
    if (window_.empty() && allocated_.height <= head.height) {
        allocated_ = head;
        skeleton_.consume(head);
    }
}

}  // namespace synod::sync
