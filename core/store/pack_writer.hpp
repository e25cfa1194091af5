// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Appends runs of blocks as packs and keeps the hash index, inside a transaction that the store
//! has begun. Owned by the store, used by its writer only. It never commits.

#include "core/store/pack.hpp"

namespace synod::store {

class PackWriter {
  public:
    static Result<PackWriter> open(Database& db);
    //! The height that the next run must start with. Errors: store.corrupt.
    Result<std::uint64_t> next_height();
    //! Errors: store.bad_run, store.not_contiguous, store.too_large, and the database's.
    Result<void> append(const BlockRun& run);
    //! Forgets every packed block from `height` on.
    Result<void> truncate(std::uint64_t height);
    //! Builds the index of every segment that became complete after `before` blocks.
    Result<void> index_segments(std::uint64_t before);

  private:
    PackWriter() = default;
    Result<std::optional<PackIndex>> newest();
    Result<Bytes> blocks_of(const PackIndex& pack);
    Result<void> write(std::uint64_t first, const std::vector<std::uint32_t>& ends,
                       ByteView hashes, ByteView bytes);
    Result<std::size_t> extend_open_pack(const BlockRun& run, ByteView hashes);

    Statement newest_;
    Statement bytes_;
    Statement write_;
    Statement hashes_;
    Statement drop_packs_;
    Statement drop_segments_;
    Statement put_segment_;
};

}  // namespace synod::store
