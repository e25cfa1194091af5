// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Targets: a 256-bit unsigned number with the little arithmetic that a target needs, and Bitcoin's
//! compact form (nBits). Header only, constexpr, any thread.
#include "plugins/consensus/federation/auxpow/wire.hpp"

#include <algorithm>
#include <bit>
#include <compare>

namespace synod::federation {

/// An unsigned 256-bit number; limb[0] is the least.
struct U256 {
    std::array<uint64_t, 4> limb{};

    static constexpr U256 of(uint64_t v) { return {{v, 0, 0, 0}}; }
    /// A hash in internal order read as a little-endian number, as Bitcoin compares it with a
    /// target.
    static U256 from_hash(const Hash32& hash) {
        U256 out;
        for (size_t i = 0; i < 32; ++i) {
            out.limb[i / 8] |= static_cast<uint64_t>(hash[i]) << (8 * (i % 8));
        }
        return out;
    }
    Hash32 to_hash() const {
        Hash32 out{};
        for (size_t i = 0; i < 32; ++i) {
            out[i] = static_cast<uint8_t>(limb[i / 8] >> (8 * (i % 8)));
        }
        return out;
    }
    /// 64 hex digits, most significant first.
    std::string hex() const { return display_hex(to_hash()); }

    constexpr bool is_zero() const { return *this == U256{}; }
    /// Bits needed to write it: 0 for zero, 256 at most.
    constexpr uint32_t width() const {
        for (size_t i = 4; i-- > 0;) {
            if (limb[i] != 0) {
                return static_cast<uint32_t>(64 * i + std::bit_width(limb[i]));
            }
        }
        return 0;
    }
    constexpr U256 operator<<(uint32_t n) const { ///< bits shifted out are lost; n >= 256 gives 0
        U256 out;
        for (size_t i = n / 64; i < 4; ++i) {
            const size_t from = i - n / 64;
            out.limb[i] = limb[from] << (n % 64);
            if (n % 64 != 0 && from > 0) {
                out.limb[i] |= limb[from - 1] >> (64 - n % 64);
            }
        }
        return out;
    }
    constexpr U256 operator>>(uint32_t n) const {
        U256 out;
        for (size_t i = 0; i + n / 64 < 4; ++i) {
            const size_t from = i + n / 64;
            out.limb[i] = limb[from] >> (n % 64);
            if (n % 64 != 0 && from + 1 < 4) {
                out.limb[i] |= limb[from + 1] << (64 - n % 64);
            }
        }
        return out;
    }
    /// The product modulo 2^256; `carry` gets what went over.
    constexpr U256 times(uint32_t factor, uint32_t& carry) const {
        U256 out;
        uint64_t over = 0;
        for (size_t i = 0; i < 8; ++i) {
            const uint64_t half = (limb[i / 2] >> (32 * (i % 2))) & 0xffffffffu;
            const uint64_t product = half * factor + over;
            out.limb[i / 2] |= (product & 0xffffffffu) << (32 * (i % 2));
            over = product >> 32;
        }
        carry = static_cast<uint32_t>(over);
        return out;
    }
    friend constexpr bool operator==(const U256&, const U256&) = default;
    friend constexpr std::strong_ordering operator<=>(const U256& a, const U256& b) {
        return std::lexicographical_compare_three_way(a.limb.rbegin(), a.limb.rend(),
                                                      b.limb.rbegin(), b.limb.rend());
    }
};

/// nBits -> target by Bitcoin's rules (exponent byte, sign bit, 23 bits of mantissa). Faults:
/// bits.negative, bits.overflow, bits.zero. Non-canonical mantissas are accepted, as in Bitcoin.
inline Outcome<U256> target_from_bits(uint32_t bits) {
    const uint32_t size = bits >> 24, word = bits & 0x007fffffu;
    const uint32_t kept = size <= 3 ? word >> (8 * (3 - size)) : word;
    if (kept != 0 && (bits & 0x00800000u) != 0) {
        return Fault{"bits.negative", "the compact target is negative", "bits"};
    }
    if (kept != 0 && (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32))) {
        return Fault{"bits.overflow", "the compact target needs more than 256 bits", "bits"};
    }
    if (kept == 0) {
        return Fault{"bits.zero", "the compact target is zero: nothing could meet it", "bits"};
    }
    return size <= 3 ? U256::of(kept) : U256::of(word) << (8 * (size - 3));
}

/// Target -> nBits, rounded down to what the form can hold (Bitcoin's GetCompact).
constexpr uint32_t bits_from_target(const U256& target) {
    uint32_t size = (target.width() + 7) / 8;
    uint32_t word = static_cast<uint32_t>(size <= 3 ? target.limb[0] << (8 * (3 - size))
                                                    : (target >> (8 * (size - 3))).limb[0]);
    if ((word & 0x00800000u) != 0) { // it would read as negative
        word >>= 8;
        ++size;
    }
    return word | size << 24;
}

} // namespace synod::federation
