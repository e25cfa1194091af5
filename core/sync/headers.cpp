// SPDX-License-Identifier: Apache-2.0
#include "core/sync/headers.hpp"

#include <algorithm>

#include "core/base/planted.hpp"

namespace synod::sync {
namespace {

//! Longest time that the pipeline may look at one reply before it is asked for anew.
constexpr Duration kCheckLimit = std::chrono::seconds(60);
constexpr std::uint32_t kForkRefusals = 2;

}  // namespace

void HeaderWalk::reset(const BlockRef& base) {
    if (open_ != 0) {
        s_.cancel(open_);
        open_ = 0;
    }
    fork_.reset();
    blames_.clear();
    more_ = false;
    held_at_.reset();
    main_.reset(base);
}

bool HeaderWalk::take_adopted() { return std::exchange(adopted_, false); }

void HeaderWalk::ask(Peer& peer, const BlockRef& parent, std::uint64_t count, bool fork) {
    OpenRequest request;
    request.headers = true;
    request.fork = fork;
    request.peer = peer.id;
    request.parent = parent;
    request.count = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(count, 1, peer.headers_limit));
    request.sent = s_.now;
    request.deadline = s_.now + s_.peers.header_deadline(peer);
    open_ = s_.open(request);
    s_.emit(RequestHeaders{open_, peer.id, parent.height + 1, request.count, parent.hash,
                           request.deadline});
}

Peer* HeaderWalk::choose(Height from, bool claims_only) {
    Peer* peer = s_.peers.pick(s_.now, [&](const Peer& p) {
        return p.claim >= from && s_.may_have(p, from);
    });
    if (peer == nullptr && !claims_only) {
        peer = s_.peers.pick(s_.now, [&](const Peer& p) { return s_.may_have(p, from); });
    }
    return peer;
}

void HeaderWalk::pump() {
    if (open_ != 0 || full()) {
        return;
    }
    if (fork_) {
        Peer* peer = s_.peers.find(fork_->peer);
        if (peer == nullptr || !s_.peers.usable(*peer, s_.now)) {
            abandon_fork();
        } else {
            ask(*peer, fork_->chain.tip(), s_.config.headers_max, true);
            return;
        }
    }
    if (held()) {
        return;
    }
    if (held_at_) {
        held_at_.reset();
        next_poll_ = s_.now;
    }
    const BlockRef tip = main_.tip();
    const auto goal = s_.target.height();
    if (goal && *goal > tip.height) {
        if (Peer* peer = choose(tip.height + 1, false); peer != nullptr) {
            ask(*peer, tip, *goal - tip.height, false);
        }
        return;
    }
    // Nothing is known to be ahead. Bare claims above are looked into now and then; before any
    // evidence everybody is asked.
    const bool capped = s_.target.cap() && tip.height >= *s_.target.cap();
    if ((s_.now < next_poll_ && !more_) || capped || (goal && SYNOD_PLANTED("target_frozen"))) {
        return;
    }
    if (Peer* peer = choose(tip.height + 1, goal.has_value()); peer != nullptr) {
        next_poll_ = s_.now + s_.config.poll_interval;
        std::uint64_t count = peer->claim > tip.height ? peer->claim - tip.height : 1;
        if (s_.target.cap()) {
            count = std::min(count, *s_.target.cap() - tip.height);
        }
        ask(*peer, tip, count, false);
    }
}

// One request at a time means that one silent peer holds everybody: while others could answer, the
// next is asked too. Whoever answers first is taken, so that a slow line of our own costs nothing.
void HeaderWalk::watch() {
    const auto at = s_.requests.find(open_);
    if (open_ == 0 || at == s_.requests.end() || at->second.checking || at->second.fork ||
        s_.now - at->second.sent < s_.config.stall_first) {
        return;
    }
    OpenRequest& request = at->second;
    const bool others =
        std::any_of(s_.peers.all().begin(), s_.peers.all().end(), [&](const auto& item) {
            const Peer& p = item.second;
            return p.id != request.peer && !p.distrusted && s_.peers.usable(p, s_.now) &&
                   s_.may_have(p, request.parent.height + 1);
        });
    if (!others) {
        return;
    }
    if (Peer* peer = s_.peers.find(request.peer); peer != nullptr) {
        peer->not_before = std::max(peer->not_before, request.deadline);
    }
    request.orphan = true;
    open_ = 0;
}

//! An answer that nobody waited for any more: taken when it still continues the walk.
bool HeaderWalk::take_over(RequestId id) {
    OpenRequest& late = s_.requests.at(id);
    const auto open = s_.requests.find(open_);
    const bool waiting = open_ != 0 && open != s_.requests.end();
    if (fork_ || late.parent != main_.tip() || (waiting && open->second.checking)) {
        return false;
    }
    if (waiting) {
        open->second.orphan = true;
    }
    late.orphan = false;
    open_ = id;
    return true;
}

