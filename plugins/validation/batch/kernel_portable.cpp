// SPDX-License-Identifier: Apache-2.0
//! One point at a time in plain registers.

#include "field_portable.hpp"
#include "loops.hpp"

namespace synod::batch {

const Kernel kKernelPortable = {"portable", Portable::kLanes, 56, decode_points<Portable>,
                                accumulate_lists<Portable>, reduce_windows<Portable>, nullptr};

}  // namespace synod::batch
