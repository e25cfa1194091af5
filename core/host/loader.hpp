// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Maps a plugin library and hands out its entry. Main thread. Never unmaps, never looks for a file.

#include <synod/abi.h>

#include <filesystem>

#include "core/base/result.hpp"

namespace synod::host {

inline constexpr std::uintmax_t kMaxLibraryBytes = 512ull << 20;

//! Reads the file without running any of it: an ELF64 x86-64 shared object, complete (every header,
//! segment and section lies inside the file), that defines `synod_entry_v1`.
//! Errors: plugin.missing, plugin.not_a_library, plugin.truncated, plugin.damaged, plugin.no_entry.
Result<void> precheck_library(const std::filesystem::path& file);

//! Maps the library and reads its entry in a child process, which may crash or hang in the dynamic
//! linker where this one may not. Blocks for up to 10 s. Errors: plugin.damaged, plugin.load.
Result<void> probe_library(const std::filesystem::path& file);

//! precheck_library, probe_library, then dlopen (now, local) by canonical path. The entry isn't
//! checked yet. Restores the floating-point mode and locale that loading may have changed. Adds:
//! plugin.load.
Result<const synod_entry*> load_library(const std::filesystem::path& file);

//! Magic, major, needed minor and sizes. `file` is for the message. Errors: plugin.abi.
Result<void> check_entry(const synod_entry* entry, const std::string& file);

}  // namespace synod::host
