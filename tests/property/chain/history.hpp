// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A made chain with forks, cut into batches, and the check that a store holds a whole prefix of it.
//! One thread; the test owns it. It knows every good block, so that nothing else may be stored.

#include <map>
#include <random>
#include <set>

#include "core/store/store.hpp"
#include "tests/support/federation_chain.hpp"

namespace synod::testing {

struct MadeBlock {
    ByteVector bytes;
    Hash hash, parent;
    std::uint64_t height = 0;
};

//! Blocks of one branch, each the parent of the next.
struct Batch {
    std::vector<MadeBlock> blocks;
    bool good = true;  //!< false: a signature in it is wrong
};

class History {
  public:
    static constexpr std::uint32_t kAuthorities = 4;
    static constexpr int kSteps = 40;       // batches
    static constexpr int kLongest = 4;      // blocks of one batch
    static constexpr int kLastBlocks = 8;   // in line at the end: they decide

    explicit History(std::uint64_t seed) : random_(seed) {
        blocks_.push_back({chain_.genesis_block, hash_of(chain_.genesis), {}, 0});
        states_.push_back(chain_.fork(chain_.genesis));
        known_[blocks_[0].hash] = 0;
        for (int i = 0; i < kSteps; ++i) {
            // Mostly the newest tip; sometimes the end of a batch before it, which makes a fork. The
            // keeper has no state of a block in the middle of a batch, so nothing forks there.
            const auto back = random_() % 4 == 0 ? random_() % 3 : 0;
            const auto parent = ends_[ends_.size() - 1 - std::min<std::size_t>(back, ends_.size() - 1)];
            add(keeps_commits(parent) ? parent : best(), 1 + static_cast<int>(random_() % kLongest), random_() % 6 == 0);
        }
        add(best(), kLastBlocks, false);
    }
    ~History() {
        for (auto* state : states_) {
            chain_.release(state);
        }
    }
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    [[nodiscard]] const std::vector<Batch>& batches() const { return batches_; }
    [[nodiscard]] const MadeBlock& last() const { return blocks_.back(); }
    [[nodiscard]] store::StoreOptions options() const {
        synod_chain_info info{};
        info.size = sizeof info;
        chain_.check(chain_.api->info(chain_.self(), chain_.genesis, &info, nullptr));
        store::StoreOptions out;
        out.network_id = to_hex({info.network_id, sizeof info.network_id});
        out.genesis_hash = Hash::copy(info.genesis_hash);
        return out;
    }
    [[nodiscard]] std::string genesis_yaml() const {
        std::string out = "name: test\nauthorities:\n";
        for (const auto& authority : chain_.authorities) {
            out += "  - \"" + to_hex({authority.key.data(), authority.key.size()}) + "\"\n";
        }
        return out;
    }

    //! Why what is stored is no whole prefix; empty when it is one. `committed`: the committed height.
    std::string wrong_with(store::Store& store, std::uint64_t& committed) const;

  private:
    Hash hash_of(const synod_state* state) { return Hash::copy(chain_.weigh(state).hash); }

    //! No quorum certifies a branch that leaves out what the best one has committed.
    bool keeps_commits(std::size_t tip) {
        const auto committed = chain_.weigh(states_[best()]);
        while (blocks_[tip].height > committed.committed_height) {
            tip = known_.at(blocks_[tip].parent);
        }
        return blocks_[tip].hash == Hash::copy(committed.committed_hash);
    }

    std::size_t best() {
        std::size_t out = 0;
        for (const auto i : ends_) {
            const auto a = chain_.weigh(states_[i]), b = chain_.weigh(states_[out]);
            if (std::memcmp(a.key, b.key, sizeof a.key) > 0) {
                out = i;
            }
        }
        return out;
    }

    void add(std::size_t parent, int count, bool spoil) {
        Batch batch;
        const auto good_blocks = blocks_.size();
        for (int i = 0; i < count; ++i) {
            auto* state = chain_.fork(states_[parent]);
            slot_ += 1 + (random_() % 8 == 0 ? 1 : 0);
            MadeBlock block;
            block.bytes = chain_.block(state, slot_, chain_.certificate(state),
                                       {ByteVector(1 + random_() % 300, static_cast<std::uint8_t>(random_()))});
            chain_.check(chain_.apply(state, block.bytes, 1));
            block.hash = hash_of(state);
            block.parent = blocks_[parent].hash;
            block.height = blocks_[parent].height + 1;
            batch.blocks.push_back(block);
            parent = blocks_.size();
            known_[block.hash] = parent;
            blocks_.push_back(std::move(block));
            states_.push_back(state);
        }
        if (spoil) {  // the author's signature of one of them; none of the batch may be stored
            batch.blocks[random_() % batch.blocks.size()].bytes[140] ^= 1;
            batch.good = false;
            while (blocks_.size() > good_blocks) {
                known_.erase(blocks_.back().hash);
                chain_.release(states_.back());
                states_.pop_back();
                blocks_.pop_back();
            }
        }
        if (batch.good) {
            ends_.push_back(blocks_.size() - 1);
        }
        batches_.push_back(std::move(batch));
    }

