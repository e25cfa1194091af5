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
    // AVX2 has no product of 52-bit numbers; only the hashes gain by it.
    const bool plain = isa == "auto" || isa == "portable" || (isa == "avx2" && simd::isa_usable(isa));
    return plain ? &kKernelPortable : nullptr;
}

}  // namespace synod::batch
