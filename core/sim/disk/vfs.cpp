// SPDX-License-Identifier: Apache-2.0
//! The functions that SQLite calls. Each takes the disk's mutex, so connections may be on different
//! threads. What they must answer: sqlite.org/c3ref/vfs.html and io_methods.html.
#include <algorithm>
#include <cstring>

#include "core/sim/disk/sim_disk_impl.hpp"

namespace synod::sim {
namespace {

//! What SQLite allocates for an open file.
struct Slot {
    sqlite3_file base;
    OpenFile* open;
};

OpenFile& open_of(sqlite3_file* file) {
    return *reinterpret_cast<Slot*>(file)->open;
}

constexpr int kLongestPath = 512;
//! As the machine's own VFS says.
constexpr int kSectorForSqlite = 4096;

// Levels: unlocked, SHARED, RESERVED, PENDING, EXCLUSIVE; PENDING is reached on the way only.

int lock(sqlite3_file* handle, int level) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    if (!open.disk->runs(open)) {
        return SQLITE_IOERR_LOCK;
    }
    if (open.level >= level) {
        return SQLITE_OK;
    }
    auto& file = *open.file;
    const auto by_other = [&](const void* holder) { return holder && holder != &open; };
    if (open.level == SQLITE_LOCK_NONE) {
        if (by_other(file.pending)) {
            return SQLITE_BUSY;
        }
        ++file.shared;
        open.level = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED) {
        if (by_other(file.reserved)) {
            return SQLITE_BUSY;
        }
        file.reserved = &open;
        open.level = std::max(open.level, SQLITE_LOCK_RESERVED);
    }
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        if (by_other(file.pending)) {
            return SQLITE_BUSY;
        }
        file.pending = &open;
        open.level = SQLITE_LOCK_PENDING;
        if (file.shared > 1) {
            return SQLITE_BUSY;
        }
        open.level = SQLITE_LOCK_EXCLUSIVE;
    }
    return SQLITE_OK;
}

void unlock_to(OpenFile& open, int level) {
    if (open.level <= level) {
        return;
    }
    auto& file = *open.file;
    file.reserved = file.reserved == &open ? nullptr : file.reserved;
    file.pending = file.pending == &open ? nullptr : file.pending;
    file.shared -= level == SQLITE_LOCK_NONE ? 1 : 0;
    open.level = level;
}

int unlock(sqlite3_file* handle, int level) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    if (open.disk->runs(open)) {
        unlock_to(open, level);
    }
    return SQLITE_OK;
}

int check_reserved(sqlite3_file* handle, int* out) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    *out = open.file->reserved != nullptr ? 1 : 0;
    return open.disk->runs(open) ? SQLITE_OK : SQLITE_IOERR_CHECKRESERVEDLOCK;
}

void leave_regions(OpenFile& open) {
    auto& file = *open.file;
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; ++i) {
        file.shm_shared[i] -= (open.shm_shared >> i) & 1U;
        if (file.shm_exclusive[i] == &open) {
            file.shm_exclusive[i] = nullptr;
        }
    }
    open.shm_shared = open.shm_exclusive = 0;
    open.regions.reset();  // the last one's are gone; whoever comes next rebuilds them
}

int close(sqlite3_file* handle) {
    auto* slot = reinterpret_cast<Slot*>(handle);
    const std::unique_ptr<OpenFile> open(slot->open);
    slot->open = nullptr;
    const std::scoped_lock guard(open->disk->mutex);
    if (open->disk->runs(*open)) {
        leave_regions(*open);
        unlock_to(*open, SQLITE_LOCK_NONE);
        if (open->remove_on_close && open->disk->find(open->path)) {
            open->disk->erase(open->path);
            open->disk->changed();
        }
    }
    return SQLITE_OK;
}

