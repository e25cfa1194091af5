// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Free space where the data lies.

#include <sys/statvfs.h>

#include <cstdint>
#include <string>

namespace synod::app {

//! Bytes that this process may still write under `path`; 0 when it can't be told.
inline std::uint64_t disk_free(const std::string& path) {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) {
        return 0;
    }
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace synod::app
