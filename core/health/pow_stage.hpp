// SPDX-License-Identifier: Apache-2.0
#pragma once
//! How near a chain is to the end of what it may build without proof of work. Pure, header only.
//! Rule: behaviour.md section 7 (max_blocks_without_pow).

#include <cstdint>
#include <limits>
#include <string_view>

namespace synod::health {

inline constexpr std::uint64_t kPowWarnPercent = 50;
inline constexpr std::uint64_t kPowCriticalPercent = 80;

//! off: the chain has no merged mining. halted: nothing may be produced until a proof arrives.
enum class PowStage : std::uint8_t { off, fine, warning, critical, halted };

constexpr std::string_view name(PowStage stage) {
    constexpr std::string_view kNames[] = {"off", "fine", "warning", "critical", "halted"};
    return kNames[static_cast<std::size_t>(stage)];
}

//! `most` is the chain's limit in blocks; the largest number stands for no merged mining.
constexpr PowStage pow_stage(std::uint64_t blocks_without, std::uint64_t most) {
    if (most == 0 || most == std::numeric_limits<std::uint64_t>::max()) {
        return PowStage::off;
    }
    const auto reaches = [&](std::uint64_t percent) {
        // Both sides in hundredths; the limit is far below what would overflow.
        return blocks_without >= most || blocks_without * 100 >= most * percent;
    };
    return blocks_without >= most         ? PowStage::halted
           : reaches(kPowCriticalPercent) ? PowStage::critical
           : reaches(kPowWarnPercent)     ? PowStage::warning
                                          : PowStage::fine;
}

}  // namespace synod::health
