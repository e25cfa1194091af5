// SPDX-License-Identifier: Apache-2.0
#include "core/store/disk.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/base/bytes.hpp"
#include "core/store/folder_lock.hpp"

namespace synod::store {
namespace {

//! How much of a file is in memory while it is written again.
constexpr std::size_t kPieceBytes = 1U << 20U;

std::unexpected<Error> failed(const char* what, const std::string& where) {
    return fail(errno == ENOSPC || errno == EDQUOT ? "store.disk_full" : "store.io",
                std::string(what) + ": " + std::strerror(errno), where);
}

class Held : public Disk::Lock {
  public:
    explicit Held(FolderLock lock) : lock_(std::move(lock)) {}

  private:
    FolderLock lock_;
};

class MachineDisk : public Disk {
  public:
    Result<void> make_folder(const std::string& dir) override {
        if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
            return failed("cannot create the folder", dir);
        }
        return {};
    }

    Result<std::int64_t> size(const std::string& path) override {
        struct stat info {};
        if (::stat(path.c_str(), &info) == 0) {
            return info.st_size;
        }
        if (errno == ENOENT) {
            return -1;
        }
        return failed("cannot look at the file", path);
    }

    Result<void> rename(const std::string& dir, const std::string& from,
                        const std::string& to) override {
        if (std::rename(from.c_str(), to.c_str()) != 0) {
            return failed("cannot rename", to);
        }
        return sync_folder(dir);
    }

    Result<void> write_again(const std::string& path) override {
        const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        if (fd < 0) {
            return errno == ENOENT ? Result<void>{} : failed("cannot open the log", path);
        }
        Bytes piece(kPieceBytes);
        ssize_t count = 0;
        off_t at = 0;
        while ((count = ::pread(fd, piece.data(), piece.size(), at)) > 0 &&
               ::pwrite(fd, piece.data(), static_cast<std::size_t>(count), at) == count) {
            at += count;
        }
        auto done = count == 0 && ::fsync(fd) == 0 ? Result<void>{}
                                                   : failed("cannot write the log again", path);
        ::close(fd);
        return done;
    }

    void remove(const std::string& path) override { std::remove(path.c_str()); }

    Result<std::unique_ptr<Lock>> lock(const std::string& path, bool shared) override {
        auto taken = FolderLock::take(path, shared);
        if (!taken) {
            return std::unexpected(std::move(taken.error()));
        }
        return std::make_unique<Held>(std::move(*taken));
    }
};

}  // namespace

Result<Disk*> disk_of(const std::string& vfs) {
    static MachineDisk machine;
    if (vfs.empty()) {
        return &machine;
    }
    sqlite3_initialize();
    const auto* found = sqlite3_vfs_find(vfs.c_str());
    if (found == nullptr || found->pAppData == nullptr) {
        return fail("store.io", "there is no disk of this name", vfs);
    }
    return static_cast<Disk*>(found->pAppData);
}

}  // namespace synod::store
