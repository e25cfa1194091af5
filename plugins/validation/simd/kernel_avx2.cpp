// SPDX-License-Identifier: Apache-2.0
//! Double SHA-256 in eight lanes; compiled for its instruction set alone and called only where the processor has it.

#include "xsimd_lane.hpp"

namespace synod::simd {

const Kernel kKernelAvx2 = {"avx2", XsimdLane<xsimd::avx2>::kLanes, 4, hash_nodes<XsimdLane<xsimd::avx2>>,
                            hash_spans<XsimdLane<xsimd::avx2>>};

}  // namespace synod::simd
