// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How much longer everything may take where a sanitizer watches. For what must be set beforehand, such as the height
//! that a signed event names, and for the wait until that; other waits have limits that are wide enough by themselves.

#include <cstdint>

namespace synod::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t kSlowdown = 5;
#else
inline constexpr std::uint64_t kSlowdown = 1;
#endif

}  // namespace synod::testing
