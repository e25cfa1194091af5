// SPDX-License-Identifier: Apache-2.0
#include "core/app/status_json.hpp"

#include <boost/json.hpp>
#include <cstdio>

#include "core/control/rpc.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

std::string hex(const Hash& hash) { return to_hex(hash.view()); }

//! The plugin's own account of a score; null when it gave none or no JSON.
json::value terms_json(const std::string& text) {
    boost::system::error_code bad;
    auto out = json::parse(text, bad);
    return bad ? json::value(nullptr) : out;
}

json::array gate_json(const sync::GateStatus& gate) {
    json::array out;
    for (const auto& c : gate.conditions) {
        out.push_back({{"name", c.name}, {"met", c.met}, {"value", c.value}, {"limit", c.limit}});
    }
    return out;
}

json::value times_json(const std::optional<TimeSummary>& times) {
    if (!times) {
        return nullptr;
    }
    return json::object{{"median", times->median_ms}, {"p99", times->p99_ms}, {"samples", times->samples}};
}

json::object federation_json(const NodeStatus& s) {
    json::array members;
    for (const auto& m : s.federation) {
        members.push_back({{"index", m.of.index},
                           {"key", to_hex(m.of.key.view())},
                           {"seen", m.seen},
                           {"blocks", m.of.blocks},
                           {"missed", m.of.missed},
                           {"last_height", m.of.last_height},
                           {"last_slot", m.of.last_slot}});
    }
    return {{"authorities", s.authorities},
            {"quorum", s.quorum},
            {"seen", s.authorities_seen},
            {"is_authority", s.authority},
            {"blocks_proposed", s.blocks_proposed},
            {"approval_latency_ms", times_json(s.approval_latency)},
            {"proposal_lateness_ms", times_json(s.proposal_lateness)},
            {"governance_sequence", s.governance_sequence},
            {"equivocators", s.equivocators},
            {"members", std::move(members)}};
}

json::object emergency_of(const NodeStatus& s) {
    json::array triggers;
    for (const auto& one : s.emergency_triggers) {
        triggers.push_back(json::object{{"trigger", health::name(one.trigger)}, {"reason", one.reason}});
    }
    return {{"active", s.emergency}, {"triggers", std::move(triggers)}};
}

}  // namespace

std::string emergency_json(const NodeStatus& status) { return json::serialize(emergency_of(status)); }

