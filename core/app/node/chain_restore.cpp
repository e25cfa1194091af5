// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/chain_restore.hpp"

#include "core/app/node/replay.hpp"

namespace synod::app {

namespace {

//! Whether an error speaks of the stored bytes, which won't get better, or of what just happened to us.
bool is_damage(const Error& error) {
    return error.code == "store.corrupt" || error.code == "store.missing" ||
           error.code == "store.too_large" || error.code == "consensus.refused" ||
           error.code == "plugin.corrupt_input" || error.code == "plugin.invalid_call";
}

struct Weighed {
    synod_weight weight{};
    Bytes saved;
};

Result<Weighed> weigh_and_save(pipeline::Pipeline& pipeline, const pipeline::State& state) {
    return blocking(pipeline, [&]() -> Result<Weighed> {
        auto weight = pipeline.consensus().weigh(state);
        auto saved = weight ? pipeline.consensus().save(state) : std::unexpected(weight.error());
        if (!saved) {
            return std::unexpected(saved.error());
        }
        return Weighed{*weight, std::move(*saved)};
    });
}

}  // namespace

Result<Restoration> plan_restoration(pipeline::Pipeline& pipeline, store::Store& store,
                                     pipeline::State base) {
    if (base == nullptr) {
        auto genesis = blocking(pipeline, [&] { return pipeline.consensus().genesis(); });
        if (!genesis) {
            return std::unexpected(genesis.error());
        }
        base = genesis->state;
    }
    auto begun = weigh_and_save(pipeline, base);
    if (!begun) {
        return std::unexpected(begun.error());
    }
    auto replayed = replay(pipeline, store, base, begun->weight.height + 1);
    if (replayed.stopped && !is_damage(*replayed.stopped)) {
        return std::unexpected(*replayed.stopped);
    }
    auto end = weigh_and_save(pipeline, replayed.state);
    if (!end) {
        return std::unexpected(end.error());
    }
    Restoration out;
    out.base = begun->weight.height;
    out.head = {end->weight.height, Hash::copy(end->weight.hash)};
    auto& change = out.change;
    change.head = change.committed = out.head;
    change.final_ = store::ChainPointer{end->weight.final_height, Hash::copy(end->weight.final_hash)};
    change.committed_state = std::move(end->saved);
    change.head_certificate = Bytes{};
    change.drop_all_forks = !store.fork_blocks();
    if (replayed.stopped) {
        out.damage = std::move(replayed.stopped);
        change.truncate_from = replayed.next;
        change.drop_all_forks = true;
        if (const auto stored = store.load(); stored && stored->packed_count > replayed.next) {
            out.given_up = stored->packed_count - replayed.next;
        }
    }
    return out;
}

}  // namespace synod::app
