// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The machine that figures are of.

#include <string>
#include <vector>

namespace synod::app::bench {

struct Machine {
    unsigned cores = 0;                         //!< that this process may run on
    std::string cpu;                            //!< the processor's own name; empty when it isn't known
    std::vector<std::string> instruction_sets;  //!< those of them that a backend can make use of
    std::string compiler;
    bool optimised = false;  //!< this program was; figures of another say nothing
};

Machine this_machine();

}  // namespace synod::app::bench
