// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The small rows: fork blocks, records and pointers, each with its checksum. Pure.

#include "core/store/sqlite.hpp"
#include "core/store/store.hpp"

namespace synod::store {

//! Columns as read_fork expects them.
inline constexpr const char* kSelectForks =
    "SELECT hash, height, parent, sum, bytes FROM fork_blocks ORDER BY height, hash";

//! Errors: store.corrupt.
Result<ForkBlock> read_fork(const Use& row);
Result<void> write_fork(Statement& insert, const ForkBlock& block);
//! Columns: space, key, sum, value. Errors: store.corrupt.
Result<Record> read_record(const Use& row);
Result<void> write_record(Statement& upsert, const Record& record);
//! u64 LE height, then the hash. Errors: store.corrupt.
Bytes encode_pointer(const ChainPointer& pointer);
Result<std::optional<ChainPointer>> decode_pointer(const std::optional<Bytes>& value);

}  // namespace synod::store
