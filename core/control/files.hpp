// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The two files by which a command on the same machine finds and is let into a running node: the
//! token (a secret, mode 0600) and control.json (where the node listens). Never logs the token.

#include <cstdint>
#include <string>

#include "core/base/result.hpp"

namespace synod::control {

inline constexpr const char* kControlFile = "control.json";  //!< in the data folder
inline constexpr std::size_t kTokenBytes = 32;               //!< random bytes, written as hex
inline constexpr std::size_t kMaxControlFileBytes = 16u << 10;

//! What control.json holds.
struct ControlFile {
    std::string address;  //!< numeric, as bound
    std::uint16_t port = 0;
    std::string token_file;
    std::int64_t pid = 0;
};

//! The token's hex text. Errors: control.file_failed (missing or not readable, not a regular file),
//! control.token_readable (others may read or write it, or another user owns it),
//! control.token_malformed.
Result<std::string> read_token(const std::string& path);
//! Reads the token; writes a new one first when the file is missing. Two processes that create it
//! at once agree on one token. Errors as for read_token.
Result<std::string> read_or_create_token(const std::string& path);

//! Length aside, takes the same time whatever the texts are.
bool same_secret(const std::string& a, const std::string& b);

//! The folder that holds `path`; "." for a bare name.
std::string folder_of(const std::string& path);

//! What this process writes when it listens there; the token file by its absolute path.
ControlFile describe(const std::string& address, std::uint16_t port, const std::string& token_file);
//! Replaces `folder`/control.json in one step (mode 0600). Errors: control.file_failed.
Result<void> write_control_file(const std::string& folder, const ControlFile& content);
//! Errors: control.not_running (there is none), control.file_failed (it can't be read).
Result<ControlFile> read_control_file(const std::string& folder);
//! Removes it if it still holds `content`: a node that started later keeps its own.
void remove_control_file(const std::string& folder, const ControlFile& content);

}  // namespace synod::control
