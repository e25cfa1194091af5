// SPDX-License-Identifier: Apache-2.0
//! Double SHA-256 in four lanes; compiled for its instruction set alone and called only where the processor has it.

#include "xsimd_lane.hpp"

namespace synod::simd {

using Sse2Lane = XsimdLane<xsimd::sse2>;
const Kernel kKernelSse2 = {"sse2", Sse2Lane::kLanes, 3, hash_nodes<Sse2Lane>, hash_headers<Sse2Lane>,
                            hash_spans<Sse2Lane>};

}  // namespace synod::simd
