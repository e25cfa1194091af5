// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Keeps the chain: takes proven segments into the block tree, lets it choose, turns what is
//! settled into one store transaction, and holds the consensus states that blocks stand on. Lives
//! on the control thread. What it says (head, committed) is announced only once it is durable.

#include <deque>
#include <functional>
#include <unordered_map>

#include "core/app/node/derivation.hpp"
#include "core/app/node/writer.hpp"
#include "core/chain/block_tree.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/store/store.hpp"

namespace synod::app {

class ChainKeeper {
  public:
    struct Listener {
        std::function<void(const chain::Pointer& head, std::uint64_t slot)> head;
        //! The committed block moved from the first to the second.
        std::function<void(const chain::Pointer& from, const chain::Pointer& to)> committed;
        std::function<void(const Error&)> store_fault;
        std::function<void(const Error&)> chain_fault;
        std::function<void(const pipeline::ChainSegment&)> proven;  //!< before it is stored
    };

    //! `max_blocks` may stand above the committed one in memory.
    ChainKeeper(pipeline::Pipeline& pipeline, store::Store& store, std::size_t max_blocks,
                Listener listener);

    //! Reads the store, writing the genesis into an empty one; replays what follows the saved state.
    //! Before the control loop runs, on its thread. Errors: store.*, plugin.*, chain.replay.
    Result<void> load();
    void attach(Writer& writer) { writer_ = &writer; }
    //! Nothing is on its way to the store: it may be reloaded.
    [[nodiscard]] bool idle() const { return pending_commits_ == 0; }
    //! Forgets what memory holds and reads the store again: after a failed commit the two may
    //! differ. Precondition: idle(). Errors as load().
    Result<void> reload();
    //! Writes what makes the store readable again and reloads it. Precondition: idle(), and reload()
    //! failed. Until it ends well nothing is added or certified.
    void restore(store::Commit change, std::function<void(Result<void>)> done);

    //! Proven blocks whose parent is known. `durable` is called once they are stored, or with the
    //! error that says why they never will be.
    void add(pipeline::ChainSegment segment, std::function<void(Result<void>)> durable);
    //! A proven certificate for a block of the tree; `state` counts it as certified.
    void certified(const Hash& block, Bytes certificate, pipeline::State state,
                   const synod_weight& weight);

    //! The state after a block: the committed block's or a block's in the tree; null when unknown.
    [[nodiscard]] pipeline::State state_of(const Hash& block) const;
    //! The newest state at or below the durable committed block: memory may be some commits ahead of it.
    [[nodiscard]] pipeline::State stored_state() const { return stored_state_; }
    [[nodiscard]] pipeline::State head_state() const { return state_of(tree_->head().hash); }
    //! The way to the state after a block of the tree, or the committed one, that has none; nothing for any
    //! other block, and while commits that the way needs aren't stored.
    [[nodiscard]] std::optional<Derivation> derivation(const Hash& block) const;
    //! A longer run leaves the state of its end alone. The next block may stand on the end's parent when
    //! the end was never certified, so near the tip that state is made too, soon, on the consensus
    //! strand. Cheap when it is there already.
    void know_head_parent();
    //! Whether a certified block proves that more than f authorities are Byzantine: it isn't on the chain
    //! that is committed here, and yet a quorum certified it in a slot after the committed block's. Who
    //! approved the committed block's certified children is locked on it, and approves no other branch.
    [[nodiscard]] bool contradicts(std::uint64_t height, const Hash& block, std::uint64_t slot) const;
    //! The block of the head's chain at this height; nothing above the head, and when the store, which is asked below
    //! what is committed, can't be read.
    [[nodiscard]] std::optional<Hash> hash_at(std::uint64_t height) const;
    //! The newest certified block of our best chain, or the head when that can't be told.
    [[nodiscard]] Hash certified_head() const;
    [[nodiscard]] store::Store& store() const { return store_; }
    [[nodiscard]] const chain::BlockTree& tree() const { return *tree_; }
    [[nodiscard]] const synod_weight& head_weight() const { return head_weight_; }
    [[nodiscard]] const synod_chain_info& info() const { return info_; }
    //! The certificate of a block of the tree, or of the committed block; empty when unknown.
    [[nodiscard]] Bytes certificate_of(const Hash& block) const;
    [[nodiscard]] bool durable() const { return pending_commits_ == 0 && !faulted_; }
    [[nodiscard]] std::uint32_t header_length() const { return header_length_; }
    //! A proof that the newest certified block of our best chain is certified, and which it is.
    struct HeadProof {
        chain::Pointer block;
        std::uint64_t slot = 0;
        Bytes proof;
    };
    [[nodiscard]] std::optional<HeadProof> head_proof() const;
    //! Bytes of a best-chain block above the committed one, or of the committed one itself.
    [[nodiscard]] SharedBytes block_at(std::uint64_t height) const;

  private:
    struct Saved {
        chain::Pointer block;
        pipeline::State state;
    };

    Result<void> write_genesis();
    //! The newest state at or below the committed block; what follows it is replayed at a start.
    [[nodiscard]] pipeline::State saved_state() const {
        return !saved_.empty() && saved_.front().block.height <= tree_->committed().height
                   ? saved_.front().state
                   : pipeline::State{};
    }
    Result<void> read_store();
    Result<void> adopt_forks();
    void refresh_head();
    store::Commit settle(std::vector<store::ForkBlock> added);
    //! Keeps of the states that may be saved the newest on the committed path, first, and those above.
    void settle_saved(const chain::Settled& settled, const chain::Pointer& to);
    void write(store::Commit change, std::function<void(Result<void>)> durable);

    pipeline::Pipeline& pipeline_;
    store::Store& store_;
    const std::size_t max_blocks_;
    Writer* writer_ = nullptr;
    Listener listener_;
    std::unique_ptr<chain::BlockTree> tree_;
    std::unordered_map<Hash, pipeline::State> states_;
    std::unordered_map<Hash, synod_weight> weights_;
    std::unordered_map<Hash, Bytes> certificates_;
    std::deque<Saved> saved_;
    pipeline::State stored_state_;
    SharedBytes committed_block_;
    chain::Pointer final_;
    chain::Pointer announced_;  // the committed block of the last change that was handed to the writer
    synod_weight head_weight_{};
    synod_chain_info info_{};
    std::uint32_t header_length_ = 0;
    std::uint32_t pending_commits_ = 0;
    bool deriving_ = false;  // know_head_parent is at work
    bool faulted_ = false;  // a commit failed: until the reload what is in memory may not be stored
    bool loaded_ = false;
};

}  // namespace synod::app
