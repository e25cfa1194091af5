// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Q32.32: how ratios and scores cross the plugin ABI (sdk/include/synod/scoring.h, optimizer.h).

namespace synod {

//! 1.0 in Q32.32, as a factor: exact, being a power of two.
inline constexpr double kQ32 = 4294967296.0;

}  // namespace synod
