// SPDX-License-Identifier: Apache-2.0
#include "core/sync/gate.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/base/planted.hpp"

namespace synod::sync {
namespace {

std::string number(double value, const char* format = "%.2f") {
    char text[48];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string plural(std::uint64_t n, const char* unit) { return std::to_string(n) + " " + unit; }

class List {
  public:
    void add(const char* name, bool met, std::string value, std::string limit) {
        items.push_back({name, met, std::move(value), std::move(limit)});
    }
    std::vector<GateCondition> items;
};

// Conditions on how far behind the network's tip we are: the escape rule stands in for these,
// because a federation that stopped has no tip to be measured against.
void tip_conditions(List& list, const GateView& view, double wanted, const SyncConfig& config,
                    bool escape) {
    const char* standing_in = escape ? " (escape)" : "";
    // 99.996 % must not read as 100: cut, don't round.
    const double shown = static_cast<double>(static_cast<std::uint64_t>(view.percentage * 1e4));
    list.add("percentage", escape || view.percentage >= wanted,
             number(shown / 100) + " %" + standing_in, ">= " + number(wanted * 100) + " %");
    list.add("blocks_behind", escape || view.behind <= config.gate_behind,
             plural(view.behind, "blocks") + standing_in,
             "<= " + std::to_string(config.gate_behind));
    const Slot lag = view.now_slot > view.head_slot ? view.now_slot - view.head_slot : 0;
    list.add("slot_lag", escape || lag <= config.slot_lag_max, plural(lag, "slots") + standing_in,
             "<= " + std::to_string(config.slot_lag_max));
    list.add("target_evidence", escape || view.evidence,
             std::string(view.evidence ? "verified" : "none") + standing_in, "verified");
}

// Conditions on others. A node that holds the quorum alone has no others to ask.
void network_conditions(List& list, const GateInputs& in, const SyncConfig& config) {
    const bool alone = in.holds_quorum_alone;
    list.add("network_health", alone || in.network_health > config.gate_health,
             number(in.network_health), "> " + number(config.gate_health));
    list.add("federation", alone || in.authorities_seen >= in.quorum,
             plural(in.authorities_seen, "authorities"), ">= " + std::to_string(in.quorum));
    const auto quarter_slot =
        std::chrono::duration_cast<std::chrono::milliseconds>(config.slot).count() / 4;
    const auto samples = std::min(in.clock_samples_wanted, kClockSamples);
    const bool enough = in.clock_samples >= std::max(samples, 1U);
    const bool near = std::llabs(in.clock_offset_ms) < quarter_slot;
    list.add("clock", (alone && in.clock_samples == 0) || (enough && near),
             std::to_string(in.clock_offset_ms) + " ms to " + plural(in.clock_samples, "peers"),
             "< " + std::to_string(quarter_slot) + " ms to >= " + std::to_string(samples));
}

// Conditions on ourselves and on safety: nothing stands in for these.
void own_conditions(List& list, const GateInputs& in, const GateView& view,
                    const SyncConfig& config, bool needs_governance) {
    list.add("running", view.running, view.running ? "yes" : "no", "catching_up or synced");
    list.add("validation", config.checks_signatures && in.unverified_blocks == 0,
             !config.checks_signatures       ? "basic"
             : in.unverified_blocks == 0 ? "full"
                                         : plural(in.unverified_blocks, "blocks to verify"),
             "full");
    list.add("governance", !needs_governance || in.governance_healthy,
             in.governance_healthy ? "healthy" : "no healthy stream",
             needs_governance ? "healthy" : "not required");
    list.add("proof_of_work", in.blocks_since_pow < in.max_blocks_without_pow,
             plural(in.blocks_since_pow, "blocks"),
             "< " + std::to_string(in.max_blocks_without_pow));
    list.add("commit_durable", in.last_commit_durable, in.last_commit_durable ? "yes" : "no",
             "yes");
    list.add("disk", in.disk_free_bytes >= config.disk_floor_bytes,
             plural(in.disk_free_bytes >> 20, "MiB"),
             ">= " + plural(config.disk_floor_bytes >> 20, "MiB"));
    list.add("not_halted", !in.halted, in.halted ? "halted by governance" : "no", "no");
    list.add("no_emergency", !in.emergency, in.emergency ? "emergency" : "none", "none");
    list.add("last_signed_slot", !in.last_signed_slot || *in.last_signed_slot < view.now_slot,
             in.last_signed_slot ? std::to_string(*in.last_signed_slot) : "none",
             "< " + std::to_string(view.now_slot));
}

}  // namespace

void Gate::shut() {
    inputs_.reset();
    open_ = false;
    good_ = 0;
    missed_ = 0;
}

bool Gate::escape() const {
    return inputs_ && (inputs_->holds_quorum_alone ||
                       (inputs_->quorum > 0 && inputs_->stall_statements >= inputs_->quorum));
}

GateStatus Gate::status(const GateView& view, const GateOptions& options) const {
    GateStatus out;
    out.open = open_;
    out.good_slots = good_;
    out.missed_slots = missed_;
    out.escape = escape();
    const double wanted =
        std::clamp(options.percentage.value_or(config_.gate_percentage), kGateFloor, 1.0);
    const bool governance = options.needs_governance.value_or(config_.gate_needs_governance);
    List list;
    tip_conditions(list, view, wanted, config_, out.escape);
    const GateInputs in = inputs_.value_or(GateInputs{});
    network_conditions(list, in, config_);
    own_conditions(list, in, view, config_, governance);
    list.add("measured", inputs_.has_value(), inputs_ ? "yes" : "no", "yes");
    out.all_met = std::all_of(list.items.begin(), list.items.end(),
                              [](const GateCondition& c) { return c.met; });
    out.conditions = std::move(list.items);
    return out;
}

bool Gate::slot(const GateView& view) {
    // A slot counts once; a repeated or older one is no new evidence either way.
    if (last_slot_ && view.now_slot <= *last_slot_) {
        return false;
    }
    last_slot_ = view.now_slot;
    const bool was = open_;
    if (status(view).all_met) {
        missed_ = 0;
        good_ = std::min(good_ + 1, config_.gate_open_slots);
        open_ = open_ || good_ >= config_.gate_open_slots;
    } else if (SYNOD_PLANTED("open_before_it_synced")) {
        open_ = true;
    } else if (SYNOD_PLANTED("gate_never_shuts")) {
        return false;
    } else {
        good_ = 0;
        missed_ = std::min(missed_ + 1, config_.gate_close_misses);
        open_ = open_ && missed_ < config_.gate_close_misses;
    }
    return open_ != was;
}

}  // namespace synod::sync
