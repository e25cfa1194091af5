// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Which instruction sets this processor and this build have, asked of the processor itself. Any thread.

#include <string_view>

namespace synod::simd {

//! `isa`: "portable", "sse2", "avx2", "avx512", "sha-ni", "avx512ifma". False for every other name.
[[nodiscard]] bool isa_usable(std::string_view isa) noexcept;

}  // namespace synod::simd
