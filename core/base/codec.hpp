// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The canonical codec of the wire and of stored records: fixed-width little-endian integers and
//! byte strings with a u32 length. One value has one encoding. A Reader never reads past its end:
//! after the first short read `ok()` is false and every later read answers zero or empty.

#include <concepts>

#include "core/base/bytes.hpp"

namespace synod {

class Writer {
  public:
    template <std::unsigned_integral T>
    Writer& put(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        }
        return *this;
    }
    Writer& raw(ByteView bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    //! u32 length, then the bytes.
    Writer& blob(ByteView bytes) {
        return put(static_cast<std::uint32_t>(bytes.size())).raw(bytes);
    }
    Writer& text(std::string_view t) {
        return blob({reinterpret_cast<const std::uint8_t*>(t.data()), t.size()});
    }
    template <std::size_t N, typename Tag>
    Writer& fixed(const FixedBytes<N, Tag>& value) {
        return raw(value.view());
    }
    [[nodiscard]] Bytes take() { return std::move(bytes_); }
    [[nodiscard]] ByteView view() const { return bytes_; }
    void reserve(std::size_t n) { bytes_.reserve(n); }

  private:
    Bytes bytes_;
};

class Reader {
  public:
    explicit Reader(ByteView bytes) : bytes_(bytes) {}

    template <std::unsigned_integral T>
    T get() {
        const auto from = raw(sizeof(T));
        T value = 0;
        for (std::size_t i = 0; i < from.size(); ++i) {
            value = static_cast<T>(value | static_cast<T>(static_cast<T>(from[i]) << (8 * i)));
        }
        return value;
    }
    //! Exactly `n` bytes, or none when fewer are left.
    ByteView raw(std::size_t n) {
        if (!ok_ || bytes_.size() - at_ < n) {
            ok_ = false;
            return {};
        }
        const auto out = bytes_.subspan(at_, n);
        at_ += n;
        return out;
    }
    //! A u32 length of at most `max` and that many bytes.
    ByteView blob(std::size_t max) {
        const auto n = get<std::uint32_t>();
        if (n > max) {
            ok_ = false;
            return {};
        }
        return raw(n);
    }
    std::string text(std::size_t max) {
        const auto bytes = blob(max);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    template <typename Fixed>
    Fixed fixed() {
        const auto bytes = raw(Fixed::size());
        return bytes.empty() ? Fixed{} : Fixed::copy(bytes.data());
    }
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
    //! Everything was read and nothing was short: the end of every decoder.
    [[nodiscard]] bool done() const { return ok_ && left() == 0; }

  private:
    ByteView bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace synod
