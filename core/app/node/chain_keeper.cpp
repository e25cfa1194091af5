// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/chain_keeper.hpp"
#include "core/base/planted.hpp"

#include <algorithm>
#include <cassert>
#include <unordered_set>

#include "core/app/node/chain_terms.hpp"

namespace synod::app {

namespace {

using pipeline::State;

//! Settled blocks as runs: neighbours in one frame stay one span, so nothing is copied.
std::vector<store::BlockRun> runs_of(const std::vector<chain::Block>& blocks) {
    std::vector<store::BlockRun> out;
    for (const auto& block : blocks) {
        const bool continues =
            !out.empty() && out.back().bytes.owner == block.bytes.owner &&
            out.back().bytes.view.data() + out.back().bytes.view.size() == block.bytes.view.data();
        if (!continues) {
            out.push_back({block.height, SharedBytes(block.bytes.owner, block.bytes.view), {}, {}});
        } else {
            auto& view = out.back().bytes.view;
            view = {view.data(), view.size() + block.bytes.view.size()};
        }
        out.back().ends.push_back(static_cast<std::uint32_t>(out.back().bytes.view.size()));
        out.back().hashes.push_back(block.hash);
    }
    return out;
}

}  // namespace

ChainKeeper::ChainKeeper(pipeline::Pipeline& pipeline, store::Store& store, std::size_t max_blocks,
                         Listener listener)
    : pipeline_(pipeline), store_(store), max_blocks_(max_blocks), listener_(std::move(listener)) {}

void ChainKeeper::refresh_head() {
    if (const auto it = weights_.find(tree_->head().hash); it != weights_.end()) {
        head_weight_ = it->second;
    }
    if (const auto state = head_state()) {
        if (auto info = pipeline_.consensus().info(state)) {
            info_ = *info;
        }
    }
}

State ChainKeeper::state_of(const Hash& block) const {
    const auto it = states_.find(block);
    return it == states_.end() ? State{} : it->second;
}

std::optional<Hash> ChainKeeper::hash_at(std::uint64_t height) const {
    const auto committed = tree_->committed();
    if (height == committed.height) {
        return committed.hash;
    }
    if (height > committed.height) {
        const auto* ours = tree_->on_best_chain(height);
        return ours == nullptr ? std::nullopt : std::optional(ours->hash);
    }
    const auto stored = store_.hashes(height, 1);
    return stored && !stored->empty() ? std::optional(stored->front()) : std::nullopt;
}

bool ChainKeeper::contradicts(std::uint64_t height, const Hash& block, std::uint64_t slot) const {
    if (!loaded_ || height > tree_->committed().height || slot <= tree_->committed_slot() ||
        SYNOD_PLANTED("two_chains_go_on")) {
        return false;
    }
    const auto ours = hash_at(height);
    return ours && *ours != block;
}

Hash ChainKeeper::certified_head() const {
    const auto head = tree_->head();
    if (SYNOD_PLANTED("stalled_at_the_head")) {
        return head.hash;
    }
    if (const auto proof = head_proof()) {
        return proof->block.hash;
    }
    // Genesis needs no certificate, and a first block without one is as little to build upon as any other.
    const auto* first = head.height == 1 && tree_->committed().height == 0 ? tree_->find(head.hash) : nullptr;
    return first != nullptr ? first->parent : head.hash;
}

std::optional<Derivation> ChainKeeper::derivation(const Hash& block) const {
    if (!loaded_) {
        return std::nullopt;
    }
    Derivation out;
    auto at = block;
    for (const auto* known = tree_->find(at); known != nullptr; known = tree_->find(at)) {
        if ((out.base = state_of(at)) || out.blocks.size() >= kMaxDerivedBlocks) {
            break;
        }
        out.blocks.push_back(known->bytes);
        at = known->parent;
    }
    if (!out.base && !(out.base = state_of(at))) {
        const auto committed = tree_->committed();
        if (at != committed.hash || pending_commits_ > 0 || !saved_state()) {
            return std::nullopt;
        }
        out.base = saved_.front().state;
        out.from = saved_.front().block.height + 1;
        out.to = committed.height;
    }
    return out;
}

void ChainKeeper::know_head_parent() {
    const auto* head = tree_->find(tree_->head().hash);
    if (head == nullptr || deriving_ || state_of(head->parent) || SYNOD_PLANTED("no_state_of_heads_parent")) {
        return;
    }
    auto way = derivation(head->parent);
    if (!way) {
        return;  // asked again at the next slot
    }
    struct Made {
        State state;
        synod_weight weight{};
    };
    auto made = std::make_shared<Made>();
    deriving_ = true;
    pipeline_.on_consensus(
        [this, way = std::move(*way), made] {
            auto state = way.run(pipeline_.consensus(), store_);
            auto weight = state ? pipeline_.consensus().weigh(*state) : std::unexpected(state.error());
            if (weight) {
                *made = {*state, *weight};
            }
        },
        [this, made, block = head->parent] {
            deriving_ = false;
            if (made->state && (tree_->find(block) != nullptr || tree_->committed().hash == block)) {
                states_.try_emplace(block, made->state);
                weights_.try_emplace(block, made->weight);
            }
        });
}

Bytes ChainKeeper::certificate_of(const Hash& block) const {
    const auto it = certificates_.find(block);
    return it == certificates_.end() ? Bytes{} : it->second;
}

void ChainKeeper::add(pipeline::ChainSegment segment, std::function<void(Result<void>)> durable) {
    if ((!loaded_ || faulted_) && !SYNOD_PLANTED("pushed_into_a_recovery")) {
        durable(fail("chain.unloaded", "the store is being recovered", "chain"));
        return;
    }
    listener_.proven(segment);
    std::vector<store::ForkBlock> added;
    std::optional<Error> error;
    for (std::size_t i = 0; i < segment.blocks.size() && !error; ++i) {
        auto block = tree_block(segment.blocks[i]);
        const chain::Pointer here{block.height, block.hash};
        const bool last = i + 1 == segment.blocks.size();
        if (last) {
            block.key = key_of(segment.weight);
            block.committed = committed_of(segment.weight);
            block.final = final_of(segment.weight);
        }
        store::ForkBlock fork{block.hash, block.parent, block.height, block.bytes};
        switch (tree_->insert(std::move(block))) {
            case chain::Insert::kAdded:
                added.push_back(std::move(fork));
                if (last) {
                    states_[here.hash] = segment.state;
                    weights_[here.hash] = segment.weight;
                    saved_.push_back({here, segment.state});
                }
                break;
            case chain::Insert::kDuplicate:
                if (SYNOD_PLANTED("duplicate_is_an_error")) {
                    error = Error{"chain.duplicate", "it is there already", {}, {}};
                }
                if (last) {  // it may have come inside a longer run, which leaves only its end's state
                    states_.try_emplace(here.hash, segment.state);
                    weights_.try_emplace(here.hash, segment.weight);
                }
                break;
            case chain::Insert::kBelowCommitted: break;  // had it already: success
            case chain::Insert::kUnknownParent:
                error = fail("chain.unknown_parent", "its parent is not in the tree",
                             "height " + std::to_string(fork.height)).error();
                break;
            case chain::Insert::kFull:
                error = fail("chain.tree_full", "too many blocks wait to be committed",
                             "height " + std::to_string(fork.height)).error();
                break;
        }
    }
    if (error && added.empty()) {
        durable(std::unexpected(*error));
        return;
    }
    // What the tree took is stored even when the rest did not fit: its children may come later.
    write(settle(std::move(added)), [error, durable = std::move(durable)](Result<void> stored) {
        durable(stored && error ? std::unexpected(*error) : stored);
    });
}

void ChainKeeper::settle_saved(const chain::Settled& settled, const chain::Pointer& to) {
    // A state of a branch that lost would not be found on the stored chain at the next start.
    const std::unordered_set<Hash> lost(settled.dropped.begin(), settled.dropped.end());
    std::erase_if(saved_, [&](const Saved& s) { return lost.contains(s.block.hash); });
    const auto newest = [&](const Saved& a, const Saved& b) {
        const auto reach = [&](const Saved& s) { return s.block.height <= to.height ? s.block.height + 1 : 0; };
        return reach(a) < reach(b);
    };
    const auto best = std::ranges::max_element(saved_, newest);
    auto kept = std::move(*best);
    std::erase_if(saved_, [&](const Saved& s) { return s.state == nullptr || s.block.height <= to.height; });
    saved_.push_front(std::move(kept));
}

store::Commit ChainKeeper::settle(std::vector<store::ForkBlock> added) {
    store::Commit change;
    tree_->choose();
    refresh_head();
    const auto to = committed_of(head_weight_);
    if (to.height > tree_->committed().height) {
        auto settled = tree_->advance(to);
        if (!settled) {
            listener_.chain_fault(settled.error());
        } else {
            for (const auto& block : settled->committed) {
                change.drop_forks.push_back(block.hash);
                if (block.hash != to.hash) {
                    states_.erase(block.hash);
                    weights_.erase(block.hash);
                    certificates_.erase(block.hash);
                }
            }
            for (const auto& hash : settled->dropped) {
                if (SYNOD_PLANTED("lost_branches_stay_stored")) {
                    break;
                }
                change.drop_forks.push_back(hash);
                states_.erase(hash);
                weights_.erase(hash);
                certificates_.erase(hash);
            }
            std::erase_if(added, [&](const store::ForkBlock& fork) {
                return tree_->find(fork.hash) == nullptr;
            });
            change.runs = runs_of(settled->committed);
            if (SYNOD_PLANTED("pointer_before_blocks") && to.height % 3 == 0) {
                change.runs.clear();
            }
            committed_block_ = settled->committed.back().bytes;
            change.committed = stored(to);
            final_ = final_of(head_weight_);
            change.final_ = stored(final_);
            settle_saved(*settled, to);
        }
    }
    change.add_forks = std::move(added);
    change.head = stored(tree_->head());
    change.head_certificate = certificate_of(tree_->head().hash);
    return change;
}

void ChainKeeper::write(store::Commit change, std::function<void(Result<void>)> durable) {
    const auto head = tree_->head();
    const auto slot = tree_->head_slot();
    const auto committed = change.committed;
    const auto before = std::exchange(announced_, tree_->committed());
    auto shared = std::make_shared<store::Commit>(std::move(change));
    const auto state = saved_state();
    ++pending_commits_;
    const auto finish = [this, shared, head, slot, committed, before, state,
                         durable = std::move(durable)] {
        writer_->post(std::move(*shared), [=, this](Result<void> result) {
            --pending_commits_;
            if (!result) {
                if (SYNOD_PLANTED("goes_on_without_a_store")) {
                    durable({});
                    return;
                }
                faulted_ = true;
                listener_.store_fault(result.error());
                durable(result);
                return;
            }
            faulted_ = false;
            durable(result);
            if (committed) {
                stored_state_ = state;
                listener_.committed(before, {committed->height, committed->hash});
            }
            listener_.head(head, slot);
        });
    };
    pipeline_.on_consensus(
        [this, shared, state] {
            if (state && shared->committed) {
                if (auto bytes = pipeline_.consensus().save(state)) {
                    shared->committed_state = std::move(*bytes);
                }
            }
        },
        finish);
}

void ChainKeeper::restore(store::Commit change, std::function<void(Result<void>)> done) {
    assert(idle() && !loaded_);
    writer_->resume();
    ++pending_commits_;
    writer_->post(std::move(change), [this, done = std::move(done)](Result<void> stored) {
        --pending_commits_;
        done(stored ? reload() : stored);
    });
}

void ChainKeeper::certified(const Hash& block, Bytes certificate, State state,
                            const synod_weight& weight) {
    if (!loaded_ || faulted_ || tree_->find(block) == nullptr || certificates_.contains(block)) {
        return;
    }
    certificates_[block] = std::move(certificate);
    states_[block] = state;
    weights_[block] = weight;
    tree_->rekey(block, key_of(weight), committed_of(weight), final_of(weight));
    write(settle({}), [](Result<void>) {});
}

SharedBytes ChainKeeper::block_at(std::uint64_t height) const {
    if (height == tree_->committed().height) {
        return committed_block_;
    }
    const auto* block = tree_->on_best_chain(height);
    return block == nullptr ? SharedBytes{} : block->bytes;
}

std::optional<ChainKeeper::HeadProof> ChainKeeper::head_proof() const {
    const auto head = tree_->head();
    const auto certificate = certificate_of(head.hash);
    if (!certificate.empty()) {
        if (auto proof = pipeline_.consensus().prove_head(block_at(head.height).view, {}, certificate)) {
            return HeadProof{head, tree_->head_slot(), std::move(*proof)};
        }
    }
    if (head.height <= tree_->committed().height || head.height < 2) {
        return std::nullopt;
    }
    // The head's own certificate isn't known yet, but the head carries its parent's.
    const auto* child = tree_->on_best_chain(head.height);
    const auto parent = block_at(head.height - 1);
    if (child == nullptr || parent.view.empty()) {
        return std::nullopt;
    }
    auto proof = pipeline_.consensus().prove_head(parent.view, child->bytes.view, {});
    const auto* block = tree_->find(child->parent);
    if (!proof) {
        return std::nullopt;
    }
    return HeadProof{{head.height - 1, child->parent},
                     block == nullptr ? 0 : block->slot,
                     std::move(*proof)};
}

}  // namespace synod::app
