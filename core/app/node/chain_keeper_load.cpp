// SPDX-License-Identifier: Apache-2.0
//! ChainKeeper at a start, and after a fault of the store: the tree is made of what the disk has.
#include "core/app/node/chain_keeper.hpp"

#include <cassert>

#include "core/app/node/chain_terms.hpp"
#include "core/app/node/replay.hpp"
#include "core/base/planted.hpp"

namespace synod::app {

namespace {

using pipeline::CheckSet;

constexpr const char* kRepair =
    "run `synod checkpoint recover` with the manifest: it keeps every block that can be read";

}  // namespace

Result<void> ChainKeeper::write_genesis() {
    auto genesis = blocking(pipeline_, [&] { return pipeline_.consensus().genesis(); });
    if (!genesis) {
        return std::unexpected(genesis.error());
    }
    auto state = blocking(pipeline_, [&] { return pipeline_.consensus().save(genesis->state); });
    auto decoded = pipeline_.consensus().decode(SYNOD_FORM_BLOCKS, genesis->block, 2);
    if (!state || !decoded || decoded->views.size() != 1) {
        return fail("plugin.misbehaving", "its genesis can't be saved or read back", "consensus.genesis");
    }
    const chain::Pointer pointer{0, hash_of(decoded->views[0])};
    store::Commit change;
    store::BlockRun run{0, SharedBytes(genesis->block), {}, {pointer.hash}};
    run.ends.push_back(static_cast<std::uint32_t>(genesis->block.size()));
    change.runs.push_back(std::move(run));
    change.head = change.committed = change.final_ = stored(pointer);
    change.committed_state = std::move(*state);
    return store_.commit(change);
}

Result<void> ChainKeeper::reload() {
    assert(idle());
    loaded_ = false;
    states_.clear();
    weights_.clear();
    certificates_.clear();
    saved_.clear();
    if (writer_ != nullptr) {
        writer_->resume();
    }
    return load();
}

Result<void> ChainKeeper::load() {
    auto done = read_store();
    loaded_ = done.has_value();
    faulted_ = faulted_ && !loaded_;
    if (!done && done.error().code == "store.corrupt") {
        done.error().hint = kRepair;
    }
    return done;
}

Result<void> ChainKeeper::read_store() {
    auto loaded = store_.load();
    if (loaded && loaded->packed_count == 0) {
        if (auto written = write_genesis(); !written) {
            return written;
        }
        loaded = store_.load();
    }
    if (!loaded) {
        return std::unexpected(loaded.error());
    }
    if (!loaded->committed_state || !loaded->last_packed) {
        return fail("store.corrupt", "the saved consensus state is missing", "meta", kRepair);
    }
    auto state = blocking(pipeline_, [&] { return pipeline_.consensus().load(*loaded->committed_state); });
    if (!state) {
        return std::unexpected(state.error());
    }
    auto weight = blocking(pipeline_, [&] { return pipeline_.consensus().weigh(*state); });
    auto info = pipeline_.consensus().info(*state);
    if (!weight || !info) {
        return std::unexpected(weight ? info.error() : weight.error());
    }
    info_ = *info;
    auto replayed = replay(pipeline_, store_, *state, weight->height + 1);
    if (replayed.stopped || replayed.next != loaded->packed_count) {
        return fail("chain.replay", replayed.stopped ? replayed.stopped->text() : "blocks are missing",
                    "height " + std::to_string(replayed.next), kRepair);
    }
    *state = std::move(replayed.state);
    auto block = store_.read_block(loaded->last_packed->height);
    if (!block) {
        return std::unexpected(block.error());
    }
    committed_block_ = *block;
    auto view = pipeline_.consensus().decode(SYNOD_FORM_BLOCKS, block->view, 1);
    if (!view || view->views.size() != 1) {
        return fail("store.corrupt", "the newest packed block can't be read", "packs");
    }
    header_length_ = view->views[0].header_length;
    const chain::Pointer committed{loaded->last_packed->height, loaded->last_packed->hash};
    tree_ = std::make_unique<chain::BlockTree>(committed, view->views[0].slot, max_blocks_);
    states_[committed.hash] = *state;
    if (auto w = blocking(pipeline_, [&] { return pipeline_.consensus().weigh(*state); })) {
        weights_[committed.hash] = *w;
    }
    saved_.push_back({committed, *state});
    stored_state_ = *state;
    if (auto adopted = SYNOD_PLANTED("forks_forgotten") ? Result<void>{} : adopt_forks(); !adopted) {
        return adopted;
    }
    tree_->choose();
    announced_ = tree_->committed();
    if (loaded->head_certificate && loaded->head && loaded->head->hash == tree_->head().hash) {
        certificates_[loaded->head->hash] = *loaded->head_certificate;
    }
    refresh_head();
    return {};
}

Result<void> ChainKeeper::adopt_forks() {
    auto forks = store_.fork_blocks();
    if (!forks) {
        return std::unexpected(forks.error());
    }
    for (auto& fork : *forks) {
        const auto parent = state_of(fork.parent);
        if (!parent) {
            continue;  // its branch lost; the next commit that settles its height drops it
        }
        auto segment = blocking(pipeline_, [&]() -> Result<pipeline::ChainSegment> {
            auto decoded = pipeline_.consensus().decode(SYNOD_FORM_BLOCKS, fork.bytes.view, 1);
            auto state = pipeline_.consensus().fork(parent);
            if (!decoded || !state) {
                return std::unexpected(decoded ? state.error() : decoded.error());
            }
            CheckSet unproven;
            synod_plan_options options{};
            options.level = SYNOD_LEVEL_FULL;
            options.max_slot = ~0ull;
            auto planned = pipeline_.consensus().plan(*state, fork.bytes.view, decoded->views, options,
                                                      unproven);
            if (!planned) {
                return std::unexpected(planned.error().error);
            }
            auto weight = pipeline_.consensus().weigh(*state);
            if (!weight) {
                return std::unexpected(weight.error());
            }
            return pipeline::ChainSegment{{{decoded->views[0], fork.bytes}}, *state, *weight};
        });
        if (!segment) {
            return fail("chain.replay", segment.error().text(), "height " + std::to_string(fork.height),
                        kRepair);
        }
        auto block = tree_block(segment->blocks[0]);
        block.key = key_of(segment->weight);
        block.committed = committed_of(segment->weight);
        block.final = final_of(segment->weight);
        states_[block.hash] = segment->state;
        weights_[block.hash] = segment->weight;
        tree_->insert(std::move(block));
    }
    return {};
}

}  // namespace synod::app
