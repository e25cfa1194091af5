// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The file's layout and how it comes to be: creation under another name, migrations, and the
//! refusal of what is not ours. Used by the store while it opens. It never changes a file whose
//! schema is newer than its own.

#include "core/store/disk.hpp"
#include "core/store/sqlite.hpp"
#include "core/store/store.hpp"

namespace synod::store {

//! Bytes a database page; large enough that a pack's chain of pages is short.
inline constexpr int kPageBytes = 16384;
//! The write-ahead log is folded into the database after this many pages (16 MiB): a longer log
//! makes the one commit that folds it slower. Its file shrinks to kWalKeepBytes afterwards.
inline constexpr int kWalPages = 1024;
inline constexpr std::int64_t kWalKeepBytes = 64 << 20;

//! Names of the single values in table meta.
namespace meta {
inline constexpr std::string_view kNetwork = "network_id";
inline constexpr std::string_view kGenesis = "genesis_hash";
inline constexpr std::string_view kHead = "head";
inline constexpr std::string_view kCommitted = "committed";
inline constexpr std::string_view kFinal = "final";
inline constexpr std::string_view kState = "committed_state";
inline constexpr std::string_view kCertificate = "head_certificate";
}  // namespace meta

//! Writes a new store at `path`, complete or not at all (built under another name, then renamed).
Result<void> create_file(Disk& disk, const std::string& dir, const std::string& path,
                         const StoreOptions& options);
//! Sets a connection's pragmas.
Result<void> configure(Database& db, const StoreOptions& options);
//! Refuses a foreign, newer or (read-only) older file and another network's; migrates an older one.
Result<void> admit(Database& db, const std::string& path, const StoreOptions& options);
//! Reads and writes one sealed value of table meta.
Result<std::optional<Bytes>> read_meta(Database& db, std::string_view key);
Result<void> write_meta(Database& db, std::string_view key, ByteView value);

}  // namespace synod::store