    [[nodiscard]] std::string wrong_packs(store::Store& store, const store::StoredState& held) const;
    [[nodiscard]] std::string wrong_head(store::Store& store, const store::StoredState& held) const;
    [[nodiscard]] std::string wrong_state(store::Store& store, const store::StoredState& held) const;

    mutable FederationChain chain_{kAuthorities};
    std::mt19937_64 random_;
    std::vector<MadeBlock> blocks_;
    std::vector<synod_state*> states_;
    std::vector<std::size_t> ends_{0};  // of batches, as indices of blocks_
    std::map<Hash, std::size_t> known_;
    std::vector<Batch> batches_;
    std::uint64_t slot_ = 0;
};

inline std::string History::wrong_packs(store::Store& store, const store::StoredState& held) const {
    auto hashes = store.hashes(0, static_cast<std::uint32_t>(held.packed_count));
    if (!hashes || hashes->size() != held.packed_count) {
        return "hashes of packed blocks are missing";
    }
    for (std::uint64_t h = 0; h < held.packed_count; ++h) {
        const auto at = known_.find((*hashes)[h]);
        const auto block = store.read_block(h);
        if (at == known_.end() || !block) {
            return "height " + std::to_string(h) + " is a block that nobody made, or can't be read";
        }
        const auto& made = blocks_[at->second];
        if (made.height != h || !std::ranges::equal(block->view, made.bytes) ||
            (h > 0 && made.parent != (*hashes)[h - 1])) {
            return "height " + std::to_string(h) + " does not stand on the one below it";
        }
    }
    const store::ChainPointer last{held.packed_count - 1, hashes->back()};
    if (held.last_packed != last || held.committed != last) {
        return "the committed pointer is not the last packed block";
    }
    if (!held.final_ || held.final_->height > last.height ||
        (*hashes)[held.final_->height] != held.final_->hash) {
        return "the final pointer is off the chain";
    }
    return {};
}

//! From the head down to the committed block there must be no gap.
inline std::string History::wrong_head(store::Store& store, const store::StoredState& held) const {
    auto forks = store.fork_blocks();
    if (!forks || !held.head) {
        return "no fork blocks or no head";
    }
    std::map<Hash, store::ForkBlock> by_hash;
    for (auto& fork : *forks) {
        const auto at = known_.find(fork.hash);
        if (at == known_.end() || !std::ranges::equal(fork.bytes.view, blocks_[at->second].bytes)) {
            return "a fork block that nobody made";
        }
        by_hash[fork.hash] = fork;
    }
    auto hash = held.head->hash;
    auto height = held.head->height;
    while (hash != held.committed->hash) {
        const auto at = by_hash.find(hash);
        if (at == by_hash.end() || at->second.height != height || height <= held.committed->height) {
            return "the head's ancestor at height " + std::to_string(height) + " is not stored";
        }
        hash = at->second.parent;
        --height;
    }
    return height == held.committed->height ? "" : "the head stands on another height";
}

inline std::string History::wrong_state(store::Store& store, const store::StoredState& held) const {
    if (!held.committed_state) {
        return "the saved state is missing";
    }
    MemorySource source({held.committed_state->begin(), held.committed_state->end()});
    synod_state* state = nullptr;
    if (chain_.api->load(chain_.self(), source.raw(), &state, chain_.driver.fresh()) != SYNOD_OK) {
        return std::string("the saved state: ") + chain_.driver.error().message;
    }
    const auto weight = chain_.weigh(state);
    chain_.release(state);
    const auto hashes = store.hashes(weight.height, 1);
    if (weight.height > held.committed->height || !hashes || hashes->empty() ||
        hashes->front() != Hash::copy(weight.hash)) {
        return "the saved state is not one of a committed block";
    }
    return {};
}

inline std::string History::wrong_with(store::Store& store, std::uint64_t& committed) const {
    const auto held = store.load();
    if (!held) {
        return held.error().text();
    }
    if (held->packed_count == 0) {
        return held->head || held->committed ? "pointers without a block" : "";
    }
    for (auto what : {&History::wrong_packs, &History::wrong_head, &History::wrong_state}) {
        if (auto text = (this->*what)(store, *held); !text.empty()) {
            return text;
        }
    }
    const auto report = store.check();
    if (!report || !report->sound()) {
        return report ? report->faults.front() : report.error().text();
    }
    committed = held->committed->height;
    return {};
}

}  // namespace synod::testing
