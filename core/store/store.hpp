// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The node's store: one SQLite file a node that holds the chain in packs (runs of consecutive
//! blocks as they came off the wire), the fork tree's blocks, the chain's pointers and small
//! records. Owned by `app`. One writer thread calls `commit`; every other function may be called
//! from any thread and reading never waits for the writer. It never looks inside a block: whoever
//! commits says what a block's hash is. Layout, durability and limits: core/store/README.md.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace synod::store {

//! The newest schema this code reads and writes; a newer file is refused.
inline constexpr std::uint32_t kSchemaVersion = 1;
//! The largest encoded block, bytes.
inline constexpr std::size_t kMaxBlockBytes = 32U << 20U;
//! The largest value of a record, state or certificate, bytes.
inline constexpr std::size_t kMaxValueBytes = 64U << 20U;
//! Heights from here on are refused (SQLite's integers are signed).
inline constexpr std::uint64_t kMaxHeight = std::uint64_t{1} << 62U;

//! Consecutive blocks as encoded on the wire: block i is bytes [ends[i-1], ends[i]) and hashes to
//! hashes[i]. `ends` rises strictly and its last is bytes.view.size().
struct BlockRun {
    std::uint64_t first_height = 0;
    SharedBytes bytes;
    std::vector<std::uint32_t> ends;
    std::vector<Hash> hashes;
};

//! A block outside the packs: not final, or on another branch.
struct ForkBlock {
    Hash hash;
    Hash parent;
    std::uint64_t height = 0;
    SharedBytes bytes;
};

struct ChainPointer {
    std::uint64_t height = 0;
    Hash hash;
    auto operator<=>(const ChainPointer&) const = default;
};

//! A small value by name, for example a peer, a ban or a piece of evidence.
struct Record {
    std::string space;
    Bytes key;
    Bytes value;
};

//! What one transaction changes; what is not set stays as it is.
struct Commit {
    //! First of all, forget packed blocks from this height on (a rewind); at least 1.
    std::optional<std::uint64_t> truncate_from;
    //! Each continues the one before, the first what is stored; an empty store begins at height 0.
    std::vector<BlockRun> runs;
    //! Dropped first, then added. Adding a known block or dropping an unknown one is success.
    std::vector<Hash> drop_forks;
    bool drop_all_forks = false;  //!< damaged ones too
    std::vector<ForkBlock> add_forks;
    std::optional<ChainPointer> head;
    std::optional<ChainPointer> committed;
    std::optional<ChainPointer> final_;
    std::optional<Bytes> committed_state;
    std::optional<Bytes> head_certificate;
    std::vector<Record> put_records;
};

//! When SQLite waits for the disk. `normal`: a process kill loses nothing, a power cut may lose the
//! newest commits but never consistency. `full`: a power cut loses nothing either.
enum class Synchronous { normal, full };
//! When a pack's blocks are checked against its checksum before they are handed out.
enum class Verify { first_read, every_read, never };

struct StoreOptions {
    std::string network_id;
    Hash genesis_hash;
    Synchronous synchronous = Synchronous::normal;
    bool create_if_missing = true;
    bool read_only = false;
    Verify verify = Verify::first_read;
    //! Largest size of the database file, bytes; 0 is no limit. Over it: store.disk_full.
    std::uint64_t max_bytes = 0;
    //! The SQLite VFS that holds the files, and what disk_of (disk.hpp) finds by it; empty: the
    //! machine's. It must stay registered while the store is open.
    std::string vfs;
};

struct StoredState {
    std::optional<ChainPointer> head;
    std::optional<ChainPointer> committed;
    std::optional<ChainPointer> final_;
    std::optional<Bytes> committed_state;
    std::optional<Bytes> head_certificate;
    //! Blocks in packs are heights [0, packed_count); zero for an empty store.
    std::uint64_t packed_count = 0;
    //! The newest packed block.
    std::optional<ChainPointer> last_packed;
};

