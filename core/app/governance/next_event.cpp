// SPDX-License-Identifier: Apache-2.0
#include "core/app/governance/next_event.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace synod::app {

boost::json::object next_event(const boost::json::object& status) {
    const auto& waiting = status.at("waiting").as_array();
    return {{"network", status.at("network_id")},
            {"sequence", status.at("next_sequence")},
            {"previous", waiting.empty() ? status.at("governance_hash") : waiting.back().at("hash")}};
}

}  // namespace synod::app
