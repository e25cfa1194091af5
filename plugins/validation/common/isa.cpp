// SPDX-License-Identifier: Apache-2.0
#include "isa.hpp"

namespace synod::simd {

bool isa_usable(std::string_view isa) noexcept {
    if (isa == "portable") {
        return true;
    }
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == "sse2") {
        return __builtin_cpu_supports("sse2") != 0;
    }
    if (isa == "avx2") {
        return __builtin_cpu_supports("avx2") != 0;
    }
    const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                        __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                        __builtin_cpu_supports("avx512cd") != 0;
    if (isa == "avx512") {
        return avx512;
    }
    if (isa == "avx512ifma") {
        return avx512 && __builtin_cpu_supports("avx512ifma") != 0;
    }
    if (isa == "sha-ni") {
        return __builtin_cpu_supports("sha") != 0 && __builtin_cpu_supports("sse4.1") != 0;
    }
#endif
    return false;
}

}  // namespace synod::simd
