// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a node that was killed has stored, told without touching its files.

#include "core/store/sqlite.hpp"
#include "tests/support/nodes.hpp"

namespace synod::testing {

//! What a dead node's file holds: blocks in packs, and the highest block above them.
struct Stored {
    std::uint64_t committed = 0;
    std::uint64_t head = 0;
};

//! Looks at a copy: opening the file itself would recover its log before the node has to.
inline Stored stored_by(const TestNode& node, const fs::path& folder) {
    if (!fs::exists(node.data() / "synod.db")) {
        return {};  // it died before it had made one
    }
    const auto copy = folder / "copy";
    fs::remove_all(copy);
    fs::create_directories(copy);
    for (const char* file : {"synod.db", "synod.db-wal"}) {
        if (fs::exists(node.data() / file)) {
            fs::copy_file(node.data() / file, copy / file);
        }
    }
    auto db = store::Database::open((copy / "synod.db").string(), store::Access::read_write);
    REQUIRE(db);
    const auto packed = db->scalar("SELECT coalesce(max(first_height + count), 0) FROM packs");
    const auto above = db->scalar("SELECT coalesce(max(height), 0) FROM fork_blocks");
    REQUIRE(packed);
    REQUIRE(above);
    const auto committed = static_cast<std::uint64_t>(std::max<std::int64_t>(*packed, 1) - 1);
    return {committed, std::max(committed, static_cast<std::uint64_t>(*above))};
}

}  // namespace synod::testing
