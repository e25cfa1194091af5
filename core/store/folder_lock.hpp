// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Keeps two processes off one folder: an flock on a lock file, which the kernel drops when the
//! process ends in any way. Owned by a store. It never waits and never deletes the file.

#include <string>
#include <utility>

#include "core/base/result.hpp"

namespace synod::store {

class FolderLock {
  public:
    //! `shared` admits other shared holders (readers), never a writer beside them.
    //! Errors: store.locked, store.io.
    static Result<FolderLock> take(const std::string& path, bool shared);
    FolderLock() = default;
    FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FolderLock& operator=(FolderLock&& other) noexcept;
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

  private:
    int fd_ = -1;
};

//! Makes a rename inside `dir` survive a power cut. Errors: store.io.
Result<void> sync_folder(const std::string& dir);

}  // namespace synod::store
