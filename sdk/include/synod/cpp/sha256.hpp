// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Portable SHA-256 (FIPS 180-4), small and slow: for tests and for a plugin whose host grants no hash service. Pure
//! functions, any thread, no state outside the object.
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace synod {

using Digest32 = std::array<uint8_t, 32>;

class Sha256 {
public:
    void update(std::span<const uint8_t> bytes) noexcept {
        total_ += bytes.size();
        for (const uint8_t b : bytes) {
            block_[used_++] = b;
            if (used_ == block_.size()) {
                compress();
                used_ = 0;
            }
        }
    }
    /// Ends the message; the object is spent afterwards.
    Digest32 finish() noexcept {
        const uint64_t bits = total_ * 8;
        const uint8_t one = 0x80, zero = 0;
        update({&one, 1});
        while (used_ != 56) {
            update({&zero, 1});
        }
        for (int i = 7; i >= 0; --i) {
            const auto b = static_cast<uint8_t>(bits >> (8 * i));
            update({&b, 1});
        }
        Digest32 out{};
        for (size_t i = 0; i < 32; ++i) {
            out[i] = static_cast<uint8_t>(h_[i / 4] >> (24 - 8 * (i % 4)));
        }
        return out;
    }

private:
    static constexpr std::array<uint32_t, 64> kRound = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

    void compress() noexcept {
        std::array<uint32_t, 64> w{};
        for (size_t i = 0; i < 16; ++i) {
            w[i] = static_cast<uint32_t>(block_[4 * i]) << 24 | static_cast<uint32_t>(block_[4 * i + 1]) << 16 |
                   static_cast<uint32_t>(block_[4 * i + 2]) << 8 | block_[4 * i + 3];
        }
        for (size_t i = 16; i < 64; ++i) {
            const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
            const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        auto v = h_;
        for (size_t i = 0; i < 64; ++i) {
            const uint32_t s1 = std::rotr(v[4], 6) ^ std::rotr(v[4], 11) ^ std::rotr(v[4], 25);
            const uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + kRound[i] + w[i];
            const uint32_t s0 = std::rotr(v[0], 2) ^ std::rotr(v[0], 13) ^ std::rotr(v[0], 22);
            const uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            v = {t1 + t2, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]};
        }
        for (size_t i = 0; i < 8; ++i) {
            h_[i] += v[i];
        }
    }

    std::array<uint32_t, 8> h_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<uint8_t, 64> block_{};
    size_t used_ = 0;
    uint64_t total_ = 0;
};

inline Digest32 sha256(std::span<const uint8_t> bytes) noexcept {
    Sha256 h;
    h.update(bytes);
    return h.finish();
}
inline Digest32 sha256d(std::span<const uint8_t> bytes) noexcept { return sha256(sha256(bytes)); }

} // namespace synod
