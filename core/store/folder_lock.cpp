// SPDX-License-Identifier: Apache-2.0
#include "core/store/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace synod::store {

Result<FolderLock> FolderLock::take(const std::string& path, bool shared) {
    FolderLock out;
    out.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (out.fd_ < 0) {
        return fail("store.io", std::string("cannot open the lock file: ") + std::strerror(errno),
                    path);
    }
    if (::flock(out.fd_, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return fail("store.locked", "the folder is in use by another node or tool", path,
                        "stop the other process or choose another folder");
        }
        return fail("store.io", std::string("cannot lock: ") + std::strerror(errno), path);
    }
    return out;
}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

FolderLock::~FolderLock() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<void> sync_folder(const std::string& dir) {
    const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int why = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    if (!synced) {
        return fail("store.io", std::string("cannot sync the folder: ") + std::strerror(why), dir);
    }
    return {};
}

}  // namespace synod::store
