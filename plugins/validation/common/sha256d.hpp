// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Double SHA-256 of arbitrary mixtures of messages: picks the kernels for this processor and keeps their lanes full.
//! Stateless apart from the choice, which is a value; every function may run on any thread and allocates nothing
//! beyond its own stack.

#include "kernels.hpp"

#include <synod/abi.h>

#include <cstdint>
#include <string_view>

namespace synod::simd {

//! The kernel that fills lanes, and the one that takes what is left over.
struct Hasher {
    const Kernel* wide;
    const Kernel* single;
    std::uint32_t min_fill;  // fewer messages than this go to `single`
};

//! The hasher of a named instruction set, or the best one for "auto". A forced one never uses instructions beyond
//! its name for the left-over messages either. Both pointers are null when the name is unknown or not usable.
[[nodiscard]] Hasher choose_hasher(std::string_view isa) noexcept;

//! SHA-256(SHA-256(span)) of each span, 32 bytes each into `out`, in order.
void sha256d(const Hasher& hasher, const synod_bytes* spans, std::uint64_t n,
             std::uint8_t* out) noexcept;

//! The same for `n` messages of exactly 64 bytes at arbitrary places. An output may overwrite inputs of the messages
//! at or before its own index, never of a later one.
void sha256d_nodes(const Hasher& hasher, const std::uint8_t* const* in, std::uint8_t* const* out,
                   std::uint64_t n) noexcept;

}  // namespace synod::simd
