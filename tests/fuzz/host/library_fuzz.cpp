// SPDX-License-Identifier: Apache-2.0
//! The look at a plugin file's bytes before the dynamic linker sees them. Inputs are never mapped.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "core/host/loader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const int file = ::memfd_create("library", MFD_CLOEXEC);
    if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) {
        std::abort();
    }
    const auto checked = synod::host::precheck_library("/proc/self/fd/" + std::to_string(file));
    if (!checked && (!checked.error().code.starts_with("plugin.") || checked.error().where.empty())) {
        std::abort();
    }
    ::close(file);
    return 0;
}
