// SPDX-License-Identifier: Apache-2.0
#include "kernels.hpp"

#include "common/isa.hpp"

namespace synod::batch {

const Kernel* choose_kernel(std::string_view isa) noexcept {
#if defined(__x86_64__)
    if ((isa == "auto" || isa == "avx512ifma") && simd::isa_usable("avx512ifma")) {
        return &kKernelAvx512Ifma;
    }
#endif
    return isa == "auto" || isa == "portable" ? &kKernelPortable : nullptr;
}

}  // namespace synod::batch
