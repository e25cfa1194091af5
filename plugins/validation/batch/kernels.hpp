// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The loops in which a batch spends its time, decoding points, adding them into buckets and hashing: one table of
//! functions for each instruction set. The functions keep no state, allocate nothing, never throw and may run on any
//! thread; a table may only be called on a processor that has its instructions. All data is public, so time may depend
//! on it.

#include "curve.hpp"

#include <cstdint>
#include <string_view>

namespace synod::batch {

//! Which points go into one bucket: `entries[first]` to `entries[first + count - 1]`, count >= 1.
struct List {
    std::uint32_t first;
    std::uint32_t count;
    std::uint32_t bucket;
};

//! A message cut into padded blocks of 128 bytes, wherever they lie. The digest's 64 bytes go to `out`.
struct HashLane {
    static constexpr std::uint32_t kMaxBlocks = 16;
    const std::uint8_t* blocks[kMaxBlocks];
    std::uint32_t count;  // at least 1
    std::uint8_t* out;
};

struct Kernel {
    const char* name;
    std::uint32_t lanes;
    //! Fewer terms than this are summed faster by Straus' method. Measured.
    std::uint32_t straus_below;
    //! Decodes `n` encodings of 32 bytes by RFC 8032 section 5.1.3, without its tests that y < p and that x = 0 has no
    //! sign: the caller makes those. `is_point[i]` gets 1 or 0; `out[i]` means nothing when it is 0.
    void (*decode)(const std::uint8_t* const* encodings, std::uint64_t n, Niels* out, std::uint8_t* is_point);
    //! buckets[list.bucket] = the sum of the list's points, for `n` lists that are sorted, longest first. An entry is
    //! twice the index of a point, plus one when the point is to be subtracted.
    void (*accumulate)(const Niels* points, const std::uint32_t* entries, const List* lists, std::uint64_t n,
                       Point* buckets);
    //! out[w] = the sum of (b + 1) * buckets[w * each + b] for b from 0 to each - 1, for `windows` values of w.
    void (*reduce)(const Point* buckets, std::uint64_t windows, std::uint64_t each, Point* out);
    //! SHA-512 of n messages; null where libsodium's is as good.
    void (*sha512)(const HashLane* lanes, std::uint64_t n);
};

extern const Kernel kKernelPortable;
#if defined(__x86_64__)
extern const Kernel kKernelAvx512Ifma;
void sha512_avx512(const HashLane* lanes, std::uint64_t n);
#endif

//! The kernel of a named instruction set, or the best one for "auto"; null when the name is unknown or this processor
//! can't run it. `isa`: "portable", "avx2", "avx512ifma", "auto".
[[nodiscard]] const Kernel* choose_kernel(std::string_view isa) noexcept;

}  // namespace synod::batch
