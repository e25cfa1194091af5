// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The blocks above the last committed one, as a tree, with fork choice and commitment. A plain
//! state machine owned by the control thread: it holds metadata and shared bytes, never a plugin's
//! state, and touches nothing outside itself.
//!
//! Fork choice (behaviour.md section 7): never below the committed block; then the branch with the
//! larger key, which the consensus plugin computed; among equals the one seen first.

#include <map>
#include <unordered_map>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace synod::chain {

//! Blocks that may stand above the committed one unless told otherwise. Past it a block is refused,
//! not an older one lost.
inline constexpr std::size_t kMaxForkBlocks = 65'536;

using ForkKey = std::array<std::uint8_t, 32>;

struct Pointer {
    std::uint64_t height = 0;
    Hash hash;
    bool operator==(const Pointer&) const = default;
};

struct Block {
    Hash hash, parent;
    std::uint64_t height = 0, slot = 0;
    SharedBytes bytes;
    std::uint32_t header_length = 0;
    ForkKey key{};
    //! What this branch counts as committed and as final, as of this block.
    Pointer committed, final;
};

enum class Insert : std::uint8_t { kAdded, kDuplicate, kUnknownParent, kBelowCommitted, kFull };

//! How the best chain moved: blocks taken off (tip first), blocks put on (oldest first).
struct HeadMove {
    Pointer head;
    std::vector<Hash> unwound;
    std::vector<Hash> rewound;
};

//! What advancing the committed block settled: the path now committed (oldest first) and every block
//! of a branch that lost.
struct Settled {
    std::vector<Block> committed;
    std::vector<Hash> dropped;
};

class BlockTree {
  public:
    BlockTree(Pointer committed, std::uint64_t committed_slot, std::size_t max_blocks = kMaxForkBlocks);

    Insert insert(Block block);
    //! A block's key changed because its own certificate became known.
    void rekey(const Hash& hash, const ForkKey& key, const Pointer& committed, const Pointer& final);
    //! Fork choice over everything inserted; moves the head when another branch is better.
    HeadMove choose();
    //! Makes `to` the committed block. Errors: chain.conflicting_commit when it doesn't descend from
    //! the committed block (proof of more than f Byzantine authorities), chain.unknown_block.
    Result<Settled> advance(const Pointer& to);

    [[nodiscard]] const Block* find(const Hash& hash) const;
    [[nodiscard]] Pointer head() const { return head_; }
    [[nodiscard]] std::uint64_t head_slot() const;
    [[nodiscard]] Pointer committed() const { return committed_; }
    [[nodiscard]] std::uint64_t committed_slot() const { return committed_slot_; }
    [[nodiscard]] std::size_t size() const { return blocks_.size(); }
    //! The block of the best chain at a height above the committed one; null when there is none.
    [[nodiscard]] const Block* on_best_chain(std::uint64_t height) const;

  private:
    struct Entry {
        Block block;
        std::uint64_t order = 0;
    };
    //! Hashes from above the committed block up to `tip`, oldest first.
    [[nodiscard]] std::vector<Hash> branch(const Hash& tip) const;

    std::size_t max_blocks_;
    std::unordered_map<Hash, Entry> blocks_;
    Pointer committed_;
    std::uint64_t committed_slot_;
    Pointer head_;
    std::vector<Hash> best_;  // oldest first, above committed_
    std::uint64_t next_order_ = 0;
};

}  // namespace synod::chain
