// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A pack: one row of table packs, and the numbers that decide how blocks are grouped. Pure.

#include <cstdint>
#include <vector>

#include "core/store/seal.hpp"
#include "core/store/sqlite.hpp"
#include "core/store/store.hpp"

namespace synod::store {

//! A pack is full at this many blocks or bytes, whichever comes first.
inline constexpr std::size_t kPackBlocks = 1024;
inline constexpr std::size_t kPackBytes = 1U << 20U;
//! The newest pack is rewritten with what follows while it is below both; so a single block at the
//! tip rewrites at most kOpenBytes, and no pack but the newest is smaller unless the next block is
//! large.
inline constexpr std::size_t kOpenBlocks = 128;
inline constexpr std::size_t kOpenBytes = 128U << 10U;
//! Blocks a segment of the hash index, and rows it is spread over by the hash's first 6 bits.
inline constexpr std::uint64_t kSegmentBlocks = 16384;
inline constexpr std::uint64_t kSegmentBuckets = 64;
//! An entry of the index: the first 8 bytes of the hash, then the offset in the segment (u16 LE).
inline constexpr std::size_t kPrefixBytes = 8;
inline constexpr std::size_t kEntryBytes = kPrefixBytes + 2;

//! A pack's row without its blocks.
struct PackIndex {
    std::uint64_t first_height = 0;
    std::uint64_t size = 0;
    Checksum index_sum;
    Checksum bytes_sum;
    std::vector<std::uint32_t> ends;
    Bytes hashes;
    [[nodiscard]] std::uint64_t count() const { return ends.size(); }
    [[nodiscard]] std::uint64_t next() const { return first_height + ends.size(); }
    [[nodiscard]] Hash hash(std::size_t i) const { return Hash::copy(&hashes[i * Hash::size()]); }
};

//! The row under `row`, checked against its checksum. Its columns: first_height, count, size,
//! index_sum, bytes_sum, ends, hashes. Errors: store.corrupt with its heights.
Result<PackIndex> read_index(const Use& row);
//! Blocks as stored are what was stored.
bool sound(const PackIndex& pack, ByteView bytes);
Bytes encode_ends(const std::vector<std::uint32_t>& ends);
//! The rows of one complete segment: bucket b's entries are out[b], sorted. `hashes` holds
//! kSegmentBlocks hashes in order of height.
std::vector<Bytes> segment_entries(ByteView hashes);
inline std::uint64_t bucket_of(const Hash& hash) { return hash.data[0] >> 2U; }
std::unexpected<Error> pack_corrupt(std::uint64_t first, std::uint64_t next, const char* what);

}  // namespace synod::store