void HeaderWalk::on_received(const HeadersReceived& event) {
    const auto at = s_.requests.find(event.request);
    if (at == s_.requests.end() || !at->second.headers || at->second.checking) {
        return;
    }
    OpenRequest& request = at->second;
    Peer* peer = s_.peers.find(request.peer);
    if (peer != nullptr) {
        s_.peers.header_reply(*peer, request.sent, s_.now, event.bytes);
        peer->bytes += event.bytes;
    }
    if (request.orphan) {
        if (peer != nullptr) {
            peer->not_before = std::min(peer->not_before, s_.now);
        }
        if (!take_over(event.request)) {
            s_.cancel(event.request);
            return;
        }
    }
    const bool malformed =
        event.result == ReplyResult::malformed ||
        (event.result == ReplyResult::ok && event.count > request.count);
    if (event.result == ReplyResult::ok && !malformed && event.count > 0) {
        request.checking = true;
        request.deadline = s_.now + kCheckLimit;
        s_.emit(CheckHeaders{event.request, request.peer, request.parent, request.fork});
        return;
    }
    const OpenRequest closed = request;
    s_.cancel(event.request);
    open_ = 0;
    if (peer == nullptr) {
        return;
    }
    if (malformed) {
        s_.emit(Penalise{peer->id, Offence::malformed_reply, closed.parent.height + 1,
                         "headers.malformed"});
        peer->not_before = s_.now + s_.config.retry_soon;
        abandon_fork();
    } else if (event.result == ReplyResult::other_fork) {
        refused_parent(*peer, closed);
    } else {
        had_nothing(*peer, closed);
    }
}

// Nothing from there on is a statement about its own tip and never about ours.
void HeaderWalk::had_nothing(Peer& peer, const OpenRequest& request) {
    const Height from = request.parent.height + 1;
    more_ = false;
    if (SYNOD_PLANTED("short_reply_is_synced")) {
        s_.target.cap(from - 1);
    }
    s_.lacks(peer, from);
    if (request.fork) {
        abandon_fork();
    }
    // One block above what it proved is its newest: true, and not certified yet, so it can't be shown. And what we
    // have verified ourselves needs no showing: a block that was pushed may be here before its status is.
    const bool too_new = peer.claim <= std::max(peer.proven, s_.head.height) + 1;
    if (peer.claim < from || (too_new && !SYNOD_PLANTED("too_new_is_a_lie"))) {
        return;
    }
    // What we have by now was no lie, and what was too new to be shown thrice in a long life is none either.
    if (peer.doubted <= std::max(main_.tip().height, s_.head.height) && !SYNOD_PLANTED("too_new_is_a_lie")) {
        peer.doubted = peer.claim;
        peer.unbacked = 0;
    }
    if (++peer.unbacked >= s_.config.unbacked_probes) {
        s_.emit(Penalise{peer.id, Offence::claimed_height_never_backed, peer.claim,
                         "headers.claim_unbacked"});
        peer.claim = from - 1;
        peer.unbacked = 0;
    }
}

void HeaderWalk::refused_parent(Peer& peer, const OpenRequest& request) {
    const bool from_committed = request.parent == s_.committed;
    if ((from_committed || request.fork) && ++peer.fork_refusals >= kForkRefusals) {
        peer.other_chain = true;
        s_.emit(PeerOnOtherChain{peer.id});
        fork_.reset();
        return;
    }
    if (fork_ && fork_->peer != peer.id) {
        peer.not_before = s_.now + s_.config.poll_interval;
        return;
    }
    fork_ = Fork{peer.id, Skeleton(s_.committed), {}};
}

void HeaderWalk::suspect_fork(PeerId peer) {
    if (!fork_ && s_.peers.find(peer) != nullptr && s_.committed.height < std::max(s_.head.height, main_.tip().height)) {
        fork_ = Fork{peer, Skeleton(s_.committed), {}};
    }
}

void HeaderWalk::abandon_fork() {
    if (!fork_) {
        return;
    }
    if (Peer* peer = s_.peers.find(fork_->peer); peer != nullptr) {
        peer->not_before = std::max(peer->not_before, s_.now + s_.config.poll_interval);
    }
    fork_.reset();
}

void HeaderWalk::on_checked(const HeadersChecked& event, Height used) {
    const auto at = s_.requests.find(event.request);
    if (at == s_.requests.end() || !at->second.headers || !at->second.checking) {
        return;
    }
    const OpenRequest request = at->second;
    s_.close(event.request);  // the driver frees the payload by itself after a check
    open_ = 0;
    Peer* peer = s_.peers.find(request.peer);
    if (!event.ok && event.later) {
        hold(request);
        return;
    }
    if (!event.ok) {
        reject(peer, event);
        return;
    }
    const bool sane = event.count > 0 && event.count <= request.count &&
                      event.last_height == request.parent.height + event.count;
    if (!sane) {
        return;  // the driver contradicts the request: ask again
    }
    s_.progressed();
    if (request.fork) {
        accept_fork(peer, request, event);
    } else {
        accept(peer, request, event, used);
    }
}

