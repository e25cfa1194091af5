// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Files that are wrong in one way each, and a node's manifest that names them. The test owns the
//! folder; the program runs as a child process.

#include <doctest/doctest.h>

#include <vector>

#include "tests/integration/chain/program.hpp"

namespace synod::testing {

//! A scoring plugin of the host's tests: `good`, or odd in one way.
inline std::string host_plugin(const std::string& name) {
    return std::string(HOST_PLUGINS) + name + ".so";
}

//! A genesis file of one authority, and a manifest with `plugins` as its last section.
class NodeFolder {
  public:
    NodeFolder() {
        write_file(folder_ / "genesis.yaml",
                   "name: files\nauthorities:\n"
                   "  - \"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\"\n");
    }
    [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }
    [[nodiscard]] std::string manifest(const std::string& rest) const {
        const auto file = folder_ / "node.yaml";
        write_file(file, "node:\n  name: files\n  data_dir: data\n  genesis: genesis.yaml\n" + rest);
        return file;
    }

  private:
    Folder folder_;
};

inline void contains(const Ran& ran, const std::string& text) {
    CHECK_MESSAGE(ran.output.find(text) != std::string::npos,
                  "`" << text << "` is not in: " << ran.output);
}

}  // namespace synod::testing
