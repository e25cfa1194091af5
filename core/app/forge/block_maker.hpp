// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Makes the next block of a forged chain: proposes, signs, plans, votes, certifies, all through the
//! consensus plugin, so a forged chain obeys every rule that a federation's does. Its functions run
//! as [worker] of the consensus plugin. It proves nothing: it signs with keys that it holds.

#include <array>

#include "core/app/forge/authorities.hpp"
#include "core/pipeline/consensus.hpp"
#include "core/pipeline/worker_pool.hpp"

namespace synod::app::forge {

struct Load {
    std::uint64_t seed = 0;
    std::uint32_t transactions = 0;  //!< in every block
    std::uint32_t bytes = 0;         //!< of one transaction
    std::uint32_t record_every = 0;  //!< blocks; 0: none
    std::uint64_t slot_ms = 0;
};

struct Made {
    pipeline::HeaderView view{};
    Bytes bytes;
};

class BlockMaker {
  public:
    //! All references outlive it. `genesis` is the state to build on;
    //! nobody else may hold it.
    BlockMaker(pipeline::Consensus& consensus, pipeline::Workers& pool,
               const Authorities& authorities, const Load& load, pipeline::State genesis);
    BlockMaker(const BlockMaker&) = delete;
    BlockMaker& operator=(const BlockMaker&) = delete;

    //! Reads the chain's facts; once, before next(). Errors: plugin.*.
    Result<void> begin();
    //! The next block in the next slot, certified. Errors: plugin.*, consensus.refused, forge.*.
    Result<Made> next();
    [[nodiscard]] const pipeline::State& state() const { return state_; }
    [[nodiscard]] const synod_weight& weight() const { return weight_; }
    //! Of the newest block; empty for genesis.
    [[nodiscard]] const Bytes& certificate() const { return certificate_; }

  private:
    struct Vote {
        std::uint64_t last_slot = 0;
        synod_lock lock{};
    };
    Result<pipeline::Unsigned> propose(std::uint64_t slot);
    Result<Bytes> mine_record(std::uint64_t slot);
    Result<Bytes> approve();
    void fill_transactions(std::uint64_t height);

    pipeline::Consensus& consensus_;
    pipeline::Workers& pool_;
    const Authorities& authorities_;
    const Load load_;
    pipeline::State state_;
    synod_weight weight_{};
    std::uint32_t quorum_ = 0;
    Bytes certificate_;
    std::vector<Vote> votes_;
    std::array<std::uint8_t, 32> stream_key_{};
    Bytes transactions_;
    std::vector<synod_bytes> spans_;
};

}  // namespace synod::app::forge
