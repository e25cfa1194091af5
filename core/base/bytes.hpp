// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Byte strings, 32-byte hashes and their text form. Owned bytes are a vector, borrowed ones a span.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace synod {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

//! A fixed-size value such as a hash or a key. `Tag` keeps a key from passing for a hash.
template <std::size_t N, typename Tag>
struct FixedBytes {
    std::array<std::uint8_t, N> data{};

    static constexpr std::size_t size() { return N; }
    auto operator<=>(const FixedBytes&) const = default;
    [[nodiscard]] ByteView view() const { return data; }
    [[nodiscard]] bool is_zero() const { return *this == FixedBytes{}; }
    //! Precondition: `from` has at least N bytes.
    static FixedBytes copy(const std::uint8_t* from) {
        FixedBytes out;
        std::memcpy(out.data.data(), from, N);
        return out;
    }
};

using Hash = FixedBytes<32, struct HashTag>;
using PublicKey = FixedBytes<32, struct PublicKeyTag>;
using Signature = FixedBytes<64, struct SignatureTag>;

//! Bytes that several parties read and nobody changes, for example one received frame: a block is
//! copied at most once on its way from the socket to the store.
struct SharedBytes {
    std::shared_ptr<const Bytes> owner;
    ByteView view;

    SharedBytes() = default;
    explicit SharedBytes(Bytes bytes)
        : owner(std::make_shared<const Bytes>(std::move(bytes))), view(*owner) {}
    SharedBytes(std::shared_ptr<const Bytes> o, ByteView v) : owner(std::move(o)), view(v) {}
    //! A part of the same bytes; keeps the whole alive. Precondition: offset + length <= view.size().
    [[nodiscard]] SharedBytes slice(std::size_t offset, std::size_t length) const {
        return {owner, view.subspan(offset, length)};
    }
};

//! Lower-case hexadecimal, first byte first.
std::string to_hex(ByteView bytes);
//! The bytes of an even-length hexadecimal text; nothing on any other character.
std::optional<Bytes> from_hex(std::string_view text);
template <typename Fixed>
std::optional<Fixed> fixed_from_hex(std::string_view text) {
    auto bytes = from_hex(text);
    if (!bytes || bytes->size() != Fixed::size()) {
        return std::nullopt;
    }
    return Fixed::copy(bytes->data());
}

}  // namespace synod

template <std::size_t N, typename Tag>
struct std::hash<synod::FixedBytes<N, Tag>> {
    std::size_t operator()(const synod::FixedBytes<N, Tag>& value) const noexcept {
        std::size_t out = 0;  // hashes and keys are uniform already
        std::memcpy(&out, value.data.data(), sizeof out);
        return out;
    }
};
