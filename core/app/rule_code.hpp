// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The code of an error that says which rule of the consensus plugin did not hold.

#include <algorithm>
#include <string>

namespace synod::app {

//! "mining" and "parent-target" give "mining.parent_target". Pure.
inline std::string rule_code(const std::string& area, std::string rule) {
    std::ranges::replace(rule, '-', '_');
    return area + "." + rule;
}

}  // namespace synod::app
