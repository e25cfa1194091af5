// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The bytes of a binary checkpoint. Integers are little-endian. A file is
//!   header  magic 8, version u16, flags u16, crc u32 (low half of the CRC-64 over the 12 bytes before it)
//!   frames  kind u32, stored u32, raw u32, records u32, crc u64, then `stored` bytes
//! where crc is the CRC-64/XZ over the frame's number (u64), the 16 bytes before it and the stored bytes. A data frame
//! holds whole records (section u32, key length u32, value length u32, key, value), as one zstd frame when the flag is
//! set. The end frame holds the number of all records (u64), and nothing follows it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <synod/checkpoint.h>

namespace synod_binary {

inline constexpr std::array<uint8_t, 8> kMagic = {'S', 'Y', 'N', 'C', 'K', 'P', 'T', '\n'};
inline constexpr uint32_t kVersion = 1;
inline constexpr uint16_t kFlagZstd = 1;
inline constexpr size_t kHeaderSize = 16;      // bytes
inline constexpr size_t kFrameHeaderSize = 24; // bytes
inline constexpr size_t kRecordHeaderSize = 12;
inline constexpr uint32_t kFrameData = 0x41544144; // "DATA"
inline constexpr uint32_t kFrameEnd = 0x21444e45;  // "END!"
/// The largest frame, raw or stored: a full frame of the largest setting plus one record of the largest size.
inline constexpr size_t kMaxFrameTarget = 1u << 20; // bytes
inline constexpr size_t kMaxFrame =
    kMaxFrameTarget + kRecordHeaderSize + SYNOD_CHECKPOINT_KEY_MAX + SYNOD_CHECKPOINT_VALUE_MAX + (256u << 10);

struct FrameHeader {
    uint32_t kind, stored, raw, records;
};

constexpr std::array<uint64_t, 256> crc_table() {
    constexpr uint64_t kPolynomial = 0xc96c5795d7870f42u; // ECMA-182, reflected
    std::array<uint64_t, 256> out{};
    for (uint64_t i = 0; i < 256; ++i) {
        uint64_t v = i;
        for (int b = 0; b < 8; ++b) {
            v = (v >> 1) ^ ((v & 1) != 0 ? kPolynomial : 0);
        }
        out[i] = v;
    }
    return out;
}

/// CRC-64/XZ. Finds every error burst of up to 64 bits; the host's content root is what protects against intent.
class Crc64 {
public:
    void add(std::span<const uint8_t> bytes) noexcept {
        static constexpr auto kTable = crc_table();
        for (const uint8_t b : bytes) {
            value_ = kTable[(value_ ^ b) & 0xff] ^ (value_ >> 8);
        }
    }
    uint64_t value() const noexcept { return ~value_; }

private:
    uint64_t value_ = ~uint64_t{0};
};

template <class T> void put(uint8_t* out, T value) noexcept {
    for (size_t i = 0; i < sizeof(T); ++i) {
        out[i] = static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i));
    }
}
template <class T> T get(const uint8_t* in) noexcept {
    uint64_t v = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
        v |= static_cast<uint64_t>(in[i]) << (8 * i);
    }
    return static_cast<T>(v);
}

/// The 24 bytes in front of a frame's stored bytes.
inline std::array<uint8_t, kFrameHeaderSize> frame_header(uint64_t number, const FrameHeader& h,
                                                          std::span<const uint8_t> stored) noexcept {
    std::array<uint8_t, kFrameHeaderSize> out{};
    put(out.data(), h.kind);
    put(out.data() + 4, h.stored);
    put(out.data() + 8, h.raw);
    put(out.data() + 12, h.records);
    std::array<uint8_t, 8> n{};
    put(n.data(), number);
    Crc64 crc;
    crc.add(n);
    crc.add({out.data(), 16});
    crc.add(stored);
    put(out.data() + 16, crc.value());
    return out;
}

} // namespace synod_binary
