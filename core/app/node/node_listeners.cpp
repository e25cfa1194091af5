// SPDX-License-Identifier: Apache-2.0
//! Node, where its parts come together: what each of them tells the others.
#include "core/app/node/node.hpp"
#include "core/base/codec.hpp"
#include "core/base/planted.hpp"

namespace synod::app {

namespace {

peers::Severity severity_of(sync::Offence offence) {
    switch (offence) {
        case sync::Offence::invalid_header:
        case sync::Offence::invalid_block: return peers::Severity::kFatal;
        case sync::Offence::malformed_reply:
        case sync::Offence::claimed_height_never_backed: return peers::Severity::kGrave;
    }
    return peers::Severity::kGrave;
}

}  // namespace

ChainKeeper::Listener Node::keeper_listener() {
    return {[this](const chain::Pointer& head, std::uint64_t slot) {
                driver_->feed(sync::HeadChanged{head.height, head.hash, slot});
                publish(bus::Topic::kHeadChanged,
                        synod::Writer().put(head.height).fixed(head.hash).put(slot).take());
                attend(head, slot);
            },
            [this](const chain::Pointer& from, const chain::Pointer& to) {
                driver_->feed(sync::CommittedChanged{to.height, to.hash});
                duties_->on_committed(to.height);
                if (checkpoints_ != nullptr) {
                    checkpoints_->on_committed({{to.height, to.hash},
                                                keeper_->stored_state(),
                                                keeper_->block_at(to.height + 1)});
                }
                publish(bus::Topic::kBlocksCommitted,
                        synod::Writer().put(from.height + 1).put(to.height).fixed(to.hash).take());
            },
            [this](const Error& e) {
                log_("error", e.text());
                driver_->feed(sync::StoreFault{e.text()});
            },
            [this](const Error& e) {
                log_("error", e.text());
                raise_emergency(health::Trigger::kConflict, e.text());
            },
            [this](const pipeline::ChainSegment& segment) {
                duties_->on_proven(segment);
                governance_->on_proven(segment);
                evidence_->on_proven(segment);
            }};
}

Audit::Listener Node::audit_listener() {
    return {[this] { return !driver_->busy(); },
            [this](const Error& e) {
                log_("error", e.text());
                publish(bus::Topic::kAlert, synod::Writer().text("audit_failed").text(e.text()).take());
                raise_emergency(health::Trigger::kConflict, e.text());
            },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const std::string& text) { log_("info", text); }};
}

//! Blocks that were stored on a certificate's word and not verified since.
std::uint64_t Node::unverified() const {
    const auto vouched = driver_->vouched_to();
    return audit_ && vouched > audit_->verified() ? vouched - audit_->verified() : 0;
}

SyncDriver::Listener Node::driver_listener() {
    SyncDriver::Listener out;
    out.penalise = [this](std::uint64_t peer, const sync::Penalise& p) {
        charge(peer, {severity_of(p.offence), std::string(sync::name(p.offence)), p.rule, p.height, {}});
    };
    out.unsolicited = [this](std::uint64_t peer, const char* rule, std::uint64_t height) {
        charge(peer, {peers::Severity::kMedium, "unsolicited_reply", rule, height, {}});
    };
    out.disconnect = [this](std::uint64_t peer, std::string_view reason) {
        unanswered(peer, reason);
        network_->close(peer, "sync.disconnected", std::string(reason));
    };
    out.answered = [this](std::uint64_t peer, std::uint64_t bytes, Duration took) {
        if (const auto it = met_.find(peer); it != met_.end()) {
            ranker_.of(it->second.identity).answered(bytes, took);
            judge_.answered(it->second.identity);
            it->second.judged = clock_.mono();
        }
    };
    out.failed = [this](std::uint64_t peer) {
        if (const auto it = met_.find(peer); it != met_.end()) {
            ranker_.of(it->second.identity).failed();
            it->second.judged = clock_.mono();
        }
        if (SYNOD_PLANTED("ban_on_slowness")) {
            charge(peer, {peers::Severity::kFatal, "slow", "net.deadline", 0, {}});
        }
    };
    out.checkpoint = [this](std::function<void(pipeline::State)> done) { find_checkpoint(std::move(done)); };
    out.report = [this](const sync::Action& action) { report(action); };
    out.max_slot = [this] { return slot_now() + 1; };
    out.note = [this](const std::string& text) { log_("info", text); };
    return out;
}

void Node::find_checkpoint(std::function<void(pipeline::State)> done) {
    if (checkpoints_ == nullptr) {
        done({});
        return;
    }
    checkpoints_->recover({}, [this, done](const Result<Recovered>& found) {
        if (!found) {
            log_("warning", found.error().text());
            done({});
            return;
        }
        for (const auto& why : found->skipped) {
            log_("warning", "checkpoint skipped: " + why);
        }
        log_("info", "recovering from checkpoint " + found->info.id + " of height " +
                         std::to_string(found->info.height));
        done(found->state);
    });
}

Duties::Listener Node::duties_listener() {
    return {[this](Bytes block) {
                const SharedBytes shared(std::move(block));
                take_block(0, shared);
                links_.broadcast(net::NewBlock{shared});
            },
            [this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kMedium, "invalid_attestation", fault.rule, fault.height,
                              {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this] { return mining_->records(); },
            [this] { return governance_->events(); },
            [this](const Error& e) {
                log_("error", e.text());
                publish(bus::Topic::kAlert, synod::Writer().text("copied_key").text(e.text()).take());
                halted_ = e;
            },
            [this] { return clock_.mono(); },
            [this] { return clock_.unix_ms(); },
            [this](const synod_attestation& what, const SharedBytes& bytes) { evidence_->on_approval(what, bytes); },
            [this](store::Record record, std::function<void()> written) {
                keep(std::move(record), std::move(written));
            }};
}

Evidence::Listener Node::evidence_listener() {
    return {[this] { return slot_now(); },
            [this] { return clock_.unix_ms(); },
            [this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kGrave, "invalid_evidence", fault.rule, fault.height, {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const ProvenEvidence& evidence) { convict(evidence); }};
}

Governance::Listener Node::governance_listener() {
    return {[this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kGrave, "invalid_governance_event", fault.rule, fault.height, {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const std::string& text) { log_("info", text); }};
}

Mining::Listener Node::mining_listener() {
    return {[this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kGrave, "invalid_finality_record", fault.rule, fault.height, {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const std::string& text) { log_("info", text); },
            [this] { return clock_.unix_ms(); }};
}

}  // namespace synod::app
