// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Merged mining: gives work, takes proofs from miners and records from peers, keeps what holds until a
//! block carries it. What work is and what proves it is the consensus plugin's. Control thread; plugin
//! calls run on the consensus strand, hashes in the validation backend.

#include <functional>
#include <memory>

#include "core/app/mining/record_pool.hpp"
#include "core/app/mining/work_book.hpp"
#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/gossip_digest.hpp"
#include "core/app/node/links.hpp"
#include "core/health/pow_stage.hpp"
#include "core/pipeline/pipeline.hpp"

namespace synod::app {

inline constexpr std::uint16_t kGossipRecord = 2;
//! Records of peers that were looked at, so that each is checked and relayed once.
inline constexpr std::size_t kMaxSeenRecords = 1'024;
//! Records and proofs being checked at once; more are refused, or not looked at.
inline constexpr std::size_t kMaxRecordsInWork = 16;

struct MiningStatus {
    std::uint64_t blocks_without_pow = 0;
    std::uint64_t max_blocks_without_pow = 0;  //!< 0: no merged mining
    health::PowStage stage = health::PowStage::off;
    std::size_t given_work = 0, waiting_records = 0;
    std::uint64_t accepted = 0, refused = 0;  //!< proofs of miners since the start
};

class Mining {
  public:
    struct Listener {
        std::function<void(std::uint64_t peer, const pipeline::Fault&)> misbehaved;
        std::function<void(const Error&)> problem;
        std::function<void(store::Record)> keep;  //!< to be written to the store
        std::function<void(const std::string&)> note;
        std::function<UnixMs()> unix_now;
    };
    Mining(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links, Listener listener);

    //! Takes up what an earlier run left. Once, after the chain was loaded.
    void restore();
    //! Errors: mining.no_work (nothing is committed that is not final), mining.payout, plugin.*.
    void give(Bytes payout, std::function<void(Result<GivenWork>)> done);
    //! A miner's proof of work that was given. Errors: mining.unknown_work (never given, or expired),
    //! mining.duplicate, mining.stale (another proof made its range final, or reaches as far),
    //! mining.busy, and mining.<rule> when a rule of the chain refuses it, its dashes as underscores.
    void submit(const Hash& work, Bytes proof, std::function<void(Result<void>)> done);
    //! A record that a peer relays.
    void on_record(std::uint64_t peer, const SharedBytes& bytes);
    //! A new peer gets what waits.
    void greet(std::uint64_t peer) const;
    //! Once a slot, and after the head changed.
    void settle();
    //! For the next block, best first.
    [[nodiscard]] std::vector<Bytes> records() const;
    //! Blocks of our head above what is final, or will be once the waiting record is carried.
    [[nodiscard]] std::uint64_t blocks_without_proof() const;
    [[nodiscard]] MiningStatus status() const;
    //! Whether the stage moved since it was last asked for.
    [[nodiscard]] std::optional<health::PowStage> moved_stage();

  private:
    struct Judged;
    void judge(std::shared_ptr<Judged> judged, std::function<void()> done);
    void accept(const Judged& judged, std::uint64_t from);
    void keep_work();
    void keep_records();

    ChainKeeper& keeper_;
    pipeline::Pipeline& pipeline_;
    Links& links_;
    Listener listener_;
    WorkBook book_;
    RecordPool pool_;
    SeenGossip seen_{kMaxSeenRecords};
    std::size_t in_work_ = 0;
    std::uint64_t governance_sequence_ = 0;
    std::uint64_t accepted_ = 0, refused_ = 0;
    health::PowStage told_ = health::PowStage::off;
};

}  // namespace synod::app
