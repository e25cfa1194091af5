// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One measured figure beside its baseline of the same run, or why it isn't there. A value; no thread.

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/app/bench/statistics.hpp"
#include "core/base/result.hpp"

namespace synod::app::bench {

struct Figure {
    std::string name;             //!< of the catalogue
    std::optional<Sample> value;  //!< in the catalogue's unit; nothing: see `missing`
    std::string baseline;         //!< what it stands beside, for people
    std::optional<Sample> baseline_value;  //!< same unit
    boost::json::object details;  //!< what else was seen; keys end in their unit
    std::string missing;          //!< why there is no value
    bool failed = false;          //!< it should have had one: the exit code says so

    //! value / baseline_value, of the medians. A baseline of 0 gives none.
    [[nodiscard]] std::optional<double> ratio() const {
        if (!value || !baseline_value || baseline_value->median == 0) {
            return std::nullopt;
        }
        return value->median / baseline_value->median;
    }
};

//! What this machine or this build can't show: an instruction set, a plugin.
inline Figure absent(std::string_view name, std::string why) {
    Figure out;
    out.name = name;
    out.missing = std::move(why);
    return out;
}

//! What should have worked.
inline Figure failure(std::string_view name, const Error& why) {
    auto out = absent(name, why.text());
    out.failed = true;
    return out;
}

}  // namespace synod::app::bench
