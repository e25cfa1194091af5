// SPDX-License-Identifier: Apache-2.0
// What is told to people and plugins: the bus, the log, the status, the answers to commands.
#include <algorithm>

#include "core/app/node/node.hpp"
#include "core/base/codec.hpp"

namespace synod::app {

void Node::publish(bus::Topic topic, Bytes payload) {
    if (auto sent = bus_.publish(topic, std::move(payload), clock_.mono()); !sent) {
        log_("error", sent.error().text());
    }
}

void Node::report(const sync::Action& action) {
    if (const auto* a = std::get_if<sync::StateChanged>(&action)) {
        log_("info", std::string(sync::name(a->from)) + " -> " + std::string(sync::name(a->to)) +
                         (a->reason.empty() ? "" : ": " + a->reason));
        publish(bus::Topic::kSyncState, synod::Writer()
                                            .put(static_cast<std::uint8_t>(a->from))
                                            .put(static_cast<std::uint8_t>(a->to))
                                            .text(a->reason)
                                            .take());
        stalled_.reset();
    } else if (const auto* s = std::get_if<sync::Stalled>(&action)) {
        log_("error", "sync stalled: " + s->reason + "\n" + s->dump);
        stalled_ = s->reason;
        publish(bus::Topic::kSyncStalled, synod::Writer().text(s->reason).take());
    } else if (const auto* f = std::get_if<sync::Failed>(&action)) {
        log_("error", "sync failed: " + f->reason + " (last good height " +
                          std::to_string(f->last_good) + ")");
        finally_failed_ = f->final;
        if (f->final) {
            publish(bus::Topic::kAlert, synod::Writer().text("sync_failed").text(f->reason).take());
        }
    } else if (const auto* t = std::get_if<sync::TargetChanged>(&action)) {
        publish(bus::Topic::kTargetMoved, synod::Writer().put(t->height).take());
    } else if (const auto* g = std::get_if<sync::GateChanged>(&action)) {
        log_("info", g->open ? "production gate open" : "production gate shut");
        publish(bus::Topic::kGateChanged,
                synod::Writer().put(static_cast<std::uint8_t>(g->open)).take());
    } else if (const auto* c = std::get_if<sync::CoolDown>(&action)) {
        unanswered(c->peer, c->reason);
    } else if (const auto* o = std::get_if<sync::SelfFaultSuspected>(&action)) {
        const auto text = o->rule + " at height " + std::to_string(o->height);
        log_("error", "self_fault_suspected: " + text);
        judge_.suspect_ourselves();
        publish(bus::Topic::kAlert, synod::Writer().text("self_fault_suspected").text(text).take());
    } else if (const auto* no = std::get_if<sync::Refused>(&action)) {
        refusal_ = Error{"sync.refused", no->reason, std::string(no->command), {}};
    } else if (const auto* other = std::get_if<sync::PeerOnOtherChain>(&action)) {
        log_("warning", "peer " + std::to_string(other->peer) + " stands on another chain");
    }
}

void Node::go_without(PluginFault fault) {
    log_("warning", "going on without the plugin " + fault.alias + ": " + fault.reason);
    faults_.isolated(std::move(fault));
}

void Node::command(Command what, std::function<void(Result<std::string>)> done) {
    loop_.post([this, what, done = std::move(done)] {
        refusal_.reset();
        switch (what) {
            case Command::kPause: driver_->feed(sync::Pause{"operator"}); break;
            case Command::kResume:
                if (!leave_emergency()) {
                    driver_->feed(sync::Resume{});
                }
                break;
            case Command::kStop: driver_->feed(sync::Stop{true, "operator"}); break;
        }
        refresh_status();
        if (refusal_) {
            done(std::unexpected(*refusal_));
        } else {
            done(std::string(sync::name(driver_->machine().state())));
        }
    });
}

std::shared_ptr<const NodeStatus> Node::status() const {
    const std::scoped_lock lock(status_mutex_);
    return status_;
}

PeerStatus Node::linked_peer(std::uint64_t id, const PeerLink& link,
                             const sync::Snapshot& snapshot) const {
    PeerStatus p;
    p.id = id;
    p.identity = link.info.identity;
    p.address = link.info.address;
    p.port = link.info.port;
    p.tier = peers::name(link.tier);
    p.connected = true;
    p.outbound = link.info.outbound;
    p.height = link.status.height;
    p.latency_ms = static_cast<double>(link.rtt.count()) / 1e6;
    if (const auto score = ranker_.score(link.info.identity)) {
        p.score = score->value;
        p.score_terms = score->terms;
    }
    const auto load = std::ranges::find(snapshot.peer_loads, id, &sync::PeerLoad::peer);
    if (load != snapshot.peer_loads.end()) {
        p.in_flight = load->open_requests;
        p.goodput = load->goodput;
        p.blocks = load->blocks;
        p.timeouts = load->timeouts;
        p.stalls = load->stalls;
        p.other_chain = load->other_chain;
    }
    return p;
}

void Node::refresh_status() {
    const auto now = clock_.mono();
    const auto unix = clock_.unix_ms();
    auto out = std::make_shared<NodeStatus>();
    out->name = config_.name;
    out->sync = driver_->machine().snapshot(now);
    out->final_height = keeper_->head_weight().final_height;
    out->head_hash = out->sync.head.hash;  // the durable one, as its height is
    out->committed_height = keeper_->tree().committed().height;
    out->unverified_blocks = unverified();
    out->authority = duties_->authority().has_value();
    out->blocks_proposed = duties_->blocks_proposed();
    out->mining = mining_->status();
    out->governance = governance_->status();
    out->emergency = emergency_.active();
    out->emergency_triggers = emergency_.open();
    out->authority_set = keeper_->info().authority_set;
    out->authorities_seen = authorities_seen(now);
    out->authorities = keeper_->info().authorities;
    out->quorum = keeper_->info().quorum;
    out->equivocators = evidence_->book().authors().size();
    out->governance_sequence = keeper_->head_weight().governance_sequence;
    out->approval_latency = duties_->approval_latency();
    out->proposal_lateness = duties_->proposal_lateness();
    const auto heard = [&](const PublicKey& key) {
        return (config_.signer && config_.signer->public_key() == key) ||
               std::ranges::any_of(links_.peers, [&](const auto& p) {
                   return p.second.info.identity == key &&
                          now - p.second.last_heard <= config_.consensus_timeout;
               });
    };
    for (const auto& of : attendance_.list()) {
        out->federation.push_back({of, heard(of.key)});
    }
    out->health = monitor_.current();
    out->partition.severity = partition_.severity();
    out->partition.signs = partition_.signs();
    out->partition.confirmed = partition_.confirmed();
    if (const auto since = partition_.since()) {
        out->partition.lasts_s = to_seconds(now - *since);
    }
    out->self_faults = judge_.self_faults();
    out->blocks_in_memory = keeper_->tree().size();
    out->known_addresses = dialer_.known();
    out->scoring_problem = ranker_.problem();
    out->plugin_faults = faults_.list();
    out->tuning = tuner_.status();
    if (checkpoints_ != nullptr) {
        out->last_checkpoint = checkpoints_->last();
        out->checkpoints = checkpoints_->figures();
    }
    out->process = {machine_.disk_free(config_.data_dir), config_.sync.disk_floor_bytes, machine_.memory_used(),
                    to_seconds(machine_.cpu_time())};
    out->stalled = stalled_;
    out->port = network_->port();
    out->mining_port = mining_port_;
    for (const auto& [id, link] : links_.peers) {
        out->peers.push_back(linked_peer(id, link, out->sync));
    }
    for (const auto& [id, left] : departed_) {
        out->peers.push_back(left);
    }
    for (auto& p : out->peers) {
        const auto standing = judge_.standing(p.identity, now, unix);
        p.misbehaviour = standing.points;
        p.banned_until = standing.banned_until;
        p.offences = standing.offences;
        if (const auto cooling = judge_.cool_down(p.identity)) {
            p.cool_down_reason = cooling->reason;
            p.cool_downs = cooling->times;
            p.cool_down_left_s =
                std::max(0.0, to_seconds(cooling->until - now));
        }
    }
    std::ranges::sort(out->peers, {}, &PeerStatus::id);
    const std::scoped_lock lock(status_mutex_);
    status_ = std::move(out);
}

}  // namespace synod::app
