// SPDX-License-Identifier: Apache-2.0
//! The stream: who has which events, and asking for those that are missing here.
#include "core/app/governance/governance.hpp"
#include "core/base/codec.hpp"

namespace synod::app {

namespace {

SharedBytes number(std::uint64_t n) { return SharedBytes(synod::Writer().put(n).take()); }

std::optional<std::uint64_t> read_number(const SharedBytes& bytes) {
    Reader in(bytes.view);
    const auto n = in.get<std::uint64_t>();
    return in.done() ? std::optional(n) : std::nullopt;
}

}  // namespace

void Governance::greet(std::uint64_t peer) {
    links_.send(peer, net::Gossip{kGossipEventHead, number(buffer_.next() - 1)});
}

void Governance::say_head() {
    links_.broadcast(net::Gossip{kGossipEventHead, number(buffer_.next() - 1)});
}

void Governance::on_head(std::uint64_t peer, const SharedBytes& bytes, Instant now) {
    const auto head = read_number(bytes);
    if (!head) {
        listener_.misbehaved(peer, {"event-head-shape", 0, {}, "no number", false});
        return;
    }
    heard_at_ = now;
    auto& known = peers_[peer];
    known.asked = *head > known.head ? 0 : known.asked;
    known.head = *head;
}

std::optional<std::uint64_t> Governance::whom_to_ask() const {
    std::optional<std::uint64_t> best;
    std::uint32_t asked = kFruitlessAsks;
    for (const auto& [id, peer] : peers_) {
        if (peer.head >= buffer_.next() && peer.asked < asked && links_.peers.contains(id)) {
            best = id;
            asked = peer.asked;
        }
    }
    return best;
}

void Governance::on_ask(std::uint64_t peer, const SharedBytes& bytes, Instant now) {
    const auto from = read_number(bytes);
    if (!from) {
        listener_.misbehaved(peer, {"event-ask-shape", 0, {}, "no number", false});
        return;
    }
    auto& asker = peers_[peer];
    if (asker.answered != Instant{} && now - asker.answered < kAnswerEvery) {
        return;  // it asks again by itself
    }
    asker.answered = now;
    std::size_t sent = 0;
    if (*from <= buffer_.carried()) {
        const auto carried = log(*from, kMaxEventsAReply);
        for (const auto& one : carried ? *carried : std::vector<LoggedEvent>{}) {
            links_.send(peer, net::Gossip{kGossipEvent, SharedBytes(one.event)});
            ++sent;
        }
    }
    auto number = buffer_.carried();
    for (const auto& event : buffer_.run()) {
        if (++number >= *from && sent < kMaxEventsAReply) {
            links_.send(peer, net::Gossip{kGossipEvent, SharedBytes(event)});
            ++sent;
        }
    }
    greet(peer);
}

void Governance::tick(Instant now) {
    now_ = now;
    if (now - said_at_ >= kEventHeadEvery) {
        said_at_ = now;
        say_head();
    }
    const auto peer = whom_to_ask();
    if (!peer || !repair_.due(now)) {
        return;
    }
    repair_.asked(now);
    ++peers_[*peer].asked;
    links_.send(*peer, net::Gossip{kGossipEventAsk, number(buffer_.next())});
}

}  // namespace synod::app
