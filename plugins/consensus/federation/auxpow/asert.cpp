// SPDX-License-Identifier: Apache-2.0
#include "plugins/consensus/federation/auxpow/asert.hpp"

namespace synod::federation {
namespace {

constexpr int64_t kRadix = 65536; // fixed point: 16 bits after the point
constexpr int64_t kMaxHalfLifeS = int64_t{1} << 31;

// 65536 * 2^(frac / 65536) by the cubic of the specification; the error is below 0.013 %.
uint32_t power_factor(uint64_t frac) {
    const uint64_t cubic =
        195766423245049ull * frac + 971821376ull * frac * frac + 5127ull * frac * frac * frac;
    return 65536u + static_cast<uint32_t>((cubic + (1ull << 47)) >> 48);
}

} // namespace

U256 asert_target(const U256& anchor, int64_t time_diff_s, int64_t record_diff,
                  const AsertParams& params) {
    assert(params.aim_s > 0 && params.aim_s <= kMaxHalfLifeS);
    assert(params.half_life_s > 0 && params.half_life_s <= kMaxHalfLifeS);
    assert(!params.hardest.is_zero() && params.hardest <= params.easiest);
    const int64_t time = std::clamp(time_diff_s, -kAsertMaxDiffS, kAsertMaxDiffS);
    const int64_t due_records =
        std::clamp<int64_t>(record_diff, 0, kAsertMaxDiffS / params.aim_s) + 1;
    const int64_t exponent = (time - params.aim_s * due_records) * kRadix / params.half_life_s;
    const int64_t shifts =
        (exponent >> 16) - 16; // C++20: the shift of a negative number is arithmetic
    const uint32_t factor = power_factor(static_cast<uint64_t>(exponent) & 0xffffu);

    uint32_t carry = 0;
    U256 product = anchor.times(factor, carry);
    // The product has up to 273 bits: split off what is above 256 so that no shift loses it.
    U256 next;
    if (shifts >= 0) {
        if (carry != 0 || product.width() + static_cast<uint64_t>(shifts) > 256) {
            return params.easiest;
        }
        next = product << static_cast<uint32_t>(shifts);
    } else {
        const uint64_t down = static_cast<uint64_t>(-shifts);
        const uint32_t carry_width = static_cast<uint32_t>(std::bit_width(carry));
        if (carry_width > down) {
            return params.easiest;
        }
        if (down < 288) { // else nothing of its 288 bits is left
            next = product >> static_cast<uint32_t>(down);
            const U256 high = down >= 256 ? U256::of(carry >> (down - 256))
                                          : U256::of(carry) << static_cast<uint32_t>(256 - down);
            for (size_t i = 0; i < 4; ++i) {
                next.limb[i] |= high.limb[i];
            }
        }
    }
    return std::clamp(next, params.hardest, params.easiest);
}

Outcome<uint32_t> next_bits(const ParentRecord& parent, const AsertParams& params) {
    const auto anchor = target_from_bits(parent.bits);
    if (!anchor) {
        return anchor.fault();
    }
    const auto bounded = [](uint64_t v) {
        return static_cast<int64_t>(std::min<uint64_t>(v, static_cast<uint64_t>(kAsertMaxDiffS)));
    };
    const int64_t diff = parent.time_s >= parent.previous_time_s
                             ? bounded(parent.time_s - parent.previous_time_s)
                             : -bounded(parent.previous_time_s - parent.time_s);
    return bits_from_target(asert_target(*anchor, diff, 0, params));
}

} // namespace synod::federation
