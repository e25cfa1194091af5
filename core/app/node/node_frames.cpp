// SPDX-License-Identifier: Apache-2.0
// What peers say: replies go to sync, questions to the block server, the rest is answered here.
#include <sodium.h>

#include <algorithm>

#include "core/app/node/node.hpp"
#include "core/base/planted.hpp"
#include "core/base/codec.hpp"

namespace synod::app {

namespace {

constexpr std::size_t kMaxInWork = 1'024;  // pushed blocks being proven at once

Hash digest_of(ByteView bytes) {
    Hash out;
    crypto_hash_sha256(out.data.data(), bytes.data(), bytes.size());
    return out;
}

//! What nobody asked for costs its sender; replies were paid for by the request, and questions are
//! paid for by the block server.
bool unasked(const net::Message& message) {
    return std::holds_alternative<net::Status>(message) ||
           std::holds_alternative<net::Announce>(message) ||
           std::holds_alternative<net::NewBlock>(message) ||
           std::holds_alternative<net::Gossip>(message) ||
           std::holds_alternative<net::Ping>(message) ||
           std::holds_alternative<net::GetPeers>(message);
}

//! What is nothing without a proof that it holds.
bool must_be_proven(const net::Message& message) {
    return std::holds_alternative<net::Status>(message) || std::holds_alternative<net::NewBlock>(message) ||
           std::holds_alternative<net::Gossip>(message);
}

}  // namespace

void Node::frame(std::uint64_t peer, const SharedBytes& bytes) {
    const auto it = links_.peers.find(peer);
    if (it == links_.peers.end()) {
        return;
    }
    it->second.last_heard = clock_.mono();
    auto message = net::decode_message(bytes);
    if (!message) {
        charge(peer, {peers::Severity::kGrave, "malformed_message", message.error().code, 0, {}});
        return;
    }
    const auto size = bytes.view.size();
    if (unasked(*message) && !affordable(peer, size)) {
        return;
    }
    if (proves_nothing_ && must_be_proven(*message)) {
        return;  // it is said again once somebody can listen
    }
    std::visit(
        [&]<typename M>(M& m) {
            if constexpr (std::is_same_v<M, net::Headers>) {
                driver_->on_headers(peer, std::move(m), size);
            } else if constexpr (std::is_same_v<M, net::Blocks>) {
                driver_->on_blocks(peer, std::move(m), size);
            } else if constexpr (std::is_same_v<M, net::GetHeaders> ||
                                 std::is_same_v<M, net::GetBlocks> ||
                                 std::is_same_v<M, net::GetByHash>) {
                server_->on(peer, m);
            } else if constexpr (std::is_same_v<M, net::Gossip>) {
                if (m.kind == kGossipAttestation) {
                    duties_->on_attestation(peer, m.payload);
                } else if (m.kind == kGossipRecord) {
                    mining_->on_record(peer, m.payload);
                } else if (m.kind == kGossipEvent) {
                    governance_->on_event(peer, m.payload);
                } else if (m.kind == kGossipEventAsk) {
                    governance_->on_ask(peer, m.payload, clock_.mono());
                } else if (m.kind == kGossipEventHead) {
                    governance_->on_head(peer, m.payload, clock_.mono());
                } else if (m.kind == kGossipEvidence) {
                    evidence_->on_gossip(peer, m.payload);
                }
            } else if constexpr (std::is_same_v<M, net::GetPeers>) {
                links_.send(peer, peers_for(m.id, peer));
            } else if constexpr (!std::is_same_v<M, net::Goodbye>) {
                handle(peer, m);
            }
        },
        *message);
}

//! Over its share a peer isn't heard; who keeps on shouting is flooding.
bool Node::affordable(std::uint64_t peer, std::size_t bytes) {
    auto& link = links_.peers.at(peer);
    if (!link.unasked || link.unasked->try_take(net::request_cost(bytes), clock_.mono())) {
        return true;
    }
    if (++link.dropped % kDroppedAFlood == 0) {
        charge(peer, {peers::Severity::kMedium, "flooding", "net.unasked_messages", 0, {}});
    }
    return false;
}

void Node::handle(std::uint64_t peer, net::Status status) {
    auto& link = links_.peers.at(peer);
    const auto proof_bytes = status.head_proof.view.size();
    const bool news = link.proven_hash != status.hash || link.proven_bytes != proof_bytes;
    link.status = status;
    driver_->feed(sync::PeerClaim{peer, status.height});
    if (SYNOD_PLANTED("claims_are_evidence")) {
        driver_->feed(sync::EvidenceVerified{peer, status.height, status.hash, status.slot});
    }
    auto state = keeper_->head_state();
    if (!news || proof_bytes == 0 || link.proving || (!state && !SYNOD_PLANTED("proofs_without_a_state"))) {
        return;  // one at a time: the next status brings what is skipped now
    }
    link.proving = true;
    link.proven_hash = status.hash;
    link.proven_bytes = proof_bytes;
    pipeline::ProofJob job;
    job.proof = status.head_proof;
    job.state = std::move(state);
    job.done = [this, peer](std::expected<pipeline::HeaderView, pipeline::Fault> proven) {
        if (const auto it = links_.peers.find(peer); it != links_.peers.end()) {
            it->second.proving = false;
        }
        if (proven && keeper_->contradicts(proven->height, Hash::copy(proven->hash), proven->slot)) {
            two_chains(*proven);
        } else if (proven) {
            driver_->feed(sync::EvidenceVerified{peer, proven->height, Hash::copy(proven->hash),
                                                 proven->slot});
        } else if (const auto it = links_.peers.find(peer); proven.error().self_fault && it != links_.peers.end()) {
            it->second.proven_bytes = 0;  // we could not tell: its next status is looked at again
        } else if (!proven.error().self_fault && !proven.error().not_yet) {
            charge(peer, {peers::Severity::kGrave, "claimed_height_never_backed", proven.error().rule,
                          0, {}});
        }
    };
    pipeline_.submit(std::move(job));
}

//! Nothing that is final here can be trusted to stay so: the node stops and people must decide.
void Node::two_chains(const pipeline::HeaderView& other) {
    const auto open = emergency_.open();
    if (std::ranges::any_of(open, [](const auto& o) { return o.trigger == health::Trigger::kConflict; })) {
        return;
    }
    two_chains_ = true;
    const Error why{"chain.conflicting_commit",
                    "a quorum certified block " + to_hex({other.hash, 8}) + " of slot " + std::to_string(other.slot) +
                        ", which is not on the chain that is committed here: more authorities are Byzantine than "
                        "the federation bears",
                    "height " + std::to_string(other.height),
                    "don't produce; compare the two chains with other operators"};
    log_("error", why.text());
    publish(bus::Topic::kAlert, synod::Writer().text("conflicting_commit").text(why.text()).take());
    raise_emergency(health::Trigger::kConflict, why.text());
}

void Node::handle(std::uint64_t peer, const net::Ping& ping) {
    if (!SYNOD_PLANTED("pings_never_answered")) {
        links_.send(peer, net::Pong{ping.nonce, clock_.unix_ms()});
    }
}

void Node::handle(std::uint64_t peer, const net::Pong& pong) {
    auto& link = links_.peers.at(peer);
    if (pong.nonce != peer || link.ping_sent == Instant{}) {
        return;  // of no ping of ours: it measures nothing
    }
    link.rtt = clock_.mono() - link.ping_sent;
    link.ping_sent = {};
    ranker_.of(link.info.identity).round_trip(link.rtt);
    const auto half_ms = std::chrono::duration_cast<std::chrono::milliseconds>(link.rtt).count() / 2;
    link.clock_offset_ms = static_cast<std::int64_t>(pong.unix_ms) + half_ms -
                           static_cast<std::int64_t>(clock_.unix_ms());
    link.clock_known = true;
}

void Node::handle(std::uint64_t peer, const net::Announce& announce) {
    driver_->feed(sync::PeerClaim{peer, announce.height});
}

void Node::handle(std::uint64_t peer, const net::Peers& listed) {
    auto& link = links_.peers.at(peer);
    if (link.asked_peers == 0 || listed.id != link.asked_peers) {
        charge(peer, {peers::Severity::kMedium, "unsolicited_reply", "net.reply_unsolicited", 0, {}});
        return;
    }
    link.asked_peers = 0;
    dialer_.learn(listed.list, met_.at(peer).group);
}

void Node::handle(std::uint64_t peer, const net::NewBlock& block) { take_block(peer, block.block); }

void Node::take_block(std::uint64_t peer, const SharedBytes& bytes) {
    auto decoded = pipeline_.consensus().decode(SYNOD_FORM_BLOCKS, bytes.view, 2);
    if (!decoded && !pipeline::sender_is_to_blame(decoded.error())) {
        log_("error", "our own failure to read a block: " + decoded.error().text());
        return;
    }
    if (!decoded || decoded->views.size() != 1 || decoded->consumed != bytes.view.size()) {
        charge(peer, {peers::Severity::kFatal, "invalid_block", "malformed", 0, {}});
        return;
    }
    const auto& view = decoded->views[0];
    const auto hash = Hash::copy(view.hash);
    const auto parent = Hash::copy(view.parent);
    if (peer != 0) {
        driver_->feed(sync::PeerClaim{peer, view.height});
    }
    auto base = keeper_->state_of(parent);
    if (!base && SYNOD_PLANTED("unknown_parents_banned") && view.height > keeper_->tree().head().height) {
        charge(peer, {peers::Severity::kFatal, "invalid_block", "parent-unknown", view.height, {}});
    }
    if (!base || keeper_->tree().find(hash) != nullptr || in_work_.contains(hash) ||
        view.height <= keeper_->tree().committed().height || in_work_.size() >= kMaxInWork) {
        return;  // known, not on our chain yet, or sync will bring it
    }
    const auto max_slot = slot_now() + 1;
    if (view.slot > max_slot) {
        if (SYNOD_PLANTED("future_slots_banned")) {
            charge(peer, {peers::Severity::kFatal, "invalid_block", "slot-future", view.height, {}});
        }
        return;  // by our clock: it may be ours that is wrong, so nobody is blamed
    }
    if (SYNOD_PLANTED("relayed_before_proven") && peer != 0) {
        links_.broadcast(net::NewBlock{bytes}, peer);
    }
    in_work_.insert(hash);
    pipeline::BlocksJob job;
    job.pieces = {{bytes, std::make_shared<const std::vector<pipeline::HeaderView>>(decoded->views)}};
    job.from = view.height;
    job.count = 1;
    job.parent = parent;
    job.max_slot = max_slot;
    job.base = std::move(base);
    job.sequence = false;
    job.done = [this, peer, hash, bytes, slot = view.slot, height = view.height](
                   std::expected<pipeline::ChainSegment, pipeline::Fault> proven) {
        in_work_.erase(hash);
        if (!proven) {
            const auto& fault = proven.error();
            if (!fault.self_fault) {
                charge(peer, {peers::Severity::kFatal, "invalid_block", fault.rule, height,
                              digest_of(bytes.view)});
            }
            return;
        }
        keeper_->add(std::move(*proven), [this, peer, hash, bytes](Result<void> stored) {
            if (!stored) {
                return;
            }
            duties_->on_block(hash, gate_open_);
            if (peer != 0) {
                if (SYNOD_PLANTED("blocks_not_relayed")) {
                    return;
                }
                links_.broadcast(net::NewBlock{bytes}, peer);  // once: it is known from now on
            }
        });
    };
    pipeline_.submit(std::move(job));
}

net::Status Node::our_status() const {
    const auto& tree = keeper_->tree();
    net::Status out;
    out.height = tree.head().height;
    out.hash = tree.head().hash;
    out.slot = tree.head_slot();
    out.committed_height = tree.committed().height;
    out.committed_hash = tree.committed().hash;
    out.final_height = keeper_->head_weight().final_height;
    out.unix_ms = clock_.unix_ms();
    if (auto proof = keeper_->head_proof()) {
        out.head_proof = SharedBytes(std::move(proof->proof));
    }
    return out;
}

void Node::send_status(std::uint64_t peer) { links_.send(peer, our_status()); }

}  // namespace synod::app
