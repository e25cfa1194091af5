// SPDX-License-Identifier: Apache-2.0
#include "core/store/seal.hpp"

#include <sodium.h>

namespace synod::store {
namespace {

void add(crypto_generichash_state& state, ByteView part) {
    std::array<std::uint8_t, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
        length[i] = static_cast<std::uint8_t>(part.size() >> (8 * i));
    }
    crypto_generichash_update(&state, length.data(), length.size());
    crypto_generichash_update(&state, part.data(), part.size());
}

}  // namespace

Checksum checksum(std::string_view table, std::initializer_list<ByteView> parts) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, Checksum::size());
    add(state, view_of(table));
    for (const auto part : parts) {
        add(state, part);
    }
    Checksum out;
    crypto_generichash_final(&state, out.data.data(), out.size());
    return out;
}

Checksum checksum(std::string_view table, std::uint64_t key,
                  std::initializer_list<ByteView> parts) {
    std::array<std::uint8_t, 8> number{};
    for (std::size_t i = 0; i < number.size(); ++i) {
        number[i] = static_cast<std::uint8_t>(key >> (8 * i));
    }
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, Checksum::size());
    add(state, view_of(table));
    add(state, number);
    for (const auto part : parts) {
        add(state, part);
    }
    Checksum out;
    crypto_generichash_final(&state, out.data.data(), out.size());
    return out;
}

}  // namespace synod::store
