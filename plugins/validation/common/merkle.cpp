// SPDX-License-Identifier: Apache-2.0
#include "merkle.hpp"

#include <cstring>
#include <vector>

namespace synod::simd {
namespace {

//! A tree on its way up: `count` nodes of the present level lie at `nodes`, the next one goes to `above`.
struct Tree {
    const std::uint8_t* nodes;
    std::uint8_t* above;
    std::uint64_t count;
};

//! Collects nodes of any tree and hashes them when there are enough.
class NodeQueue {
public:
    explicit NodeQueue(const Hasher& hasher) : hasher_(hasher) {}

    void push(const std::uint8_t* in, std::uint8_t* out) noexcept {
        in_[n_] = in;
        out_[n_] = out;
        if (++n_ == kQueue) {
            flush();
        }
    }
    void flush() noexcept {
        sha256d_nodes(hasher_, in_, out_, n_);
        n_ = 0;
    }

private:
    static constexpr std::uint64_t kQueue = 256;  // nodes; a multiple of every lane count
    const Hasher& hasher_;
    const std::uint8_t* in_[kQueue];
    std::uint8_t* out_[kQueue];
    std::uint64_t n_ = 0;
};

//! Hashes one level of one tree. Levels above the leaves are overwritten in place: node i is written after its
//! children 2i and 2i + 1 were read, and an unpaired node is moved only when everything before it was hashed.
void climb(Tree& tree, NodeQueue& queue) noexcept {
    const std::uint64_t pairs = tree.count / 2;
    for (std::uint64_t i = 0; i < pairs; ++i) {
        queue.push(tree.nodes + 64 * i, tree.above + 32 * i);
    }
}

void move_unpaired(Tree& tree) noexcept {
    const std::uint64_t pairs = tree.count / 2;
    if (tree.count % 2 != 0) {
        std::memmove(tree.above + 32 * pairs, tree.nodes + 64 * pairs, 32);
    }
    tree.count = pairs + tree.count % 2;
    tree.nodes = tree.above;
}

}  // namespace

void check_merkles(const Hasher& hasher, const synod_merkle_checks& checks, std::uint64_t first,
                   std::uint64_t last) {
    std::uint64_t scratch = 0;
    for (std::uint64_t i = first; i < last; ++i) {
        scratch += checks.leaf_counts[i] / 2 + checks.leaf_counts[i] % 2;
    }
    std::vector<std::uint8_t> above(32 * scratch);
    std::vector<Tree> trees(last - first);
    std::uint8_t* at = above.data();
    bool growing = false;
    for (std::uint64_t i = first; i < last; ++i) {
        const std::uint64_t count = checks.leaf_counts[i];
        trees[i - first] = {checks.leaves[i], at, count};
        at += 32 * (count / 2 + count % 2);
        growing = growing || count > 1;
    }
    NodeQueue queue(hasher);
    while (growing) {
        for (Tree& tree : trees) {
            if (tree.count > 1) {
                climb(tree, queue);
            }
        }
        queue.flush();
        growing = false;
        for (Tree& tree : trees) {
            if (tree.count > 1) {
                move_unpaired(tree);
                growing = growing || tree.count > 1;
            }
        }
    }
    for (std::uint64_t i = first; i < last; ++i) {
        const Tree& tree = trees[i - first];
        const bool holds = tree.count == 1 && std::memcmp(tree.nodes, checks.roots[i], 32) == 0;
        checks.verdicts[i] = holds ? SYNOD_VERDICT_HOLDS : SYNOD_VERDICT_FAILS;
    }
}

}  // namespace synod::simd
