// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Double SHA-256 (FIPS 180-4, applied twice) of many messages at once: one table of functions for each instruction
//! set. The functions keep no state, allocate nothing, never throw and may run on any thread. A table may only be
//! called on a processor that `isa_usable` says has its instructions.

#include <cstdint>

namespace synod::simd {

//! One message in one lane. The first `full` blocks of 64 bytes are read from `data`, the remaining
//! `blocks - full` (one or two, already padded) from `tail`. 32 bytes go to `out`.
struct Lane {
    const std::uint8_t* data;
    const std::uint8_t* tail;
    std::uint64_t full;
    std::uint64_t blocks;
    std::uint8_t* out;
};

//! What one instruction set offers. The functions take exactly `lanes` entries per group; every
//! entry's `out` must be writable, and a group's inputs are read in full before its outputs are written.
struct Kernel {
    const char* name;
    std::uint32_t lanes;
    //! Fewer messages than this are cheaper one at a time.
    std::uint32_t min_fill;
    //! Messages of 64 bytes: the inner nodes of Merkle trees.
    void (*nodes)(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t groups);
    //! Messages of 80 bytes: Bitcoin's headers.
    void (*headers)(const std::uint8_t* const* in, std::uint8_t* const* out, std::uint64_t groups);
    //! Messages of any length; lanes may differ in `blocks`, the shorter ones idle.
    void (*spans)(const Lane* lanes, std::uint64_t groups);
};

extern const Kernel kKernelPortable;
#if defined(__x86_64__)
extern const Kernel kKernelSse2;
extern const Kernel kKernelAvx2;
extern const Kernel kKernelAvx512;
extern const Kernel kKernelShaNi;
#endif

}  // namespace synod::simd