int read(sqlite3_file* handle, void* into, int count, sqlite3_int64 offset) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    if (!open.disk->runs(open) || open.disk->random.one_in(open.disk->faults.read_error_one_in)) {
        return SQLITE_IOERR_READ;
    }
    const auto size = static_cast<std::size_t>(count);
    const auto there = open.file->content.read(static_cast<std::uint64_t>(offset),
                                               {static_cast<std::uint8_t*>(into), size});
    return there == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* handle, const void* from, int count, sqlite3_int64 offset) {
    auto& open = open_of(handle);
    auto& disk = *open.disk;
    const std::scoped_lock guard(disk.mutex);
    if (!disk.runs(open) || disk.random.one_in(disk.faults.write_error_one_in)) {
        return SQLITE_IOERR_WRITE;
    }
    const auto start = static_cast<std::uint64_t>(offset);
    const auto size = static_cast<std::size_t>(count);
    if (!disk.has_space(open.file->content, start + size)) {
        return SQLITE_FULL;
    }
    open.file->content.write(start, {static_cast<const std::uint8_t*>(from), size});
    return disk.changed() ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int truncate(sqlite3_file* handle, sqlite3_int64 size) {
    auto& open = open_of(handle);
    auto& disk = *open.disk;
    const std::scoped_lock guard(disk.mutex);
    if (!disk.runs(open) || disk.random.one_in(disk.faults.write_error_one_in)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    if (!disk.has_space(open.file->content, static_cast<std::uint64_t>(size))) {
        return SQLITE_FULL;
    }
    open.file->content.resize(static_cast<std::uint64_t>(size));
    return disk.changed() ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int sync(sqlite3_file* handle, int) {
    auto& open = open_of(handle);
    auto& disk = *open.disk;
    const std::scoped_lock guard(disk.mutex);
    if (!disk.runs(open)) {
        return SQLITE_IOERR_FSYNC;
    }
    if (disk.random.one_in(disk.faults.sync_error_one_in)) {
        open.file->content.fail_sync();
        return SQLITE_IOERR_FSYNC;
    }
    open.file->content.sync();
    if (!disk.changed()) {
        return SQLITE_IOERR_FSYNC;
    }
    if (open.syncs_name) {
        open.syncs_name = false;
        disk.sync_names();
        if (!disk.changed()) {
            return SQLITE_IOERR_DIR_FSYNC;
        }
    }
    return SQLITE_OK;
}

int file_size(sqlite3_file* handle, sqlite3_int64* out) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    *out = static_cast<sqlite3_int64>(open.file->content.size());
    return open.disk->runs(open) ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

int file_control(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
    return kSectorForSqlite;
}
//! A write never harms its neighbours; nothing more is promised.
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int shm_map(sqlite3_file* handle, int region, int size, int extend, void volatile** out) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    *out = nullptr;
    if (!open.disk->runs(open)) {
        return SQLITE_IOERR_SHMMAP;
    }
    auto& file = *open.file;
    if (!open.regions) {
        open.regions = file.regions.lock();
        open.regions = open.regions ? open.regions : std::make_shared<SharedFile::Regions>();
        file.regions = open.regions;
    }
    auto& regions = *open.regions;
    const auto index = static_cast<std::size_t>(region);
    while (extend != 0 && regions.size() <= index) {
        regions.push_back(std::make_unique<Bytes>(static_cast<std::size_t>(size)));
    }
    *out = index < regions.size() ? regions[index]->data() : nullptr;
    return SQLITE_OK;
}

int shm_lock(sqlite3_file* handle, int first, int count, int flags) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    if (!open.disk->runs(open)) {
        return SQLITE_IOERR_SHMLOCK;
    }
    auto& file = *open.file;
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (int i = first; (flags & SQLITE_SHM_LOCK) != 0 && i < first + count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const auto own = static_cast<int>((open.shm_shared >> at) & 1U);
        if ((file.shm_exclusive[at] != nullptr && file.shm_exclusive[at] != &open) ||
            (exclusive && file.shm_shared[at] > own)) {
            return SQLITE_BUSY;
        }
    }
    for (int i = first; i < first + count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const unsigned bit = 1U << at;
        if ((flags & SQLITE_SHM_UNLOCK) != 0) {
            file.shm_shared[at] -= (open.shm_shared & bit) != 0 ? 1 : 0;
            file.shm_exclusive[at] =
                file.shm_exclusive[at] == &open ? nullptr : file.shm_exclusive[at];
            open.shm_shared &= ~bit;
            open.shm_exclusive &= ~bit;
        } else if (exclusive) {
            file.shm_exclusive[at] = &open;
            open.shm_exclusive |= bit;
        } else if ((open.shm_shared & bit) == 0) {
            ++file.shm_shared[at];
            open.shm_shared |= bit;
        }
    }
    return SQLITE_OK;
}

void shm_barrier(sqlite3_file* handle) {
    const std::scoped_lock guard(open_of(handle).disk->mutex);  // orders as a barrier does
}

int shm_unmap(sqlite3_file* handle, int) {
    auto& open = open_of(handle);
    const std::scoped_lock guard(open.disk->mutex);
    if (open.disk->runs(open)) {
        leave_regions(open);
    }
    return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {2,
                                     close,
                                     read,
                                     write,
                                     truncate,
                                     sync,
                                     file_size,
                                     lock,
                                     unlock,
                                     check_reserved,
                                     file_control,
                                     sector_size,
                                     characteristics,
                                     shm_map,
                                     shm_lock,
                                     shm_barrier,
                                     shm_unmap,
                                     nullptr,
                                     nullptr};

SimDisk::Impl& disk_of(sqlite3_vfs* vfs) {
    return *reinterpret_cast<VfsSlot*>(vfs)->disk;
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
    auto& disk = disk_of(vfs);
    auto* slot = reinterpret_cast<Slot*>(handle);
    slot->base.pMethods = nullptr;
    const std::scoped_lock guard(disk.mutex);
    if (disk.off) {
        return SQLITE_CANTOPEN;
    }
    auto open = std::make_unique<OpenFile>();
    open->disk = &disk;
    open->life = disk.life;
    open->path = name == nullptr ? "" : name;
    open->remove_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    open->file = name == nullptr ? std::make_shared<SharedFile>() : disk.find(open->path);
    if (!open->file) {
        if ((flags & SQLITE_OPEN_CREATE) == 0) {
            return SQLITE_CANTOPEN;
        }
        open->file = disk.create(open->path);
        open->syncs_name =
            (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
        if (!disk.changed()) {
            return SQLITE_CANTOPEN;
        }
    }
    if (out_flags != nullptr) {
        *out_flags = flags;
    }
    slot->open = open.release();
    slot->base.pMethods = &kMethods;
    return SQLITE_OK;
}

int remove_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    auto& disk = disk_of(vfs);
    const std::scoped_lock guard(disk.mutex);
    if (disk.off) {
        return SQLITE_IOERR_DELETE;
    }
    if (!disk.find(name)) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    disk.erase(name);
    if (!disk.changed()) {
        return SQLITE_IOERR_DELETE;
    }
    if (sync_folder != 0) {
        disk.sync_names();
        return disk.changed() ? SQLITE_OK : SQLITE_IOERR_DELETE;
    }
    return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    auto& disk = disk_of(vfs);
    const std::scoped_lock guard(disk.mutex);
    const auto file = disk.find(name);
    // As the machine's VFS: an empty file does not exist for SQLite.
    *out = file && (flags != SQLITE_ACCESS_EXISTS || file->content.size() > 0) ? 1 : 0;
    return disk.off ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    const auto length = std::strlen(name);
    if (length >= static_cast<std::size_t>(size)) {
        return SQLITE_CANTOPEN;
    }
    std::memcpy(out, name, length + 1);
    return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
    auto& disk = disk_of(vfs);
    const std::scoped_lock guard(disk.mutex);
    std::generate_n(out, size, [&] { return static_cast<char>(disk.sqlite_random.next()); });
    return size;
}

//! Nobody else can run while one thread waits here, so time doesn't pass.
int sleep(sqlite3_vfs*, int microseconds) {
    return microseconds;
}
int current_time(sqlite3_vfs*, sqlite3_int64* out) {
    *out = 0;
    return SQLITE_OK;
}
int current_day(sqlite3_vfs*, double* out) {
    *out = 0;
    return SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) {
    return 0;
}

}  // namespace

void register_vfs(SimDisk::Impl& disk, store::Disk* as) {
    auto& vfs = disk.vfs.base;
    disk.vfs.disk = &disk;
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(Slot);
    vfs.mxPathname = kLongestPath;
    vfs.zName = disk.vfs_name.c_str();
    vfs.pAppData = as;
    vfs.xOpen = open_file;
    vfs.xDelete = remove_file;
    vfs.xAccess = access;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep;
    vfs.xCurrentTime = current_day;
    vfs.xGetLastError = last_error;
    vfs.xCurrentTimeInt64 = current_time;
    sqlite3_initialize();
    sqlite3_vfs_register(&vfs, 0);
}

}  // namespace synod::sim
