// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The files of a devnet: one folder a node with its manifest, key and data, made from a forged
//! chain. Main thread; it writes only below the folder that it is given, and starts nothing.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace synod::app::devnet {

inline constexpr std::uint32_t kMaxAuthorities = 16;  //!< processes on one machine

struct NodeFiles {
    std::string name;  //!< "authority-0", "fresh"
    std::filesystem::path folder;
    PublicKey identity;
    std::uint16_t port = 0;
    bool authority = false;

    [[nodiscard]] std::filesystem::path manifest() const { return folder / "node.yaml"; }
    [[nodiscard]] std::filesystem::path data() const { return folder / "data"; }
    [[nodiscard]] std::filesystem::path key() const { return folder / "node.key"; }
    [[nodiscard]] std::filesystem::path log() const { return folder / "log.txt"; }
};

//! Free TCP ports of 127.0.0.1, all different: the system chose each while the others were still
//! taken. Another program may take one before a node does; then that node refuses to start.
//! Errors: devnet.ports.
Result<std::vector<std::uint16_t>> free_ports(std::size_t count);

//! Makes `wanted`, which must be missing or empty, or a new folder under the system's temporary one
//! when it is empty. An absolute path. Errors: devnet.folder.
Result<std::filesystem::path> make_folder(const std::filesystem::path& wanted);

//! Folders authority-0.. and fresh under `dir`, from `dir`/forge. The last one is the fresh node:
//! no blocks, an identity of its own. Errors: devnet.folder, devnet.ports, key.*.
Result<std::vector<NodeFiles>> lay_out(const std::filesystem::path& dir, std::uint32_t authorities,
                                       const std::string& validation);

//! The manifest of `self` with every other authority as a peer.
std::string manifest_text(const NodeFiles& self, const std::vector<NodeFiles>& all,
                          const std::filesystem::path& genesis, const std::string& validation);

}  // namespace synod::app::devnet
