// SPDX-License-Identifier: Apache-2.0
// When the node is in an emergency, and what it does then (behaviour.md section 9).
#include "core/app/node/node.hpp"
#include "core/base/codec.hpp"
#include "core/base/planted.hpp"

namespace synod::app {

namespace {

//! What stays until the operator says otherwise stays over a restart, too.
constexpr const char* kEmergencySpace = "emergency";
const Bytes kKey{'r', 'a', 'i', 's', 'e', 'd'};
constexpr std::size_t kMaxReason = 1'024;  // bytes that are kept of one

std::string reasons(const std::vector<health::Open>& open) {
    std::string out;
    for (const auto& one : open) {
        out += (out.empty() ? "" : "; ") + std::string(health::name(one.trigger)) + ": " + one.reason;
    }
    return out;
}

}  // namespace

//! Whoever holds the quorum alone can't be cut off from it.
bool Node::quorum_alone() const { return duties_->authority() && keeper_->info().quorum == 1; }

void Node::watch_partition(Instant now) {
    if (quorum_alone()) {
        return;
    }
    const auto& info = keeper_->info();
    const auto measured = health_inputs(now);
    health::PartitionInputs in;
    in.links = measured.peers;
    in.mean_latency_ms = measured.mean_latency_ms;
    in.authorities_seen = measured.authorities_seen;
    in.authorities = info.authorities;
    in.quorum = info.quorum;
    in.authority = duties_->authority().has_value();
    in.head_height = keeper_->tree().head().height;
    in.blocks_expected = info.halted == 0 && mining_->blocks_without_proof() < info.max_blocks_without_pow;
    in.conflicting_tips = two_chains_;
    const auto since = partition_.since();
    const auto tell = [this](const char* level, const char* alert, const std::string& text) {
        log_(level, text);
        publish(bus::Topic::kAlert, synod::Writer().text(alert).text(text).take());
    };
    switch (partition_.step(in, now)) {
        case health::PartitionWatch::Change::none: break;
        case health::PartitionWatch::Change::suspected:
            log_("warning", "a partition is suspected: " + partition_.signs());
            break;
        case health::PartitionWatch::Change::confirmed:
            tell("error", "partition",
                 "partition, " + std::string(health::name(partition_.severity())) + ": " + partition_.signs());
            break;
        case health::PartitionWatch::Change::over:
            tell("info", "partition_over",
                 "the partition is over after " + std::to_string((now - *since) / std::chrono::seconds(1)) + " s");
            break;
    }
}

void Node::watch_emergency(Instant now) {
    health::EmergencyInputs in;
    const auto& info = keeper_->info();
    const bool alone = quorum_alone();
    in.health = alone ? 1 : monitor_.current().score;
    in.quorum = info.quorum;
    in.authorities_seen = alone ? info.quorum : authorities_seen(now);
    in.authorities = info.authorities;
    in.equivocators = guilty_authorities();
    in.partition = partition_.severity();
    in.mining_halted = mining_->blocks_without_proof() >= info.max_blocks_without_pow;
    emergency_moved(emergency_.check(in, now));
}

void Node::raise_emergency(health::Trigger trigger, const std::string& reason) {
    emergency_moved(emergency_.raise(trigger, reason));
    keep_emergency();
}

//! Neither of the two can be believed, and who proves nothing can't follow: the node stands still where it is, and
//! still answers what is asked of it. The operator looks at the two, takes one of them, or tries again.
void Node::backends_disagree(const Error& why) {
    proves_nothing_ = true;
    raise_emergency(health::Trigger::kBackends, why.text());
    driver_->feed(sync::EmergencyEntered{reasons(emergency_.open()), true});
}

void Node::keep_emergency() {
    const auto raised = emergency_.raised();
    synod::Writer out;
    for (const auto& one : raised) {
        out.text(health::name(one.trigger)).text(one.reason.substr(0, kMaxReason));
    }
    keep({kEmergencySpace, kKey, out.take()});
}

void Node::restore_emergency() {
    const auto kept = store_.get_record(kEmergencySpace, kKey);
    if (!kept || !*kept) {
        return;
    }
    synod::Reader in(**kept);
    while (in.left() > 0 && in.ok()) {
        const auto trigger = health::trigger_of(in.text(kMaxReason));
        const auto reason = in.text(kMaxReason);
        if (in.ok() && trigger) {
            proves_nothing_ = proves_nothing_ || *trigger == health::Trigger::kBackends;
            emergency_.raise(*trigger, reason);
        }
    }
    if (emergency_.active()) {
        const auto why = reasons(emergency_.open());
        log_("error", "the emergency of the last run goes on: " + why);
        publish(bus::Topic::kAlert, synod::Writer().text("emergency").text(why).take());
        driver_->feed(sync::EmergencyEntered{why, proves_nothing_});
    }
}

//! What was going on is kept for whoever has to find out; then nothing is produced, nobody but the federation is
//! asked, and everything is checked in full.
void Node::emergency_moved(health::Emergency::Change change) {
    if (change == health::Emergency::Change::entered) {
        const auto why = reasons(emergency_.open());
        log_("error", "emergency: " + why);
        publish(bus::Topic::kAlert, synod::Writer().text("emergency").text(why).take());
        if (checkpoints_ != nullptr) {
            checkpoints_->create_now(checkpoint::Kind::kEmergency, [this](const Result<CheckpointInfo>& made) {
                if (!made) {
                    log_("warning", "no checkpoint of the emergency: " + made.error().text());
                }
            });
        }
        driver_->feed(sync::EmergencyEntered{why});
    } else if (change == health::Emergency::Change::left && !SYNOD_PLANTED("emergency_for_ever")) {
        log_("info", "the emergency is over");
        publish(bus::Topic::kAlert, synod::Writer().text("emergency_over").text("").take());
        driver_->feed(sync::EmergencyCleared{});
    }
}

void Node::enter_emergency(const std::string& reason) {
    raise_emergency(health::Trigger::kOperator, reason.empty() ? "asked for" : reason);
    refresh_status();
}

bool Node::leave_emergency() {
    two_chains_ = false;
    if (std::exchange(proves_nothing_, false) && ask_backends_again_) {
        ask_backends_again_();
    }
    const auto change = emergency_.leave();
    keep_emergency();
    emergency_moved(change);
    refresh_status();
    return change == health::Emergency::Change::left;
}

}  // namespace synod::app
