// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/sync_driver.hpp"
#include "core/base/planted.hpp"

#include "core/app/node/chain_restore.hpp"

namespace synod::app {

namespace {

//! Beyond a reply's soft limit one block may follow, and the message has a head.
constexpr std::uint64_t kReplySlackBytes = SYNOD_BLOCK_MAX + 4'096;
constexpr std::size_t kMaxKnownSlots = 64;

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

sync::ReplyResult result_of(net::ReplyResult result, std::uint32_t count) {
    switch (result) {
        case net::ReplyResult::ok:
            return count == 0 ? sync::ReplyResult::not_found : sync::ReplyResult::ok;
        case net::ReplyResult::other_fork:
            return SYNOD_PLANTED("other_fork_is_malformed") ? sync::ReplyResult::malformed
                                                            : sync::ReplyResult::other_fork;
        default:
            return SYNOD_PLANTED("having_nothing_is_malformed") ? sync::ReplyResult::malformed
                                                                : sync::ReplyResult::not_found;
    }
}

//! Until when an answer is waited for.
Instant deadline_of(Instant asked_for, Instant now) {
    return SYNOD_PLANTED("one_deadline_for_all") ? now + std::chrono::seconds(1) : asked_for;
}

}  // namespace

SyncDriver::SyncDriver(const sync::SyncConfig& config, ChainKeeper& keeper,
                       pipeline::Pipeline& pipeline, Links& links, bool vouch, host::Clock& clock,
                       Listener listener)
    : keeper_(keeper),
      pipeline_(pipeline),
      links_(links),
      vouch_(vouch),
      level_(config.checks_signatures ? SYNOD_LEVEL_FULL : SYNOD_LEVEL_BASIC),
      clock_(clock),
      listener_(std::move(listener)),
      machine_(config, {keeper.tree().head().height, keeper.tree().head().hash},
               keeper.tree().head_slot(),
               {keeper.tree().committed().height, keeper.tree().committed().hash}),
      vouched_to_(vouch ? keeper.tree().head().height : 0) {}

void SyncDriver::feed(const sync::Event& event) {
    queue_.push_back(event);
    if (feeding_) {
        return;  // an action is being carried out; the machine is told after it
    }
    feeding_ = true;
    while (!queue_.empty()) {
        const auto next = std::move(queue_.front());
        queue_.pop_front();
        for (const auto& action : machine_.step(next, clock_.mono())) {
            carry_out(action);
        }
    }
    feeding_ = false;
}

void SyncDriver::carry_out(const sync::Action& action) {
    std::visit(Overloaded{
                   [&](const sync::RequestHeaders& a) { request_headers(a); },
                   [&](const sync::RequestBlocks& a) { request_blocks(a); },
                   [&](const sync::CancelRequest& a) {
                       const auto id = static_cast<std::uint32_t>(a.request);
                       headers_.erase(id);
                       reading_.erase(id);
                       blocks_.erase(id);
                       links_.requests.cancel(id);
                   },
                   [&](const sync::CheckHeaders& a) { check_headers(a); },
                   [&](const sync::SubmitRange& a) { submit_range(a); },
                   [&](const sync::DropRange& a) { drop_range(a.range); },
                   [&](const sync::Recover&) {
                       pipeline_.reset();
                       recovering_ = true;
                   },
                   [&](const sync::Penalise& a) { listener_.penalise(a.peer, a); },
                   [&](const sync::Disconnect& a) {
                       listener_.disconnect(a.peer, a.reason);
                   },
                   [&](const auto&) {},
               },
               action);
    listener_.report(action);
}

void SyncDriver::request_headers(const sync::RequestHeaders& ask) {
    const auto id = static_cast<std::uint32_t>(ask.request);
    const auto bytes = std::uint64_t{ask.count} * keeper_.header_length() + SYNOD_HEAD_PROOF_MAX + 4'096;
    if (!links_.requests.open(id, ask.peer, net::RequestKind::headers, {ask.from, ask.count, bytes},
                              clock_.mono(), deadline_of(ask.deadline, clock_.mono()))) {
        feed(sync::RequestFailed{ask.request, sync::RequestFailure::refused, 0});
        return;
    }
    links_.send(ask.peer, net::GetHeaders{id, ask.from, ask.count, ask.parent});
}

void SyncDriver::request_blocks(const sync::RequestBlocks& ask) {
    const auto id = static_cast<std::uint32_t>(ask.request);
    if (!links_.requests.open(id, ask.peer, net::RequestKind::blocks,
                              {ask.from, ask.count, ask.soft_bytes + kReplySlackBytes}, clock_.mono(),
                              deadline_of(ask.deadline, clock_.mono()))) {
        feed(sync::RequestFailed{ask.request, sync::RequestFailure::refused, 0});
        return;
    }
    links_.send(ask.peer, net::GetBlocks{id, ask.from, ask.count, ask.parent,
                                         static_cast<std::uint32_t>(ask.soft_bytes)});
}

std::optional<net::OpenRequest> SyncDriver::accept(const net::ReplyClaim& claim) {
    const auto now = clock_.mono();
    const auto match = links_.requests.match(claim, now);
    if (match.verdict == net::ReplyVerdict::unsolicited) {
        listener_.unsolicited(claim.peer, net::reason_code(match.verdict), claim.from);
    } else if (match.verdict == net::ReplyVerdict::late) {
        listener_.failed(claim.peer);  // slowness costs standing, never points
    }
    if (!match.request) {
        return std::nullopt;
    }
    if (match.verdict == net::ReplyVerdict::late) {
        fail_request(*match.request, sync::RequestFailure::timeout, 0);
        return std::nullopt;
    }
    if (match.verdict != net::ReplyVerdict::ok) {
        listener_.note(std::string(net::reason_code(match.verdict)) + " from peer " +
                       std::to_string(claim.peer));
        if (claim.kind == net::RequestKind::headers) {
            feed(sync::HeadersReceived{claim.id, sync::ReplyResult::malformed, 0, claim.bytes});
        } else {
            feed(sync::BlocksReceived{claim.id, sync::ReplyResult::malformed, 0, claim.bytes, {}});
        }
        return std::nullopt;
    }
    if (SYNOD_PLANTED("late_is_unasked") && match.request->deadline < now + std::chrono::seconds(1)) {
        listener_.unsolicited(claim.peer, "net.reply_late", claim.from);
    }
    if (claim.count > 0) {
        ++flow_.answered;
        listener_.answered(claim.peer, claim.bytes, now - match.request->opened);
    }
    return match.request;
}

void SyncDriver::on_headers(std::uint64_t peer, net::Headers reply, std::size_t frame_bytes) {
    if (!accept({reply.id, peer, net::RequestKind::headers, reply.from, reply.count, frame_bytes})) {
        return;
    }
    if (reply.result == net::ReplyResult::busy) {
        feed(sync::RequestFailed{reply.id, sync::RequestFailure::busy, reply.retry_ms});
        return;
    }
    headers_[reply.id] = {reply.run, reply.head_proof, reply.count};
    feed(sync::HeadersReceived{reply.id, result_of(reply.result, reply.count), reply.count,
                               frame_bytes});
}

void SyncDriver::on_blocks(std::uint64_t peer, net::Blocks reply, std::size_t frame_bytes) {
    if (!accept({reply.id, peer, net::RequestKind::blocks, reply.from, reply.count, frame_bytes})) {
        return;
    }
    if (reply.result == net::ReplyResult::busy) {
        feed(sync::RequestFailed{reply.id, sync::RequestFailure::busy, reply.retry_ms});
        return;
    }
    const auto result = result_of(reply.result, reply.count);
    if (result != sync::ReplyResult::ok) {
        feed(sync::BlocksReceived{reply.id, result, 0, frame_bytes, {}});
        return;
    }
    // Read on a worker: this thread has the whole network to serve.
    reading_[reply.id] = peer;
    pipeline_.submit(pipeline::ReadJob{
        reply.run, reply.count, reply.from,
        [this, id = reply.id, count = reply.count, frame_bytes](auto piece) {
            blocks_read(id, count, frame_bytes, std::move(piece));
        }});
}

void SyncDriver::blocks_read(std::uint32_t request, std::uint32_t count, std::size_t frame_bytes,
                             std::expected<pipeline::Piece, pipeline::Fault> piece) {
    if (reading_.erase(request) == 0) {
        return;  // it was cancelled meanwhile
    }
    if (!piece && piece.error().self_fault) {
        listener_.note("our own failure to read a reply: " + piece.error().detail);
        feed(sync::RequestFailed{request, sync::RequestFailure::refused, 0});
        return;
    }
    if (!piece) {
        feed(sync::BlocksReceived{request, sync::ReplyResult::malformed, 0, frame_bytes, {}});
        return;
    }
    // The hash of its last block: the rest is asked for by it, or it is the range's end.
    const auto last = Hash::copy(piece->views->back().hash);
    blocks_[request] = std::move(*piece);
    feed(sync::BlocksReceived{request, sync::ReplyResult::ok, count, frame_bytes, last});
}

void SyncDriver::check_headers(const sync::CheckHeaders& check) {
    const auto id = static_cast<std::uint32_t>(check.request);
    const auto it = headers_.find(id);
    // By the state nearest to them on their own branch.
    auto state = keeper_.state_of(check.parent.hash);
    if (!state && check.fork) {
        state = keeper_.state_of(keeper_.tree().committed().hash);
    }
    if (!state) {
        state = keeper_.head_state();
    }
    if (it == headers_.end() || !state) {
        headers_.erase(id);
        sync::HeadersChecked gone;
        gone.request = check.request;
        gone.rule = state ? "payload-missing" : "state-missing";
        gone.self_fault = true;
        feed(gone);
        return;
    }
    pipeline::HeadersJob job;
    job.run = it->second.run;
    job.proof = it->second.proof;
    job.count = it->second.count;
    headers_.erase(it);
    job.parent.height = check.parent.height;
    std::copy_n(check.parent.hash.data.begin(), 32, job.parent.hash);
    if (const auto slot = slots_.find(check.parent.hash); slot != slots_.end()) {
        job.parent.slot = slot->second;
    }
    job.state = std::move(state);
    job.max_slot = listener_.max_slot();
    job.done = [this, request = check.request, from = check.parent.height + 1](auto result) {
        sync::HeadersChecked answer;
        answer.request = request;
        if (!result) {
            answer.rule = result.error().rule;
            answer.height = result.error().height != 0 ? result.error().height : from;
            answer.self_fault = result.error().self_fault;
            answer.later = result.error().not_yet;
            feed(answer);
            return;
        }
        answer.ok = true;
        answer.count = static_cast<std::uint32_t>(result->size());
        const auto& last = result->back();
        answer.last_height = last.height;
        answer.last_hash = Hash::copy(last.hash);
        answer.last_slot = last.slot;
        for (const auto& view : *result) {
            if (view.height % sync::kAnchorStride == 0 || &view == &last) {
                answer.anchors.push_back({view.height, Hash::copy(view.hash)});
            }
        }
        if (slots_.size() >= kMaxKnownSlots) {
            slots_.clear();
        }
        slots_[answer.last_hash] = answer.last_slot;
        feed(answer);
    };
    pipeline_.submit(std::move(job));
}

void SyncDriver::submit_range(const sync::SubmitRange& submit) {
    auto& range = ranges_[submit.range];
    range.submit = submit;
    range.submitted = clock_.mono();
    if (range.pieces.empty()) {
        for (const auto request : submit.requests) {
            if (const auto it = blocks_.find(static_cast<std::uint32_t>(request));
                it != blocks_.end()) {
                range.pieces.push_back(std::move(it->second));
                blocks_.erase(it);
            }
        }
    }
    processing_[submit.range] = submit.submission;
    pipeline::BlocksJob job;
    job.pieces = range.pieces;
    job.from = submit.from;
    job.count = submit.count;
    job.parent = submit.parent;
    job.expected_end = submit.expected_end;
    job.vouched = vouches();
    job.level = level_;
    job.max_slot = listener_.max_slot();
    job.base = keeper_.state_of(submit.parent);
    if (auto way = job.base || SYNOD_PLANTED("states_not_derived") ? std::nullopt : keeper_.derivation(submit.parent)) {
        job.derive = [this, way = std::move(*way)] {
            auto state = way.run(pipeline_.consensus(), keeper_.store());
            return state ? *state : pipeline::State{};
        };
    }
    job.done = [this, id = submit.range, submission = submit.submission](auto result) {
        range_done(id, submission, std::move(result));
    };
    pipeline_.submit(std::move(job));
}

void SyncDriver::range_done(sync::RangeId range, std::uint64_t submission,
                            std::expected<pipeline::ChainSegment, pipeline::Fault> result) {
    const auto it = processing_.find(range);
    if (it == processing_.end() || it->second != submission) {
        return;  // dropped, or submitted anew since
    }
    if (!result) {
        processing_.erase(it);
        const auto& fault = result.error();
        // A failure before it would have cleared this entry, so nobody else reports it.
        // What stood on it is void; the machine submits those ranges anew.
        pipeline_.reset();
        processing_.clear();
        listener_.note("range of height " + std::to_string(fault.height) + " failed: " + fault.rule +
                       " " + fault.detail);
        feed(sync::RangeFailed{range, submission, fault.rule, fault.height, fault.self_fault});
        return;
    }
    feed(sync::RangeChecked{range, submission});
    const auto last = result->blocks.back().view;
    vouched_to_ = vouches() ? std::max(vouched_to_, last.height) : vouched_to_;
    keeper_.add(std::move(*result), [this, range, last](Result<void> stored) {
        if (!stored) {
            feed(sync::StoreFault{stored.error().text()});
            return;
        }
        processing_.erase(range);
        if (const auto held = ranges_.find(range); held != ranges_.end()) {
            if (flow_.latencies.size() < kMaxLatencies) {
                flow_.latencies.push_back(clock_.mono() - held->second.submitted);
            }
            ranges_.erase(held);
        }
        feed(sync::RangeCommitted{range, last.height, Hash::copy(last.hash)});
    });
}

void SyncDriver::drop_range(sync::RangeId range) {
    ranges_.erase(range);
    if (processing_.erase(range) > 0) {
        pipeline_.reset();
    }
}

void SyncDriver::fail_request(const net::OpenRequest& request, sync::RequestFailure why,
                              std::uint32_t retry_ms) {
    if (request.kind == net::RequestKind::headers || request.kind == net::RequestKind::blocks) {
        feed(sync::RequestFailed{request.id, why, retry_ms});
    }
}

void SyncDriver::expire(Instant now) {
    for (const auto& request : links_.requests.expire(now)) {
        ++flow_.failed;
        listener_.failed(request.peer);
        const auto link = links_.peers.find(request.peer);
        const bool silent = link != links_.peers.end() && link->second.last_heard < request.opened;
        fail_request(request, silent ? sync::RequestFailure::silent : sync::RequestFailure::timeout, 0);
    }
    if (recovering_ && keeper_.idle()) {
        recovering_ = false;
        recover();
    }
}

//! What was proven and not stored is fetched again: the store alone is the truth after a fault.
void SyncDriver::recover() {
    pipeline_.reset();
    if (restoring_) {
        return;  // begun by an earlier recovery, whose end serves this one
    }
    auto loaded = keeper_.reload();
    if (loaded) {
        recovered(loaded);
        return;
    }
    listener_.note("the store can't be read as it is: " + loaded.error().text());
    restoring_ = true;
    listener_.checkpoint([this](pipeline::State base) { restore(std::move(base)); });
}

void SyncDriver::restore(pipeline::State base) {
    auto plan = plan_restoration(pipeline_, keeper_.store(), std::move(base));
    if (!plan) {
        recovered(std::unexpected(plan.error()));
        return;
    }
    listener_.note("going on from height " + std::to_string(plan->head.height) + ": the state of height " +
                   std::to_string(plan->base) + " and every block after it that can be read" +
                   (plan->damage ? "; " + std::to_string(plan->given_up) + " blocks are fetched again: " +
                                       plan->damage->text()
                                 : ""));
    keeper_.restore(std::move(plan->change), [this](const Result<void>& loaded) { recovered(loaded); });
}

void SyncDriver::recovered(const Result<void>& loaded) {
    restoring_ = false;
    if (!loaded) {
        feed(sync::RecoveryFailed{loaded.error().text()});
        return;
    }
    const auto& tree = keeper_.tree();
    feed(sync::CommittedChanged{tree.committed().height, tree.committed().hash});
    feed(sync::RecoveryDone{tree.head().height, tree.head().hash, tree.head_slot()});
}

void SyncDriver::peer_gone(std::uint64_t peer) {
    links_.requests.peer_closed(peer);
    // The machine takes all of these for unanswered when it hears who is gone.
    std::erase_if(reading_, [peer](const auto& one) { return one.second == peer; });
    feed(sync::PeerDown{peer});
}

}  // namespace synod::app
