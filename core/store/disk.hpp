// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a store does with its folder beside SQLite: make it, look, rename, remove, lock. Behind an
//! interface together with the name of a SQLite VFS, so that a simulated disk stands in for the
//! machine's with every step of a store's life on it. Any thread. It never looks into a file.

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.hpp"

namespace synod::store {

class Disk {
  public:
    //! Held until destroyed.
    class Lock {
      public:
        virtual ~Lock() = default;
    };

    virtual ~Disk() = default;
    //! Success when it is there already. Errors: store.io.
    virtual Result<void> make_folder(const std::string& dir) = 0;
    //! Bytes; -1 when there is no such file. Errors: store.io.
    virtual Result<std::int64_t> size(const std::string& path) = 0;
    //! Replaces `to`; survives a power cut when it returns. Both are in `dir`. Errors: store.io.
    virtual Result<void> rename(const std::string& dir, const std::string& from,
                                const std::string& to) = 0;
    //! Writes a file over with what it holds and syncs it. After a failed fsync the system takes
    //! what it couldn't write for written, so a file found after a kill may read well and yet be
    //! lost with the power, however often it is synced. A missing file is success. Errors:
    //! store.io, store.disk_full.
    virtual Result<void> write_again(const std::string& path) = 0;
    //! A missing file is success.
    virtual void remove(const std::string& path) = 0;
    //! `shared` admits other shared holders (readers), never a writer beside them. Never waits.
    //! Errors: store.locked, store.io.
    virtual Result<std::unique_ptr<Lock>> lock(const std::string& path, bool shared) = 0;
};

//! The disk of a VFS: the machine's for an empty name; else the one that the VFS carries in its
//! pAppData, so only a VFS that was registered with a Disk there may be named. Errors: store.io
//! when there is no VFS of that name. The result lives as long as the VFS is registered.
Result<Disk*> disk_of(const std::string& vfs);

}  // namespace synod::store
