// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Checksums over what a row holds (BLAKE2b by libsodium), so that a flipped bit is found before
//! the row is believed. Not a secret and not a signature: it finds damage, not forgery. Pure.

#include <initializer_list>

#include "core/base/bytes.hpp"

namespace synod::store {

using Checksum = FixedBytes<16, struct ChecksumTag>;

//! The checksum of a table's name and the parts of a row, each with its length, in order.
Checksum checksum(std::string_view table, std::initializer_list<ByteView> parts);
//! The same for a row whose key is a number.
Checksum checksum(std::string_view table, std::uint64_t key, std::initializer_list<ByteView> parts);
inline ByteView view_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline bool same(ByteView stored, const Checksum& sum) {
    return stored.size() == Checksum::size() &&
           std::memcmp(stored.data(), sum.data.data(), Checksum::size()) == 0;
}

}  // namespace synod::store
