// SPDX-License-Identifier: Apache-2.0
#include "core/chain/block_tree.hpp"

#include <algorithm>
#include <cassert>
#include <unordered_set>

namespace synod::chain {

BlockTree::BlockTree(Pointer committed, std::uint64_t committed_slot, std::size_t max_blocks)
    : max_blocks_(max_blocks),
      committed_(committed),
      committed_slot_(committed_slot),
      head_(committed) {}

Insert BlockTree::insert(Block block) {
    if (block.hash == committed_.hash || blocks_.contains(block.hash)) {
        return Insert::kDuplicate;
    }
    if (block.height <= committed_.height) {
        return Insert::kBelowCommitted;
    }
    if (block.parent != committed_.hash && !blocks_.contains(block.parent)) {
        return Insert::kUnknownParent;
    }
    if (blocks_.size() >= max_blocks_) {
        return Insert::kFull;
    }
    const auto hash = block.hash;
    blocks_.emplace(hash, Entry{std::move(block), next_order_++});
    return Insert::kAdded;
}

void BlockTree::rekey(const Hash& hash, const ForkKey& key, const Pointer& committed,
                      const Pointer& final) {
    if (const auto it = blocks_.find(hash); it != blocks_.end()) {
        it->second.block.key = key;
        it->second.block.committed = committed;
        it->second.block.final = final;
    }
}

std::vector<Hash> BlockTree::branch(const Hash& tip) const {
    std::vector<Hash> out;
    for (auto at = tip; at != committed_.hash;) {
        const auto it = blocks_.find(at);
        assert(it != blocks_.end());
        out.push_back(at);
        at = it->second.block.parent;
    }
    std::reverse(out.begin(), out.end());
    return out;
}

HeadMove BlockTree::choose() {
    const Entry* best = nullptr;
    for (const auto& [hash, entry] : blocks_) {
        if (best == nullptr || entry.block.key > best->block.key ||
            (entry.block.key == best->block.key && entry.order < best->order)) {
            best = &entry;
        }
    }
    HeadMove move;
    move.head = best == nullptr ? committed_ : Pointer{best->block.height, best->block.hash};
    if (move.head == head_) {
        return move;
    }
    auto path = best == nullptr ? std::vector<Hash>{} : branch(best->block.hash);
    const auto [mine, theirs] = std::mismatch(best_.begin(), best_.end(), path.begin(), path.end());
    move.unwound.assign(std::make_reverse_iterator(best_.end()), std::make_reverse_iterator(mine));
    move.rewound.assign(theirs, path.end());
    best_ = std::move(path);
    head_ = move.head;
    return move;
}

Result<Settled> BlockTree::advance(const Pointer& to) {
    if (to == committed_) {
        return Settled{};
    }
    const auto it = blocks_.find(to.hash);
    if (it == blocks_.end()) {
        if (to.height <= committed_.height) {
            return fail("chain.conflicting_commit",
                        "block " + to_hex(to.hash.view()) + " at height " +
                            std::to_string(to.height) + " conflicts with committed block " +
                            to_hex(committed_.hash.view()) + " at height " +
                            std::to_string(committed_.height),
                        {}, "more than f authorities are Byzantine; keep both blocks as evidence");
        }
        return fail("chain.unknown_block", "block " + to_hex(to.hash.view()) + " is not in the tree");
    }
    const auto path = branch(to.hash);
    Settled out;
    std::unordered_set<Hash> keep{to.hash};
    // Descendants of the new root stay; walk in insertion order, in which a parent comes first.
    std::vector<const Entry*> ordered;
    ordered.reserve(blocks_.size());
    for (const auto& [hash, entry] : blocks_) {
        ordered.push_back(&entry);
    }
    std::ranges::sort(ordered, {}, &Entry::order);
    for (const auto* entry : ordered) {
        if (keep.contains(entry->block.parent)) {
            keep.insert(entry->block.hash);
        }
    }
    committed_slot_ = it->second.block.slot;
    for (const auto& hash : path) {
        auto node = blocks_.extract(hash);
        out.committed.push_back(std::move(node.mapped().block));
    }
    std::erase_if(blocks_, [&](const auto& pair) {
        if (keep.contains(pair.first)) {
            return false;
        }
        out.dropped.push_back(pair.first);
        return true;
    });
    committed_ = to;
    if (blocks_.contains(head_.hash)) {
        best_ = branch(head_.hash);
    } else {
        best_.clear();
        head_ = committed_;
    }
    return out;
}

const Block* BlockTree::find(const Hash& hash) const {
    const auto it = blocks_.find(hash);
    return it == blocks_.end() ? nullptr : &it->second.block;
}

std::uint64_t BlockTree::head_slot() const {
    const auto* block = find(head_.hash);
    return block == nullptr ? committed_slot_ : block->slot;
}

const Block* BlockTree::on_best_chain(std::uint64_t height) const {
    if (height <= committed_.height || height - committed_.height > best_.size()) {
        return nullptr;
    }
    return find(best_[height - committed_.height - 1]);
}

}  // namespace synod::chain
