// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The inside of a SimDisk, shared by its functions and those of its VFS.

#include <sqlite3.h>

#include <array>
#include <map>
#include <mutex>

#include "core/sim/disk/sim_disk.hpp"
#include "core/sim/disk/sim_file.hpp"

namespace synod::sim {

//! A file with what its connections share: SQLite's five lock levels, and the shared memory of its
//! write-ahead log with that memory's locks.
struct SharedFile {
    SimFile content;
    int shared = 0;                  //!< connections at SHARED or above
    const void* reserved = nullptr;  //!< who holds RESERVED or above
    const void* pending = nullptr;   //!< who holds PENDING or EXCLUSIVE
    //! SQLite keeps addresses in it, so whoever has it mapped keeps it alive, past a stop too.
    using Regions = std::vector<std::unique_ptr<Bytes>>;
    std::weak_ptr<Regions> regions;
    std::array<int, SQLITE_SHM_NLOCK> shm_shared{};
    std::array<const void*, SQLITE_SHM_NLOCK> shm_exclusive{};
};

//! One open file.
struct OpenFile {
    SimDisk::Impl* disk = nullptr;
    std::shared_ptr<SharedFile> file;
    std::string path;
    std::uint64_t life = 0;  //!< of the disk, when it was opened; it works in no later one
    int level = SQLITE_LOCK_NONE;
    std::shared_ptr<SharedFile::Regions> regions;
    unsigned shm_shared = 0;     //!< a bit a lock
    unsigned shm_exclusive = 0;  //!< a bit a lock
    bool syncs_name = false;     //!< the first sync makes its name safe too
    bool remove_on_close = false;
};

//! What SQLite knows a disk by.
struct VfsSlot {
    sqlite3_vfs base{};
    SimDisk::Impl* disk = nullptr;
};

struct SimDisk::Impl {
    explicit Impl(std::uint64_t seed) : random(seed), sqlite_random(~seed) {}

    //! What may go on: false while stopped. The caller holds the mutex, here and below.
    [[nodiscard]] bool runs(const OpenFile& open) const { return !off && open.life == life; }
    //! Ends an operation that changed something; false when the stop came within it.
    bool changed();
    void stop_now(Stop how);
    [[nodiscard]] std::uint64_t used() const;
    [[nodiscard]] bool has_space(const SimFile& file, std::uint64_t size) const;
    std::shared_ptr<SharedFile> find(const std::string& path) const;
    std::shared_ptr<SharedFile> create(const std::string& path);
    void move(const std::string& from, const std::string& to);
    void erase(const std::string& path);
    void sync_names();

    struct NameChange {
        std::string from;  //!< empty: `file` appears as `to`
        std::string to;    //!< empty: `from` goes
        std::shared_ptr<SharedFile> file;
    };
    using Names = std::map<std::string, std::shared_ptr<SharedFile>>;
    static void apply(Names& names, const NameChange& change);

    mutable std::mutex mutex;
    Random random;
    Random sqlite_random;  //!< apart, so that SQLite's wishes don't move the faults
    DiskFaults faults;
    std::uint64_t capacity = 0;
    std::uint64_t life = 1;
    bool off = false;
    std::uint64_t operations = 0;
    std::uint64_t stop_at = 0;  //!< of `operations`; 0: none
    Stop stop_how = Stop::kill;
    Names names;
    //! A journal keeps changes of names in order: a power cut leaves safe_names and some first ones
    //! of the changes.
    Names safe_names;
    std::vector<NameChange> name_changes;
    std::map<std::string, int> locks;  //!< holders; -1 is one writer
    std::string vfs_name;
    VfsSlot vfs;
};

//! Registers `disk`'s VFS, whose pAppData is `as`.
void register_vfs(SimDisk::Impl& disk, store::Disk* as);

}  // namespace synod::sim
