// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Read -> plan -> prove, over the workers. Reading (decoding and hashing) runs anywhere, once a block;
//! planning on the consensus strand in the order of submission, proving on the validation strand; so
//! batch k is proven while batch k+1 is planned on top of it. The pipeline decides nothing: every job ends with exactly one
//! call of its `done`, through `deliver` (which posts to the control thread), in submission order
//! for jobs of one kind but reads. Thread-safe.

#include <condition_variable>
#include <functional>
#include <memory>

#include "core/pipeline/check_set.hpp"
#include "core/pipeline/consensus.hpp"
#include "core/pipeline/worker_pool.hpp"

namespace synod::pipeline {

//! Proves the checks of a batch: every verdict is written, or an error. Called on the validation
//! strand. The host puts the chosen backend behind it (and, in `paranoid`, the reference beside it).
using Prover = std::function<Result<void>(CheckSet&)>;

//! Whether a failed decode says that the bytes can't be read, which is their sender's fault. Any other
//! failure of the call is ours.
bool sender_is_to_blame(const Error& error);

//! What a job found wrong. `rule` names the check; self_fault when it was our own failure.
struct Fault {
    std::string rule;
    std::uint64_t height = 0;
    Hash hash;
    std::string detail;
    bool self_fault = false;
    bool not_yet = false;  //!< nobody's: the state can't judge it
};

//! One planned and proven block, as the chain needs it.
struct ProvenBlock {
    HeaderView view{};
    SharedBytes bytes;
};

struct ChainSegment {
    std::vector<ProvenBlock> blocks;
    State state;  //!< after the last block
    synod_weight weight{};
};

//! Encoded blocks in a row.
struct Piece {
    SharedBytes bytes;
    //! What reading them gave; null when they weren't read yet. Offsets are into `bytes`.
    std::shared_ptr<const std::vector<HeaderView>> views;
};

//! Exactly `count` blocks that fill `bytes`, and nothing else is asked of them yet.
struct ReadJob {
    SharedBytes bytes;
    std::uint32_t count = 0;
    std::uint64_t from = 0;  //!< height of the first, as it was asked for
    std::function<void(std::expected<Piece, Fault>)> done;
};

struct BlocksJob {
    std::vector<Piece> pieces;        //!< in order
    std::uint64_t from = 0;           //!< height of the first
    std::uint32_t count = 0;          //!< exactly so many blocks
    Hash parent;
    Hash expected_end;  //!< zero: any
    //! A certificate above vouches for them: signatures are checked of the run's last block alone.
    bool vouched = false;
    std::uint32_t level = SYNOD_LEVEL_FULL;
    std::uint64_t max_slot = 0;
    //! The state to continue; empty: the one that the last job of the sequence left behind.
    State base;
    //! [worker] Makes the state to continue where neither gives one; empty or a null state: there is none.
    std::function<State()> derive;
    //! Part of the sequence that later jobs continue; false for a single block at the tip.
    bool sequence = true;
    std::function<void(std::expected<ChainSegment, Fault>)> done;
};

struct HeadersJob {
    SharedBytes run;
    SharedBytes proof;
    std::uint32_t count = 0;
    HeaderView parent{};
    State state;
    std::uint64_t max_slot = 0;
    std::function<void(std::expected<std::vector<HeaderView>, Fault>)> done;
};

struct ProofJob {
    SharedBytes proof;
    State state;
    std::function<void(std::expected<HeaderView, Fault>)> done;
};

//! Sets of checks that are kept for later jobs: as many as are usually under way at once.
inline constexpr std::size_t kSpareCheckSets = 8;

class Pipeline {
  public:
    //! `deliver` posts to the control thread. All references outlive the pipeline. The strands are those
    //! of the two plugins; the prover may do without one of its own.
    Pipeline(Workers& pool, Consensus& consensus, Prover prover,
             std::function<void(std::function<void()>)> deliver,
             std::shared_ptr<Strand> consensus_strand, std::shared_ptr<Strand> validation_strand = {});

    //! Reads of different calls run side by side and may end in any order.
    void submit(ReadJob job);
    //! Returns when no read is under way. Not on a worker.
    void drain_reads();
    void submit(BlocksJob job);
    void submit(HeadersJob job);
    void submit(ProofJob job);
    //! Forgets the state that `base`-less jobs continue: the next blocks job must bring one. Jobs
    //! that were submitted before and not planned yet fail with rule "superseded", our own fault.
    void reset();
    //! Runs `work` as [worker] of the consensus plugin, then `done` on the control thread.
    void on_consensus(std::function<void()> work, std::function<void()> done);
    //! The same, waited for. Not from a task.
    void on_consensus_and_wait(const std::function<void()>& work);
    //! The same for checks that are ready: proves them, then done(first failure or error).
    void prove(std::shared_ptr<CheckSet> checks,
               std::function<void(Result<std::optional<FailedCheck>>)> done);
    [[nodiscard]] Consensus& consensus() { return consensus_; }

  private:
    struct Running;
    std::unique_ptr<CheckSet> take_checks();
    void give_back(std::vector<std::unique_ptr<CheckSet>>& checks);
    std::expected<Piece, Fault> read(const SharedBytes& bytes, std::size_t count,
                                     std::uint64_t from) const;
    void read_all(const std::shared_ptr<Running>& run);
    void plan(const std::shared_ptr<Running>& run);
    void finish(const std::shared_ptr<Running>& run);

    Workers& pool_;
    Consensus& consensus_;
    Prover prover_;
    std::function<void(std::function<void()>)> deliver_;
    std::shared_ptr<Strand> plan_strand_;
    std::shared_ptr<Strand> prove_strand_;
    std::mutex reads_mutex_;
    std::condition_variable no_reads_;
    std::size_t reads_ = 0;
    std::mutex spare_mutex_;
    std::vector<std::unique_ptr<CheckSet>> spare_;  // empty sets that kept their memory
    std::mutex generation_mutex_;
    std::uint64_t generation_ = 0;
    State speculative_;  // plan strand only, like the two below
    Hash speculative_hash_;
    std::uint64_t speculative_generation_ = 0;
};

}  // namespace synod::pipeline