//! A part of a range, out of one pack; `ends` are offsets into this part's bytes.
struct RangePart {
    std::uint64_t first_height = 0;
    SharedBytes bytes;
    std::vector<std::uint32_t> ends;
};

//! Consecutive blocks, ready to be sent as they are.
struct BlockRange {
    std::uint64_t first_height = 0;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
    std::vector<RangePart> parts;
};

struct IntegrityReport {
    //! What is damaged, with heights; empty means sound. At most kMaxIntegrityFaults.
    std::vector<std::string> faults;
    std::uint64_t packs = 0;
    std::uint64_t blocks = 0;
    std::uint64_t fork_blocks = 0;
    std::uint64_t records = 0;
    [[nodiscard]] bool sound() const { return faults.empty(); }
};
inline constexpr std::size_t kMaxIntegrityFaults = 100;

//! Errors of every function besides its own: store.corrupt (damaged file; the message names what),
//! store.disk_full, store.io, store.locked, store.no_memory.
class Store {
  public:
    //! Opens or creates `<dir>/synod.db`; the folder must exist or be creatable. Holds
    //! `<dir>/synod.lock` until destroyed: one writer, or several read-only ones.
    //! Errors: store.missing, store.locked, store.schema_newer, store.schema_older (read-only),
    //! store.wrong_network.
    static Result<std::unique_ptr<Store>> open(const std::string& dir, const StoreOptions& options);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    //! Writes everything in one transaction or nothing. [writer thread]
    //! Errors: store.not_contiguous, store.bad_run, store.too_large, store.read_only.
    Result<void> commit(const Commit& change);
    //! The same for several, each standing on the one before: one transaction, so one wait for the disk.
    Result<void> commit(std::span<const Commit> changes);

    //! The pointers and the extent of the packs, as of one moment. [any thread]
    Result<StoredState> load();
    //! Every fork block, by height. [any thread]
    Result<std::vector<ForkBlock>> fork_blocks();
    //! One fork block; nothing when it is not there. [any thread]
    Result<std::optional<ForkBlock>> fork_block(const Hash& hash);
    //! At most `max_count` blocks from height `from`; stops before `soft_bytes` is exceeded, but
    //! after at least one block. Empty beyond the newest packed block. The bytes are shared with
    //! the store's cache and cost no copy. [any thread]
    //! Errors: store.too_large when the first block alone exceeds `hard_bytes`.
    Result<BlockRange> read_range(std::uint64_t from, std::uint32_t max_count,
                                  std::uint64_t soft_bytes, std::uint64_t hard_bytes);
    //! One packed block. Errors: store.missing. [any thread]
    Result<SharedBytes> read_block(std::uint64_t height);
    //! Hashes of at most `max_count` packed blocks from `from`. [any thread]
    Result<std::vector<Hash>> hashes(std::uint64_t from, std::uint32_t max_count);
    //! The height of a packed block; nothing when it is not packed (it may be a fork block). Costs
    //! one look-up per 16,384 blocks, newest first. [any thread]
    Result<std::optional<std::uint64_t>> find_hash(const Hash& hash);

    //! Small values by name; a missing one is nothing. put and remove are one transaction each.
    //! [any thread] Errors: store.read_only, store.too_large.
    Result<std::optional<Bytes>> get_record(const std::string& space, const Bytes& key);
    Result<void> put_record(const Record& record);
    Result<void> remove_record(const std::string& space, const Bytes& key);
    //! In key order, from the first key that isn't below `from`, at most `max_count`. Reads no others.
    Result<std::vector<Record>> list_records(const std::string& space, std::size_t max_count, const Bytes& from = {});

    //! Reads everything: SQLite's own check, contiguity, offsets, checksums, the hash index, the
    //! pointers. Damage is reported, not an error. Own connection; may take long. [any thread]
    Result<IntegrityReport> check();

  private:
    struct Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace synod::store
