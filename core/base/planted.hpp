// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Faults that a test can plant, one at a time, to see that the simulator finds them. Only in sources that
//! are compiled once more for that test, with SYNOD_PLANTED_FAULTS; elsewhere nothing of it is left, not
//! even the names.

#ifdef SYNOD_PLANTED_FAULTS
#include <string_view>
namespace synod {
//! Whether this is the fault that is planted now. Defined by the test.
bool planted(std::string_view fault);
}  // namespace synod
#define SYNOD_PLANTED(fault) ::synod::planted(fault)
#else
#define SYNOD_PLANTED(fault) false
#endif
