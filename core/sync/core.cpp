// SPDX-License-Identifier: Apache-2.0
// Dispatch, deadlines, watchdog, and what drives the parts.
#include "core/sync/core.hpp"

#include <algorithm>

namespace synod::sync {
namespace {

constexpr std::string_view kCommands[] = {"start", "pause", "resume", "stop"};
constexpr Duration kBusyLeast = std::chrono::milliseconds(100);
constexpr Duration kTickMost = std::chrono::seconds(1);  // a late tick counts at most so much

}  // namespace

Core::Core(const SyncConfig& config, const BlockRef& head, Slot head_slot,
           const BlockRef& committed)
    : s_(config), headers_(s_, head), blocks_(s_, headers_.skeleton()), gate_(config),
      backoff_(config.backoff_first) {
    s_.head = head;
    s_.head_slot = head_slot;
    s_.committed = committed;
    progress_.begin(head.height, Instant{});
}

std::vector<Action> Core::step(const Event& event, Instant now) {
    s_.now = std::max(s_.now, now);
    s_.out.clear();
    const EventKind what = kind(event);
    const Cell at = cell(state_, what);
    const bool command = event.index() < std::size(kCommands);
    if (at.outcome == Outcome::refuse) {
        s_.emit(Refused{kCommands[event.index()], state_, std::string(at.reason)});
        return std::move(s_.out);
    }
    if (at.outcome == Outcome::ignore) {
        return std::move(s_.out);
    }
    const std::size_t before = s_.out.size();
    std::visit([this](const auto& e) { on(e); }, event);
    const bool answered = command && s_.out.size() > before &&
                          std::holds_alternative<Refused>(s_.out[before]);
    if (command && !answered) {
        s_.emit(Accepted{kCommands[event.index()], state_});
    }
    evaluate();
    pump();
    if (s_.fatal) {
        fail(*std::exchange(s_.fatal, std::nullopt));
    }
    announce_target();
    return std::move(s_.out);
}

bool Core::running() const {
    return active(state_) || (state_ == State::emergency && !still_ && alarmed_in_ != State::idle &&
                              alarmed_in_ != State::paused);
}

Height Core::behind() const {
    const auto target = s_.target.height();
    return target && *target > s_.head.height ? *target - s_.head.height : 0;
}

bool Core::usable_peer() const {
    return std::any_of(s_.peers.all().begin(), s_.peers.all().end(), [this](const auto& item) {
        return !item.second.other_chain && s_.now >= item.second.not_before;
    });
}

GateView Core::view() const {
    GateView out;
    const auto best = s_.target.best();
    out.running = state_ == State::catching_up || state_ == State::synced ||
                  (active(state_) && gate_.escape());
    out.evidence = best.has_value();
    out.behind = best && best->height > s_.head.height ? best->height - s_.head.height : 0;
    if (best) {
        out.percentage = out.behind == 0 ? 1.0
                                         : static_cast<double>(s_.head.height) /
                                               static_cast<double>(best->height);
    }
    out.head_slot = s_.head_slot;
    out.now_slot = now_slot_;
    return out;
}

void Core::announce_target() {
    const auto target = s_.target.height();
    if (target && target != announced_) {
        announced_ = target;
        s_.emit(TargetChanged{*target});
    }
}

void Core::pump() {
    if (s_.fatal || !running() || state_ == State::discovering) {
        return;
    }
    const bool was = std::exchange(was_behind_, behind() > 0);
    if (was_behind_ && !was) {
        behind_since_ = s_.now;
    }
    // When synced a new block is normally pushed within moments: don't ask for what is on its way.
    if (state_ == State::synced && was_behind_ && s_.now - behind_since_ < s_.config.push_grace) {
        return;
    }
    headers_.pump();
    if (state_ != State::downloading_headers) {
        blocks_.pump();
    }
}

void Core::on(const Tick&) {
    const Duration dt = std::min<Duration>(kTickMost, s_.now - last_tick_);
    last_tick_ = s_.now;
    progress_.record(s_.head.height, s_.target.height(), s_.now);
    expire_requests();
    if (running()) {
        headers_.watch();
        blocks_.watch(dt);
        watchdog();
    } else if (state_ == State::failed) {
        if (recoveries_ < s_.config.recoveries_max && s_.now >= retry_at_) {
            recover();
        }
    } else if (state_ == State::recovering && s_.now - since_ >= s_.config.recovery_deadline) {
        fail("the recovery did not end in time");
    }
}

void Core::expire_requests() {
    std::vector<RequestId> late;
    for (const auto& [id, request] : s_.requests) {
        if (s_.now >= request.deadline) {
            late.push_back(id);
        }
    }
    for (const RequestId id : late) {
        if (s_.requests.contains(id)) {  // a cool-down may have ended others of the same peer
            s_.emit(CancelRequest{id});
            end_failed(id, RequestFailure::timeout, 0);
        }
    }
}

void Core::end_failed(RequestId id, RequestFailure why, std::uint32_t retry_ms) {
    const auto at = s_.requests.find(id);
    if (at == s_.requests.end()) {
        return;
    }
    const OpenRequest request = at->second;
    s_.close(id);
    Peer* peer = s_.peers.find(request.peer);
    // Over a line that is cut nobody was asked: it says nothing about who has the blocks.
    const bool reached = why == RequestFailure::timeout || why == RequestFailure::refused;
    if (request.headers) {
        headers_.on_failed(request);
    } else {
        blocks_.on_failed(id, request, why == RequestFailure::busy,
                          reached && state_ != State::paused);
    }
    if (peer == nullptr || request.checking) {
        return;  // a check that takes too long is our own affair
    }
    if (why == RequestFailure::busy) {
        const Duration wait = std::clamp<Duration>(std::chrono::milliseconds(retry_ms), kBusyLeast,
                                                   s_.config.busy_max);
        peer->not_before = std::max(peer->not_before, s_.now + wait);
    } else if (why == RequestFailure::timeout || why == RequestFailure::silent) {
        // Once is enough where somebody else answered meanwhile: then it isn't our line.
        const bool repeated = s_.peers.timed_out(*peer, request.headers);
        if (repeated || (request.orphan && s_.now >= peer->cool_until)) {
            s_.emit(CoolDown{peer->id, s_.peers.cool_down(*peer, s_.now), "does not answer"});
            blocks_.release_peer(peer->id);
        }
    } else {
        peer->not_before = std::max(peer->not_before, s_.now + s_.config.retry_soon);
    }
}

// Nothing changed for so long although there is work and somebody to do it: whatever the reason,
// say so with everything known, and build the window anew.
void Core::watchdog() {
    const bool work = blocks_.ranges() > 0 || behind() > 0;
    if (!work || state_ == State::discovering || !usable_peer()) {
        s_.progressed();
        return;
    }
    Duration longest = s_.config.deadline_min;
    for (const auto& [id, request] : s_.requests) {
        longest = std::max(longest, request.deadline - request.sent);
    }
    // A range that is being validated says nothing before its end, and a slow machine needs long for a long one.
    const Duration limit = std::max<Duration>({s_.config.watchdog_min, longest * s_.config.watchdog_deadlines,
                                               s_.config.slowest_block * blocks_.first_in_processing()});
    if (s_.now - s_.last_progress < limit) {
        return;
    }
    std::string why = blocks_.processing() > 0 ? "processing does not end"
                      : s_.requests.empty()    ? "nobody could be asked"
                                               : "no reply brings anything";
    s_.emit(Stalled{why, dump(s_.now)});
    ++stalls_;
    s_.peers.end_cool_downs(s_.now);  // who is rested has nothing for us, as a node that begins like we do
    begin_again(s_.head);
    s_.progressed();
    if (++stalls_in_row_ >= s_.config.stalls_max) {
        s_.fatal = "stalled again and again: " + why;
    }
}

}  // namespace synod::sync
