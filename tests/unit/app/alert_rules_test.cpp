// SPDX-License-Identifier: Apache-2.0
//! The Prometheus rules of configs/ speak of metrics that a node has, and of everything that it must wake somebody for.
#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <regex>
#include <set>

#include "core/app/status_metrics.hpp"

namespace {

using namespace synod;

//! Those of one node that knows everything, and the host's own of its plugins.
std::set<std::string> names_of_metrics() {
    app::NodeStatus status;
    status.sync.target = 1;
    status.approval_latency = app::TimeSummary{};
    status.proposal_lateness = app::TimeSummary{};
    status.federation.resize(1);
    host::MetricPage page;
    app::status_metrics(status, page);
    std::set<std::string> out{"synod_plugin_active"};
    const auto text = page.text();
    const std::regex type("# TYPE (synod_[a-z_]+) ");
    for (std::sregex_iterator it(text.begin(), text.end(), type), end; it != end; ++it) {
        out.insert((*it)[1]);
    }
    return out;
}

}  // namespace

TEST_CASE("alert rules: every metric in them is one that a node has") {
    const auto known = names_of_metrics();
    REQUIRE(known.size() > 30);
    const auto file = YAML::LoadFile(std::string(SYNOD_SOURCE_DIR) + "/configs/prometheus/synod-alerts.yaml");
    std::set<std::string> alerts;
    for (const auto& rule : file["groups"][0]["rules"]) {
        const auto alert = rule["alert"].as<std::string>();
        const auto expression = rule["expr"].as<std::string>();
        CHECK_MESSAGE(alerts.insert(alert).second, alert << " is there twice");
        CHECK_MESSAGE(rule["labels"]["severity"], alert);
        CHECK_MESSAGE(rule["annotations"]["summary"], alert);
        CHECK_MESSAGE(rule["annotations"]["todo"], alert);
        const std::regex name("synod_[a-z_]+");
        for (std::sregex_iterator it(expression.begin(), expression.end(), name), end; it != end; ++it) {
            CHECK_MESSAGE(known.contains(it->str()), alert << " asks for " << it->str());
        }
    }
    for (const char* needed : {"SynodBelowGate", "SynodStalled", "SynodNoPeers", "SynodPartition", "SynodMiningOverdue",
                               "SynodEquivocation", "SynodCheckpointFailing", "SynodDiskLow", "SynodMemoryHigh",
                               "SynodPluginGone"}) {
        CHECK_MESSAGE(alerts.contains(needed), needed);
    }
}
