// SPDX-License-Identifier: Apache-2.0
//! Eight points at a time; compiled for its instruction set alone and called only where the processor has it.

#include "field_avx512ifma.hpp"
#include "loops.hpp"

namespace synod::batch {

const Kernel kKernelAvx512Ifma = {"avx512ifma", Ifma::kLanes, 10, decode_points<Ifma>, accumulate_lists<Ifma>,
                                  reduce_windows<Ifma>, sha512_avx512};

}  // namespace synod::batch