Result<std::string> emergency_reason(const std::string& params) {
    constexpr std::size_t kMaxReasonBytes = 256;
    boost::system::error_code error;
    const auto value = params.empty() ? json::value(json::object{}) : json::parse(params, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* reason = object == nullptr ? nullptr : object->if_contains("reason");
    if (object == nullptr || (reason != nullptr && (!reason->is_string() || reason->as_string().size() > kMaxReasonBytes))) {
        return control::invalid_params("a reason of at most 256 bytes is expected", "reason");
    }
    return reason == nullptr ? std::string() : std::string(reason->as_string());
}

std::string status_json(const NodeStatus& s) {
    const auto& sync = s.sync;
    json::object out;
    out["name"] = s.name;
    out["state"] = sync::name(sync.state);
    out["current_height"] = sync.head.height;
    out["target_height"] = sync.target ? json::value(*sync.target) : json::value(nullptr);
    out["percentage"] = sync.percentage_total / 100;
    out["percentage_since_start"] = sync.percentage / 100;
    out["blocks_per_second"] = sync.blocks_per_s;
    out["eta_seconds"] = sync.eta ? json::value(json::array{sync.eta->low_s, sync.eta->high_s})
                                  : json::value(nullptr);
    out["peers"] = sync.peers;
    out["can_produce"] = sync.gate.open;
    out["gate"] = gate_json(sync.gate);
    out["last_checkpoint"] =
        s.last_checkpoint ? json::parse(to_json(*s.last_checkpoint)) : json::value(nullptr);
    out["committed_height"] = s.committed_height;
    out["final_height"] = s.final_height;
    out["unverified_blocks"] = s.unverified_blocks;
    out["head_hash"] = hex(s.head_hash);
    out["stalled"] = s.stalled ? json::value(*s.stalled) : json::value(nullptr);
    out["reason"] = sync.reason;
    out["federation"] = federation_json(s);
    out["emergency"] = emergency_of(s);
    const auto& governance = s.governance;
    out["governance"] = {{"sequence", governance.sequence},
                         {"known", governance.known},
                         {"waiting", governance.waiting},
                         {"early", governance.early},
                         {"missing_from", governance.missing_from == 0 ? json::value(nullptr)
                                                                       : json::value(governance.missing_from)},
                         {"stream_healthy", governance.healthy},
                         {"halted", governance.halted},
                         {"authority_set", s.authority_set},
                         {"accepted", governance.accepted},
                         {"refused", governance.refused},
                         {"overflowed", governance.overflowed}};
    const auto& mining = s.mining;
    out["mining"] = {{"stage", health::name(mining.stage)},
                     {"blocks_without_pow", mining.blocks_without_pow},
                     {"max_blocks_without_pow", mining.max_blocks_without_pow},
                     {"given_work", mining.given_work},
                     {"waiting_records", mining.waiting_records},
                     {"accepted", mining.accepted},
                     {"refused", mining.refused},
                     {"port", s.mining_port ? json::value(*s.mining_port) : json::value(nullptr)}};
    const auto& terms = s.health.terms;
    out["network"] = {{"health", s.health.score},
                      {"terms",
                       {{"peers", terms.peers},
                        {"latency", terms.latency},
                        {"bandwidth", terms.bandwidth},
                        {"reliability", terms.reliability},
                        {"federation", terms.federation},
                        {"penalty", terms.penalty}}},
                      {"partition",
                       {{"severity", health::name(s.partition.severity)},
                        {"lasts_seconds", s.partition.lasts_s ? json::value(*s.partition.lasts_s) : json::value(nullptr)},
                        {"signs", s.partition.signs}}},
                      {"port", s.port},
                      {"known_addresses", s.known_addresses},
                      {"self_fault_suspected", s.self_faults}};
    json::object settings;
    for (const auto& [name, value] : s.tuning.settings) {
        settings[name] = value;
    }
    out["tuning"] = {{"settings", std::move(settings)},
                     {"proposals", s.tuning.proposals},
                     {"kept", s.tuning.kept},
                     {"reverted", s.tuning.reverted},
                     {"last", s.tuning.last}};
    json::array problems;
    for (const auto& problem : {s.scoring_problem, s.tuning.problem}) {
        if (!problem.empty()) {
            problems.push_back(json::string(problem));
        }
    }
    out["plugin_problems"] = std::move(problems);
    json::array faults;
    for (const auto& f : s.plugin_faults) {
        faults.push_back({{"plugin", f.alias}, {"call", f.call}, {"reason", f.reason}});
    }
    out["isolated_plugins"] = std::move(faults);
    out["memory"] = {{"blocks_above_committed", s.blocks_in_memory}};
    return json::serialize(out);
}

std::string peers_json(const NodeStatus& s) {
    json::array out;
    for (const auto& p : s.peers) {
        json::array offences;
        for (const auto& o : p.offences) {
            offences.push_back(
                {{"reason", o.reason}, {"rule", o.rule}, {"height", o.height}, {"unix_ms", o.at}});
        }
        out.push_back({{"id", p.id},
                       {"identity", to_hex(p.identity.view())},
                       {"address", p.address},
                       {"port", p.port},
                       {"tier", p.tier},
                       {"connected", p.connected},
                       {"outbound", p.outbound},
                       {"left_because", p.left_because},
                       {"height", p.height},
                       {"latency_ms", p.latency_ms},
                       {"in_flight", p.in_flight},
                       {"goodput_bytes_per_second", p.goodput},
                       {"blocks", p.blocks},
                       {"timeouts", p.timeouts},
                       {"stalls", p.stalls},
                       {"other_chain", p.other_chain},
                       {"score", p.score ? json::value(*p.score) : json::value(nullptr)},
                       {"score_terms", terms_json(p.score_terms)},
                       {"cool_down",
                        {{"reason", p.cool_down_reason},
                         {"seconds_left", p.cool_down_left_s},
                         {"times", p.cool_downs}}},
                       {"misbehaviour", p.misbehaviour},
                       {"banned_until_unix_ms",
                        p.banned_until ? json::value(*p.banned_until) : json::value(nullptr)},
                       {"offences", std::move(offences)}});
    }
    return json::serialize(out);
}

std::string status_line(const NodeStatus& s) {
    const auto& sync = s.sync;
    char head[160];
    std::snprintf(head, sizeof head, "%-18s %6.2f %%  %llu/%s  %.0f blocks/s",
                  std::string(sync::name(sync.state)).c_str(), sync.percentage_total,
                  static_cast<unsigned long long>(sync.head.height),
                  sync.target ? std::to_string(*sync.target).c_str() : "?", sync.blocks_per_s);
    std::string out = head;
    if (s.stalled) {
        return out + "  stalled: " + *s.stalled;
    }
    if (sync.state == sync::State::synced) {
        out += "  in sync";
    } else if (sync.eta) {
        std::snprintf(head, sizeof head, "  ETA %.0f-%.0f s", sync.eta->low_s, sync.eta->high_s);
        out += head;
    } else {
        out += "  ETA unknown";
    }
    out += "  " + std::to_string(sync.peers) + (sync.peers == 1 ? " peer" : " peers");
    out += sync.gate.open ? "  gate open" : "  gate shut";
    return out;
}

}  // namespace synod::app
