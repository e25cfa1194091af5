// SPDX-License-Identifier: Apache-2.0
#pragma once
//! SHA-512 of many short messages: a kernel's lanes are filled where it has them, libsodium takes the rest.
//! sodium_init() first. One thread at a time.

#include "kernels.hpp"

#include <synod/abi.h>

#include <array>
#include <cstdint>

namespace synod::batch {

class HashQueue {
public:
    //! A message is the three one after another. They and what `out` shows are used until the next flush() returns.
    using Parts = std::array<synod_bytes, 3>;

    explicit HashQueue(const Kernel& kernel) noexcept : kernel_(kernel) {}

    //! SHA-512 of the parts goes to `out` (64 bytes), at the latest with the next flush.
    void push(const Parts& parts, std::uint8_t* out) noexcept;
    void flush() noexcept;

private:
    static constexpr std::uint32_t kQueue = 16;     // messages; a multiple of every kernel's lanes
    static constexpr std::uint32_t kBlock = 128;    // bytes
    static constexpr std::uint32_t kOwnBlocks = 4;  // blocks that are no part of any one span: a seam each, and padding

    const Kernel& kernel_;
    std::uint32_t n_ = 0;
    HashLane lanes_[kQueue];
    std::uint8_t own_[kQueue][kOwnBlocks][kBlock];
};

}  // namespace synod::batch