// The authorities changed where the walk stands. Who they are now is known to whoever has the blocks up to there, so
// these come first; the headers are asked for again from there, and a lie shows then.
void HeaderWalk::hold(const OpenRequest& request) {
    if (request.fork) {
        abandon_fork();
    } else if (request.parent == main_.tip()) {
        held_at_ = request.parent.height;
        more_ = false;
    }
}

void HeaderWalk::accept(Peer* peer, const OpenRequest& request, const HeadersChecked& event,
                        Height used) {
    const BlockRef last{event.last_height, event.last_hash};
    if (request.parent != main_.tip() || !main_.fits(event.anchors, last)) {
        return;  // the tip moved meanwhile (a pushed block): the walk continues from there
    }
    main_.append(event.anchors, used);
    s_.target.evidence(last, event.last_slot);
    self_faults_ = 0;
    // Somebody's headers hold where another's did not: now it is known who lied.
    for (const Blame& blame : blames_) {
        s_.emit(Penalise{blame.peer, Offence::invalid_header, blame.height, blame.rule});
    }
    blames_.clear();
    // A short reply may end where the authorities change; who claims more than a block above it is asked again.
    const bool claims_more = peer != nullptr && peer->claim > last.height + 1;
    more_ = claims_more || (peer != nullptr && event.count == request.count && peer->claim > last.height);
    if (peer != nullptr) {
        // Short of what it proved to have, a reply was only cut somewhere; the rest is asked for at once.
        const bool cut = last.height < peer->proven;
        peer->claim = std::max(peer->claim, last.height);
        peer->proven = std::max(peer->proven, last.height);
        peer->unbacked = 0;
        if (event.count < request.count && !cut && !claims_more) {
            s_.lacks(*peer, last.height + 1);
        }
    }
}

void HeaderWalk::accept_fork(Peer* peer, const OpenRequest& request,
                             const HeadersChecked& event) {
    const BlockRef last{event.last_height, event.last_hash};
    if (!fork_ || fork_->peer != request.peer || request.parent != fork_->chain.tip() ||
        !fork_->chain.fits(event.anchors, last)) {
        return;
    }
    fork_->chain.append(event.anchors, fork_->chain.base().height);
    // Of one height the block of the later slot is what the next one is built on.
    s_.target.evidence(last, event.last_slot);
    const auto best = s_.target.best();
    const bool further = last.height > main_.tip().height;
    const bool proven = best && *best == last && last.height >= main_.tip().height;
    // A reply ends where what is committed there ends; the rest of what it proved to have is asked for at once.
    const bool cut = peer != nullptr && last.height < peer->proven;
    if (further || proven) {
        adopt();
    } else if ((event.count < request.count && !cut) || fork_->chain.size() + 64 >= s_.config.anchors_max) {
        if (peer != nullptr) {
            s_.lacks(*peer, last.height + 1);
        }
        abandon_fork();
    }
}

void HeaderWalk::adopt() {
    main_ = fork_->chain;
    // When it turns out to contain our head after all, nothing below needs to come again.
    if (const auto ours = main_.at(s_.head.height); ours && ours->hash == s_.head.hash) {
        main_.consume(s_.head);
    }
    fork_.reset();
    adopted_ = true;
}

void HeaderWalk::reject(Peer* peer, const HeadersChecked& event) {
    abandon_fork();
    if (event.self_fault) {
        s_.emit(SelfFaultSuspected{0, event.height, event.rule});
        ++self_faults_;
    } else if (peer != nullptr) {
        const Blame blame{peer->id, peer->group, event.rule, event.height};
        const bool ours = std::any_of(blames_.begin(), blames_.end(), [&](const Blame& b) {
            return b.same_from_another(blame);
        });
        peer->distrusted = !ours;
        peer->not_before = s_.now + s_.config.retry_soon;
        blames_.push_back(blame);
        if (ours) {
            for (const Blame& b : blames_) {
                if (Peer* other = s_.peers.find(b.peer); other != nullptr) {
                    other->distrusted = false;
                }
            }
            s_.emit(SelfFaultSuspected{0, event.height, event.rule});
            blames_.clear();
            ++self_faults_;
        } else if (blames_.size() >= s_.config.processing_attempts) {
            // Nobody else confirmed it as ours so often: it is theirs.
            for (const Blame& b : blames_) {
                s_.emit(Penalise{b.peer, Offence::invalid_header, b.height, b.rule});
            }
            blames_.clear();
        }
    }
    if (self_faults_ >= s_.config.processing_attempts) {
        self_faults_ = 0;
        s_.fatal = "headers fail here again and again: " + event.rule;
    }
}

void HeaderWalk::on_failed(const OpenRequest& request) {
    if (request.orphan) {
        return;
    }
    open_ = 0;
    more_ = false;
    if (request.fork) {
        abandon_fork();
    }
}

}  // namespace synod::sync
