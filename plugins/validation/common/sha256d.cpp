// SPDX-License-Identifier: Apache-2.0
#include "sha256d.hpp"

#include "isa.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace synod::simd {
namespace {

constexpr std::uint32_t kMaxLanes = 16;
//! Spans that are sorted by length together; bounds the stack (about 45 KiB) and what a task holds.
constexpr std::uint64_t kWindow = 256;
//! Padding needs at most two blocks of 64 bytes.
constexpr std::uint64_t kTailBytes = 128;
//! From this many left-over messages on, the SHA extensions lose against half-empty registers of AVX-512.
constexpr std::uint32_t kMinFillWithShaNi = 5;

struct Window {
    Lane lanes[kWindow + kMaxLanes];
    std::uint8_t tails[kWindow][kTailBytes];
    std::uint8_t spare[32];  // where lanes without a message write
};

void prepare(const synod_bytes& span, std::uint8_t* tail, std::uint8_t* out, Lane& lane) noexcept {
    const std::uint64_t full = span.n / 64;
    const std::uint64_t rest = span.n % 64;
    const std::uint64_t tail_blocks = rest + 9 <= 64 ? 1 : 2;
    std::memset(tail, 0, 64 * tail_blocks);
    if (rest != 0) {
        std::memcpy(tail, span.p + 64 * full, rest);
    }
    tail[rest] = 0x80;
    const std::uint64_t bits = __builtin_bswap64(span.n * 8);
    std::memcpy(tail + 64 * tail_blocks - 8, &bits, 8);
    lane = Lane{span.p, tail, full, full + tail_blocks, out};
}

void run_window(const Hasher& hasher, Window& window, std::uint64_t n) noexcept {
    const std::uint64_t lanes = hasher.wide->lanes;
    // A register runs for as long as its longest message: neighbours should be equally long.
    const auto longer = [](const Lane& a, const Lane& b) { return a.blocks > b.blocks; };
    if (lanes > 1 && !std::is_sorted(window.lanes, window.lanes + n, longer)) {
        std::sort(window.lanes, window.lanes + n, longer);
    }
    const std::uint64_t groups = n / lanes;
    hasher.wide->spans(window.lanes, groups);
    const std::uint64_t left = n - groups * lanes;
    Lane* rest = window.lanes + groups * lanes;
    if (left == 0) {
        return;
    }
    if (left < hasher.min_fill) {
        hasher.single->spans(rest, left);
        return;
    }
    for (std::uint64_t i = left; i < lanes; ++i) {
        rest[i] = rest[left - 1];
        rest[i].out = window.spare;
    }
    hasher.wide->spans(rest, 1);
}

//! A kernel's function for messages of one length.
using FixedLength = void (*Kernel::*)(const std::uint8_t* const* in, std::uint8_t* const* out,
                                      std::uint64_t groups);

void fixed_length(const Hasher& hasher, FixedLength of, const std::uint8_t* const* in, std::uint8_t* const* out,
                  std::uint64_t n) noexcept {
    const std::uint64_t lanes = hasher.wide->lanes;
    const std::uint64_t groups = n / lanes;
    (hasher.wide->*of)(in, out, groups);
    const std::uint64_t left = n - groups * lanes;
    in += groups * lanes;
    out += groups * lanes;
    if (left == 0) {
        return;
    }
    if (left < hasher.min_fill) {
        (hasher.single->*of)(in, out, left);
        return;
    }
    std::uint8_t spare[32];
    const std::uint8_t* padded_in[kMaxLanes];
    std::uint8_t* padded_out[kMaxLanes];
    for (std::uint64_t i = 0; i < lanes; ++i) {
        padded_in[i] = i < left ? in[i] : in[0];
        padded_out[i] = i < left ? out[i] : spare;
    }
    (hasher.wide->*of)(padded_in, padded_out, 1);
}

//! What is made for messages as long as all of these; null when there is nothing.
FixedLength made_for(const synod_bytes* spans, std::uint64_t n) noexcept {
    const std::uint64_t length = spans[0].n;
    if ((length != 64 && length != 80) ||
        !std::all_of(spans, spans + n, [length](const synod_bytes& span) { return span.n == length; })) {
        return nullptr;
    }
    return length == 64 ? &Kernel::nodes : &Kernel::headers;
}

const Kernel* kernel_of(std::string_view isa) noexcept {
    if (isa == "portable") {
        return &kKernelPortable;
    }
#if defined(__x86_64__)
    if (isa == "sse2") {
        return &kKernelSse2;
    }
    if (isa == "avx2") {
        return &kKernelAvx2;
    }
    if (isa == "avx512") {
        return &kKernelAvx512;
    }
    if (isa == "sha-ni") {
        return &kKernelShaNi;
    }
#endif
    return nullptr;
}

}  // namespace

Hasher choose_hasher(std::string_view isa) noexcept {
    if (isa != "auto") {
        const Kernel* wide = isa_usable(isa) ? kernel_of(isa) : nullptr;
        if (wide == nullptr) {
            return {nullptr, nullptr, 0};
        }
        return {wide, wide->lanes == 1 ? wide : &kKernelPortable, wide->min_fill};
    }
    if (isa_usable("avx512")) {
        Hasher hasher = choose_hasher("avx512");
        if (isa_usable("sha-ni")) {
            hasher.single = kernel_of("sha-ni");
            hasher.min_fill = kMinFillWithShaNi;
        }
        return hasher;
    }
    // Measured on Zen 3: two messages in step by the SHA extensions beat eight lanes of AVX2.
    for (const std::string_view other : {"sha-ni", "avx2", "sse2"}) {
        if (isa_usable(other)) {
            return choose_hasher(other);
        }
    }
    return choose_hasher("portable");
}

void sha256d(const Hasher& hasher, const synod_bytes* spans, std::uint64_t n,
             std::uint8_t* out) noexcept {
    assert(hasher.wide != nullptr && hasher.wide->lanes <= kMaxLanes);
    Window window;
    while (n > 0) {
        const std::uint64_t now = std::min(n, kWindow);
        if (const auto of = made_for(spans, now)) {
            const std::uint8_t* in[kWindow];
            std::uint8_t* to[kWindow];
            for (std::uint64_t i = 0; i < now; ++i) {
                in[i] = spans[i].p;
                to[i] = out + 32 * i;
            }
            fixed_length(hasher, of, in, to, now);
        } else {
            for (std::uint64_t i = 0; i < now; ++i) {
                prepare(spans[i], window.tails[i], out + 32 * i, window.lanes[i]);
            }
            run_window(hasher, window, now);
        }
        spans += now;
        out += 32 * now;
        n -= now;
    }
}

void sha256d_nodes(const Hasher& hasher, const std::uint8_t* const* in, std::uint8_t* const* out,
                   std::uint64_t n) noexcept {
    fixed_length(hasher, &Kernel::nodes, in, out, n);
}

}  // namespace synod::simd
