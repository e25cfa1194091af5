// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the merged-mining files share: byte types, an outcome with a typed fault, a bounds-checked
//! little-endian reader, a writer, hex, and the injected hash. Header only, pure, any thread; never
//! allocates by a length it read before it knows that the bytes are there.
#include <synod/abi.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace synod::federation {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;
/// A double SHA-256 digest in internal order (as it came out of the hash; explorers print it
/// reversed).
using Hash32 = std::array<uint8_t, 32>;

/// Double SHA-256 of each of `n` spans, 32 bytes a span to `out`: the shape of the host's hash
/// service.
using Sha256d = void (*)(void* ctx, const synod_bytes* spans, uint64_t n, uint8_t* out);

/// The hash function with its context; copied freely, `ctx` must outlive its use. As thread-safe as
/// the function.
struct Hasher {
    Sha256d function;
    void* ctx;

    Hash32 operator()(ByteView bytes) const {
        const synod_bytes one{bytes.data(), bytes.size()};
        Hash32 out{};
        function(ctx, &one, 1, out.data());
        return out;
    }
    /// Hash of `left` followed by `right`: an inner node of a Bitcoin Merkle tree.
    Hash32 pair(const Hash32& left, const Hash32& right) const {
        std::array<uint8_t, 64> both{};
        std::memcpy(both.data(), left.data(), 32);
        std::memcpy(both.data() + 32, right.data(), 32);
        return (*this)(both);
    }
};

/// Why bytes were refused. `code` is a constant such as "tx.truncated"; `where` a byte offset or a
/// field's name.
struct Fault {
    const char* code;
    std::string message;
    std::string where;
};

/// A value or a fault. Asking for the one that is not there is a programmer's error.
template <class T> class Outcome {
public:
    Outcome(T value) : value_(std::move(value)) {}
    Outcome(Fault fault) : fault_(std::move(fault)) {}
    explicit operator bool() const noexcept { return value_.has_value(); }
    T& operator*() { return assert(value_), *value_; }
    const T& operator*() const { return assert(value_), *value_; }
    T* operator->() { return assert(value_), &*value_; }
    const T* operator->() const { return assert(value_), &*value_; }
    const Fault& fault() const { return assert(!value_), fault_; }

private:
    std::optional<T> value_;
    Fault fault_{"", {}, {}};
};

/// Reads little-endian fields; the first failure sticks and everything read after it is zero or
/// empty.
class Reader {
public:
    explicit Reader(ByteView bytes) : bytes_(bytes) {}

    bool ok() const noexcept { return code_ == nullptr; }
    size_t at() const noexcept { return at_; }
    size_t left() const noexcept { return bytes_.size() - at_; }

    /// `n` bytes, a view into the input; empty after a failure.
    ByteView take(uint64_t n) {
        if (!ok() || n > left()) {
            fail("truncated",
                 "needs " + std::to_string(n) + " bytes, has " + std::to_string(left()));
            return {};
        }
        const ByteView out = bytes_.subspan(at_, static_cast<size_t>(n));
        at_ += static_cast<size_t>(n);
        return out;
    }
    uint8_t u8() { return static_cast<uint8_t>(little(1)); }
    uint16_t u16() { return static_cast<uint16_t>(little(2)); }
    uint32_t u32() { return static_cast<uint32_t>(little(4)); }
    uint64_t u64() { return little(8); }
    Hash32 hash() {
        Hash32 out{};
        if (const ByteView b = take(32); !b.empty()) {
            std::memcpy(out.data(), b.data(), 32);
        }
        return out;
    }
    /// Bitcoin's CompactSize; only the shortest form is accepted.
    uint64_t compact_size() {
        const uint8_t first = u8();
        const uint64_t value = first < 0xfd ? first
                                            : little(first == 0xfd   ? 2
                                                     : first == 0xfe ? 4
                                                                     : 8);
        const uint64_t least = first < 0xfd    ? 0
                               : first == 0xfd ? 0xfd
                               : first == 0xfe ? 0x10000
                                               : 0x100000000;
        if (ok() && value < least) {
            fail("compact_size", "a CompactSize is not in its shortest form");
        }
        return ok() ? value : 0;
    }
    /// A count of things of at least `each` bytes; refused when so many can't follow. After a
    /// failure 0.
    uint64_t count(uint64_t each) {
        const uint64_t n = compact_size();
        if (ok() && n > left() / each) {
            fail("truncated", std::to_string(n) + " entries can't be in the bytes that are left");
        }
        return ok() ? n : 0;
    }
    void fail(const char* code, std::string message) {
        if (ok()) {
            code_ = code;
            message_ = std::move(message);
        }
    }
    const char* code() const noexcept { return code_; }
    Fault fault() const { return {code_, message_, "byte " + std::to_string(at_)}; }

private:
    uint64_t little(size_t n) {
        const ByteView b = take(n);
        uint64_t v = 0;
        for (size_t i = 0; i < b.size(); ++i) {
            v |= static_cast<uint64_t>(b[i]) << (8 * i);
        }
        return v;
    }
    ByteView bytes_;
    size_t at_ = 0;
    const char* code_ = nullptr;
    std::string message_;
};

/// Appends little-endian fields to a byte vector that it owns.
class Writer {
public:
    Writer& little(uint64_t v, size_t n) {
        for (size_t i = 0; i < n; ++i) {
            out_.push_back(static_cast<uint8_t>(v >> (8 * i)));
        }
        return *this;
    }
    Writer& u8(uint8_t v) { return little(v, 1); }
    Writer& u32(uint32_t v) { return little(v, 4); }
    Writer& u64(uint64_t v) { return little(v, 8); }
    Writer& bytes(ByteView b) {
        out_.insert(out_.end(), b.begin(), b.end());
        return *this;
    }
    Writer& compact_size(uint64_t v) {
        if (v < 0xfd) {
            return little(v, 1);
        }
        if (v <= 0xffff) {
            return u8(0xfd).little(v, 2);
        }
        return v <= 0xffffffff ? u8(0xfe).little(v, 4) : u8(0xff).little(v, 8);
    }
    size_t size() const noexcept { return out_.size(); }
    Bytes take() { return std::move(out_); }

private:
    Bytes out_;
};

inline std::string to_hex(ByteView bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (const uint8_t b : bytes) {
        out.push_back(kDigits[b >> 4]);
        out.push_back(kDigits[b & 15]);
    }
    return out;
}

/// Nothing when the text has an odd length or something else than hex digits.
inline std::optional<Bytes> from_hex(std::string_view text) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
    };
    if (text.size() % 2 != 0) {
        return std::nullopt;
    }
    Bytes out;
    out.reserve(text.size() / 2);
    for (size_t i = 0; i < text.size(); i += 2) {
        const int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        out.push_back(static_cast<uint8_t>(high << 4 | low));
    }
    return out;
}

inline Hash32 reversed(const Hash32& hash) {
    Hash32 out{};
    for (size_t i = 0; i < 32; ++i) {
        out[i] = hash[31 - i];
    }
    return out;
}
/// The hash as explorers and RPC write it: reversed, in hex.
inline std::string display_hex(const Hash32& hash) { return to_hex(reversed(hash)); }
/// The inverse of display_hex(); nothing unless exactly 64 hex digits.
inline std::optional<Hash32> from_display_hex(std::string_view text) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != 32) {
        return std::nullopt;
    }
    Hash32 out{};
    std::memcpy(out.data(), bytes->data(), 32);
    return reversed(out);
}

} // namespace synod::federation
