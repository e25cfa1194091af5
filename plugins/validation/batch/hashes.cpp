// SPDX-License-Identifier: Apache-2.0
#include "hashes.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace synod::batch {
namespace {

constexpr std::uint64_t kPadding = 17;  // bytes at least: 0x80 and a length of 128 bits

void by_libsodium(const HashQueue::Parts& parts, std::uint8_t* out) noexcept {
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    for (const synod_bytes& part : parts) {
        if (part.n != 0) {
            crypto_hash_sha512_update(&state, part.p, part.n);
        }
    }
    crypto_hash_sha512_final(&state, out);
}

}  // namespace

void HashQueue::push(const Parts& parts, std::uint8_t* out) noexcept {
    const std::uint64_t limit = std::uint64_t{HashLane::kMaxBlocks} * kBlock - kPadding;
    std::uint64_t total = 0;
    bool fits = kernel_.sha512 != nullptr;
    for (const synod_bytes& part : parts) {
        fits = fits && part.n <= limit - total;
        total += fits ? part.n : 0;
    }
    if (!fits) {
        by_libsodium(parts, out);
        return;
    }
    HashLane& lane = lanes_[n_];
    lane.count = static_cast<std::uint32_t>((total + kPadding + kBlock - 1) / kBlock);
    lane.out = out;
    std::uint32_t own = 0;
    std::size_t part = 0;
    std::uint64_t used = 0;  // of that part
    for (std::uint32_t k = 0; k < lane.count; ++k) {
        while (part < parts.size() && used == parts[part].n) {
            ++part;
            used = 0;
        }
        if (part < parts.size() && parts[part].n - used >= kBlock) {
            lane.blocks[k] = parts[part].p + used;
            used += kBlock;
            continue;
        }
        std::uint8_t* block = own_[n_][own++];
        lane.blocks[k] = block;
        std::uint64_t filled = 0;
        for (; part < parts.size() && filled < kBlock; used = 0, ++part) {
            const std::uint64_t more = std::min(parts[part].n - used, kBlock - filled);
            if (more != 0) {
                std::memcpy(block + filled, parts[part].p + used, more);
            }
            filled += more;
            used += more;
            if (used < parts[part].n) {
                break;
            }
        }
        std::memset(block + filled, 0, kBlock - filled);
        const std::uint64_t at = std::uint64_t{k} * kBlock;
        if (at <= total && total < at + kBlock) {
            block[total - at] = 0x80;
        }
        if (k + 1 == lane.count) {
            const std::uint64_t bits = __builtin_bswap64(total * 8);
            std::memcpy(block + kBlock - 8, &bits, 8);
        }
    }
    if (++n_ == kQueue) {
        flush();
    }
}

void HashQueue::flush() noexcept {
    if (n_ != 0) {
        kernel_.sha512(lanes_, n_);
        n_ = 0;
    }
}

}  // namespace synod::batch
