// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Serves packed blocks by height and by hash, with a small cache of whole packs that its results
//! share. Owned by the store behind its read mutex; one connection. It never writes.

#include <list>
#include <unordered_set>

#include "core/store/pack.hpp"

namespace synod::store {

//! Packs kept in memory, by number and by bytes: neighbouring requests hit the same pack.
inline constexpr std::size_t kCachedPacks = 8;
inline constexpr std::size_t kCachedBytes = 16U << 20U;
//! Packs remembered as verified; forgotten all at once beyond.
inline constexpr std::size_t kRememberedPacks = 65536;

class PackReader {
  public:
    static Result<PackReader> open(Database& db, Verify verify);
    //! Errors as Store's functions of the same name. Precondition: inside a read transaction.
    Result<BlockRange> read_range(std::uint64_t from, std::uint32_t max_count,
                                  std::uint64_t soft_bytes, std::uint64_t hard_bytes);
    Result<std::vector<Hash>> hashes(std::uint64_t from, std::uint32_t max_count);
    Result<std::optional<std::uint64_t>> find_hash(const Hash& hash);
    //! The newest pack's index; nothing in an empty store.
    Result<std::optional<PackIndex>> newest();

  private:
    struct Cached {
        std::uint64_t first_height = 0;
        Checksum index_sum;
        std::vector<std::uint32_t> ends;
        std::shared_ptr<const Bytes> bytes;
    };
    PackReader() = default;
    //! The pack that holds `height`; null beyond the newest block.
    Result<const Cached*> pack_at(std::uint64_t height);
    Result<std::optional<PackIndex>> index_at(std::uint64_t height);
    Result<const Cached*> load(std::uint64_t first_height);
    Result<std::optional<std::uint64_t>> find_in_segment(std::uint64_t segment, const Hash& hash);
    Result<std::optional<std::uint64_t>> find_unindexed(std::uint64_t from, const Hash& hash);

    Verify verify_ = Verify::first_read;
    Statement newest_;
    Statement probe_;
    Statement index_;
    Statement whole_;
    Statement tail_;
    Statement bucket_;
    std::list<Cached> cache_;
    std::unordered_set<std::uint64_t> verified_;
};

}  // namespace synod::store
