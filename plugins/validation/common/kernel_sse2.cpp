// SPDX-License-Identifier: Apache-2.0
//! Double SHA-256 in four lanes; compiled for its instruction set alone and called only where the processor has it.

#include "xsimd_lane.hpp"

namespace synod::simd {

const Kernel kKernelSse2 = {"sse2", XsimdLane<xsimd::sse2>::kLanes, 3, hash_nodes<XsimdLane<xsimd::sse2>>,
                            hash_spans<XsimdLane<xsimd::sse2>>};

}  // namespace synod::simd
