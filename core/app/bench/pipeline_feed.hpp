// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A stretch of the forged chain in memory, and the pipeline over it: what pipeline.* measures and what
//! sync.* stands beside. Main thread; the answers come on a loop thread of its own.

#include <thread>

#include "core/app/bench/workspace.hpp"

namespace synod::app::bench {

//! Blocks of one job: what a node asks a good peer for at a time. Jobs that are under way at once.
inline constexpr std::uint32_t kJobBlocks = 1'024;
inline constexpr std::size_t kJobs = 4;

class PipelineFeed {
  public:
    //! Reads blocks 1..count of the chain. Errors: plugin.*, store.*.
    static Result<std::unique_ptr<PipelineFeed>> make(Workspace& work, std::uint64_t count);
    ~PipelineFeed();
    PipelineFeed(const PipelineFeed&) = delete;
    PipelineFeed& operator=(const PipelineFeed&) = delete;

    struct Run {
        double blocks_per_s = 0;
        double cpu_us_per_block = 0;  //!< processor time of all threads, which a busy machine doesn't stretch
    };
    //! From encoded bytes to verdicts of the first `count` blocks. `full`: every signature, else those of
    //! each job's last block. Errors: bench.refused, plugin.*.
    Result<Run> run(bool full, std::uint64_t count);
    //! libsodium alone on all workers: every signature of so many blocks, as blocks/s.
    double signatures_alone(std::uint64_t count);
    //! libsodium's double SHA-256 alone on all workers: every byte of so many blocks, as blocks/s.
    double hashes_alone(std::uint64_t count);

    [[nodiscard]] std::uint64_t blocks() const { return blocks_; }
    //! Each block by itself, from height 1.
    [[nodiscard]] std::vector<SharedBytes> single_blocks() const;
    [[nodiscard]] double mean_block_bytes() const;
    [[nodiscard]] std::uint32_t signatures_per_block() const;
    [[nodiscard]] std::string isa() const { return runtime_->isa(); }

  private:
    struct Piece {
        SharedBytes bytes;
        std::uint64_t from = 0;
        std::vector<std::uint32_t> ends;
        Hash parent;
    };
    explicit PipelineFeed(std::unique_ptr<Runtime> runtime);
    Result<void> read(const BenchChain& chain, std::uint64_t count);
    double seconds_on_all_workers(std::uint64_t count, const std::function<void(ByteView)>& work);

    std::unique_ptr<Runtime> runtime_;
    std::vector<Piece> pieces_;
    std::uint64_t blocks_ = 0;
    std::jthread loop_;
};

}  // namespace synod::app::bench
