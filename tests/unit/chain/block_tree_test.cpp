// SPDX-License-Identifier: Apache-2.0
#include "core/chain/block_tree.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::chain;

namespace {

Hash name(std::uint8_t n) {
    Hash out;
    out.data.fill(n);
    return out;
}

Block block(std::uint8_t id, std::uint8_t parent, std::uint64_t height, std::uint8_t key) {
    Block out;
    out.hash = name(id);
    out.parent = name(parent);
    out.height = height;
    out.slot = height * 10;
    out.key[0] = key;
    return out;
}

BlockTree tree() { return BlockTree({5, name(1)}, 50); }

}  // namespace

TEST_CASE("tree.says_why_a_block_does_not_fit") {
    auto t = tree();
    CHECK(t.insert(block(2, 1, 6, 1)) == Insert::kAdded);
    CHECK(t.insert(block(2, 1, 6, 1)) == Insert::kDuplicate);
    CHECK(t.insert(block(1, 9, 5, 1)) == Insert::kDuplicate);
    CHECK(t.insert(block(3, 9, 7, 1)) == Insert::kUnknownParent);
    CHECK(t.insert(block(4, 1, 5, 1)) == Insert::kBelowCommitted);
    CHECK(t.size() == 1);
}

TEST_CASE("tree.prefers_the_larger_key_then_the_first_seen") {
    auto t = tree();
    t.insert(block(2, 1, 6, 1));
    t.insert(block(3, 1, 6, 1));
    CHECK(t.choose().head == Pointer{6, name(2)});
    t.insert(block(4, 3, 7, 2));
    const auto move = t.choose();
    CHECK(move.head == Pointer{7, name(4)});
    CHECK(move.unwound == std::vector<Hash>{name(2)});
    CHECK(move.rewound == std::vector<Hash>{name(3), name(4)});
    CHECK(t.on_best_chain(6)->hash == name(3));
    CHECK(t.on_best_chain(8) == nullptr);
    CHECK(t.head_slot() == 70);
}

TEST_CASE("tree.advance_settles_the_path_and_drops_what_lost") {
    auto t = tree();
    t.insert(block(2, 1, 6, 1));
    t.insert(block(3, 1, 6, 1));
    t.insert(block(4, 2, 7, 2));
    t.insert(block(5, 4, 8, 3));
    t.choose();
    const auto settled = t.advance({7, name(4)}).value();
    REQUIRE(settled.committed.size() == 2);
    CHECK(settled.committed[0].hash == name(2));
    CHECK(settled.committed[1].hash == name(4));
    CHECK(settled.dropped == std::vector<Hash>{name(3)});
    CHECK(t.head() == Pointer{8, name(5)});
    CHECK(t.on_best_chain(8)->hash == name(5));
    CHECK(t.choose().rewound.empty());
}

TEST_CASE("tree.a_second_commit_on_another_branch_is_a_fault_with_evidence") {
    auto t = tree();
    t.insert(block(2, 1, 6, 1));
    t.insert(block(3, 1, 6, 9));
    CHECK(t.advance({6, name(2)}));
    const auto conflict = t.advance({6, name(3)});
    REQUIRE(!conflict);
    CHECK(conflict.error().code == "chain.conflicting_commit");
    CHECK(t.advance({9, name(7)}).error().code == "chain.unknown_block");
    CHECK(t.committed() == Pointer{6, name(2)});
}

TEST_CASE("tree.a_certificate_that_arrives_late_moves_the_head") {
    auto t = tree();
    t.insert(block(2, 1, 6, 5));
    t.insert(block(3, 1, 6, 1));
    CHECK(t.choose().head.hash == name(2));
    t.rekey(name(3), ForkKey{9}, {5, name(1)}, {});
    CHECK(t.choose().head.hash == name(3));
}
