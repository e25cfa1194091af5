// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/audit.hpp"

#include <algorithm>
#include <utility>

#include "core/app/node/replay.hpp"

namespace synod::app {

namespace {

constexpr std::uint64_t kAuditBytes = 4ull << 20;  // a batch
constexpr const char* kAuditSpace = "audit";
const Bytes kKey{'a', 't'};

}  // namespace

Audit::Audit(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Listener listener)
    : keeper_(keeper), pipeline_(pipeline), listener_(std::move(listener)) {
    take_up();
    if (at_.state == nullptr) {
        begin_anew();
    }
    committed_ = at_;
    noted_ = at_.block.height;
    listener_.note("verifying in full from height " + std::to_string(at_.block.height + 1));
}

void Audit::take_up() {
    auto kept = keeper_.store().get_record(kAuditSpace, kKey);
    if (!kept || !*kept) {
        return;
    }
    struct Loaded {
        pipeline::State state;
        synod_weight weight{};
    };
    auto loaded = blocking(pipeline_, [&]() -> Result<Loaded> {
        auto state = pipeline_.consensus().load(**kept);
        auto weight = state ? pipeline_.consensus().weigh(*state) : std::unexpected(state.error());
        return weight ? Result<Loaded>(Loaded{*state, *weight}) : std::unexpected(weight.error());
    });
    if (!loaded) {
        listener_.note("how far it was verified can't be read: " + loaded.error().text());
        return;
    }
    const chain::Pointer block{loaded->weight.height, Hash::copy(loaded->weight.hash)};
    const auto stored = keeper_.store().hashes(block.height, 1);
    if (stored && stored->size() == 1 && stored->front() == block.hash) {
        at_ = {block, loaded->state};
    }
}

void Audit::begin_anew() {
    auto genesis = blocking(pipeline_, [&] { return pipeline_.consensus().genesis(); });
    const auto hash = keeper_.store().hashes(0, 1);
    if (genesis && hash && hash->size() == 1) {
        at_ = {{0, hash->front()}, genesis->state};
    } else {
        failed_ = true;  // the node would not have loaded the chain either
    }
}

//! Stored ones in one piece a pack, those above the committed one by one.
Result<std::vector<pipeline::Piece>> Audit::blocks_after(std::uint64_t height, std::uint32_t& count) const {
    const auto& tree = keeper_.tree();
    std::vector<pipeline::Piece> out;
    if (height < tree.committed().height) {
        const auto left = tree.committed().height - height;
        const auto wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kAuditBlocks));
        auto range = keeper_.store().read_range(height + 1, wanted, kAuditBytes, SYNOD_BLOCK_MAX);
        if (!range) {
            return std::unexpected(range.error());
        }
        for (auto& part : range->parts) {
            out.push_back({std::move(part.bytes), {}});
        }
        count = range->count;
        return out;
    }
    for (; count < kAuditBlocks && height + count < tree.head().height; ++count) {
        out.push_back({keeper_.block_at(height + count + 1), {}});
    }
    return out;
}

void Audit::step() {
    if (running_ || failed_ || !listener_.idle()) {
        return;
    }
    const auto& tree = keeper_.tree();
    if (at_.block.height > tree.committed().height) {
        const auto* ours = tree.on_best_chain(at_.block.height);
        if (ours == nullptr || ours->hash != at_.block.hash) {
            at_ = committed_;  // the chain took another way
        }
    }
    if (at_.block.height >= tree.head().height) {
        return;
    }
    std::uint32_t count = 0;
    auto pieces = blocks_after(at_.block.height, count);
    if (!pieces) {
        complain("blocks to verify can't be read: " + pieces.error().text());
        return;
    }
    if (count == 0) {
        return;  // not stored yet
    }
    pipeline::BlocksJob job;
    job.pieces = std::move(*pieces);
    job.from = at_.block.height + 1;
    job.count = count;
    job.parent = at_.block.hash;
    job.level = SYNOD_LEVEL_FULL;
    job.max_slot = ~0ull;  // whether its time had come was asked when it was taken
    job.base = at_.state;
    job.sequence = false;
    job.done = [this](auto result) { done(std::move(result)); };
    running_ = true;
    pipeline_.submit(std::move(job));
}

void Audit::done(std::expected<pipeline::ChainSegment, pipeline::Fault> result) {
    running_ = false;
    if (!result) {
        const auto& fault = result.error();
        if (fault.self_fault) {
            complain("our own failure to verify in full: " + fault.detail);
            return;  // again with the next step
        }
        failed_ = true;
        listener_.failed({"chain.audit",
                          "a block that a certificate vouched for breaks the rule " + fault.rule + ": " + fault.detail,
                          "height " + std::to_string(fault.height) + " block " + to_hex(fault.hash.view()),
                          "this node produces nothing on it; compare with the other authorities before anything else"});
        return;
    }
    const auto& last = result->blocks.back().view;
    at_ = {{last.height, Hash::copy(last.hash)}, std::move(result->state)};
    if (at_.block.height <= keeper_.tree().committed().height) {
        committed_ = at_;
        if (committed_.block.height >= noted_ + kAuditNoteBlocks) {
            keep_note();
        }
    }
    step();
}

//! Once a reason: it is tried again with every step.
void Audit::complain(const std::string& text) {
    if (std::exchange(complaint_, text) != text) {
        listener_.note(text);
    }
}

void Audit::keep_note() {
    noted_ = committed_.block.height;
    auto saved = std::make_shared<Bytes>();
    pipeline_.on_consensus(
        [this, saved, state = committed_.state] {
            if (auto bytes = pipeline_.consensus().save(state)) {
                *saved = std::move(*bytes);
            }
        },
        [this, saved] {
            if (!saved->empty()) {
                listener_.keep({kAuditSpace, kKey, std::move(*saved)});
            }
        });
}

}  // namespace synod::app
