// SPDX-License-Identifier: Apache-2.0
#include "core/app/forge/chain_writer.hpp"

namespace synod::app::forge {

namespace {

Hash hash_of(const pipeline::HeaderView& view) { return Hash::copy(view.hash); }

}  // namespace

Result<store::Commit> ChainWriter::genesis(const Bytes& block, const pipeline::State& state) {
    auto decoded = consensus_.decode(SYNOD_FORM_BLOCKS, block, 1);
    auto kept = consensus_.fork(state);
    auto bytes = consensus_.save(state);
    if (!decoded || decoded->views.size() != 1 || !kept || !bytes) {
        return fail("plugin.misbehaving", "its genesis can't be saved or read back", "consensus.genesis");
    }
    store::Commit change;
    const store::ChainPointer pointer{0, hash_of(decoded->views[0])};
    store::BlockRun run{0, SharedBytes(block), {}, {pointer.hash}};
    run.ends.push_back(static_cast<std::uint32_t>(block.size()));
    change.runs.push_back(std::move(run));
    change.head = change.committed = change.final_ = pointer;
    change.committed_state = std::move(*bytes);
    saved_.push_back({0, std::move(*kept)});
    return change;
}

Result<void> ChainWriter::take(Made made, const pipeline::State& state, bool keep_state) {
    if (keep_state) {
        auto kept = consensus_.fork(state);
        if (!kept) {
            return std::unexpected(kept.error());
        }
        saved_.push_back({made.view.height, std::move(*kept)});
    }
    pending_.push_back(std::move(made));
    return {};
}

Result<store::Commit> ChainWriter::collect(const synod_weight& weight, const Bytes& certificate) {
    store::Commit change;
    store::BlockRun run;
    Bytes bytes;
    while (!pending_.empty() && pending_.front().view.height <= weight.committed_height) {
        const auto& made = pending_.front();
        if (run.hashes.empty()) {
            run.first_height = made.view.height;
        }
        bytes.insert(bytes.end(), made.bytes.begin(), made.bytes.end());
        run.ends.push_back(static_cast<std::uint32_t>(bytes.size()));
        run.hashes.push_back(hash_of(made.view));
        if (!stored_forks_.empty() && stored_forks_.front() == run.hashes.back()) {
            change.drop_forks.push_back(stored_forks_.front());
            stored_forks_.pop_front();
        }
        pending_.pop_front();
    }
    if (!run.hashes.empty()) {
        run.bytes = SharedBytes(std::move(bytes));
        change.runs.push_back(std::move(run));
    }
    for (std::size_t i = stored_forks_.size(); i < pending_.size(); ++i) {
        const auto& made = pending_[i];
        change.add_forks.push_back({hash_of(made.view), Hash::copy(made.view.parent), made.view.height,
                                    SharedBytes(made.bytes)});
        stored_forks_.push_back(hash_of(made.view));
    }
    // The newest state at or below the committed block: a node replays what follows it.
    while (saved_.size() > 1 && saved_[1].height <= weight.committed_height) {
        saved_.pop_front();
    }
    auto saved = consensus_.save(saved_.front().state);
    if (!saved) {
        return std::unexpected(saved.error());
    }
    change.committed_state = std::move(*saved);
    change.committed = {weight.committed_height, Hash::copy(weight.committed_hash)};
    change.final_ = {weight.final_height, Hash::copy(weight.final_hash)};
    change.head = {weight.height, Hash::copy(weight.hash)};
    change.head_certificate = certificate;
    return change;
}

}  // namespace synod::app::forge
