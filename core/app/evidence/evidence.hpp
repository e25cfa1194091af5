// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Equivocation: notices two statements of one authority for one slot, proves them, keeps the proof and tells
//! everybody; verifies what others tell. What convicts is the consensus plugin's. Control thread; plugin calls
//! that prove run on the consensus strand, signatures in the validation backend.

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

#include "core/app/evidence/evidence_book.hpp"
#include "core/app/evidence/testimonies.hpp"
#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/gossip_digest.hpp"
#include "core/app/node/links.hpp"
#include "core/pipeline/pipeline.hpp"

namespace synod::app {

inline constexpr std::uint16_t kGossipEvidence = 3;
//! Blocks of older slots are history: nobody is watched for them.
inline constexpr std::uint64_t kWatchedSlots = 1'024;
//! Approvals that came before their block, the newest; each waits for it.
inline constexpr std::size_t kMaxEarlyApprovals = 1'024;
//! Evidence that was looked at, so that each piece is checked and relayed once.
inline constexpr std::size_t kMaxSeenEvidence = 1'024;
//! Pieces being checked at once; more are not looked at.
inline constexpr std::size_t kMaxEvidenceInWork = 16;

class Evidence {
  public:
    struct Listener {
        //! `now_slot`: what is watched ends there.
        std::function<std::uint64_t()> now_slot;
        std::function<UnixMs()> unix_now;
        std::function<void(std::uint64_t peer, const pipeline::Fault&)> misbehaved;
        std::function<void(const Error&)> problem;
        std::function<void(store::Record)> keep;  //!< to be written to the store
        std::function<void(const ProvenEvidence&)> proven;  //!< a new piece; not those of earlier runs
    };
    Evidence(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links, Listener listener);

    //! Takes up what earlier runs kept. Once, after the chain was loaded.
    void restore();
    //! Blocks that hold, from wherever they came.
    void on_proven(const pipeline::ChainSegment& segment);
    //! An approval whose signature holds.
    void on_approval(const synod_attestation& what, const SharedBytes& bytes);
    //! What a peer relays.
    void on_gossip(std::uint64_t peer, const SharedBytes& bytes);
    //! A new peer gets a piece about everybody.
    void greet(std::uint64_t peer) const;
    [[nodiscard]] const EvidenceBook& book() const { return book_; }

  private:
    void note(const Said& said, ByteView block, ByteView attestation);
    void judge(std::uint64_t peer, SharedBytes bytes);
    void accept(const synod_evidence& what, const SharedBytes& bytes, std::uint64_t from);
    bool first_time(const SharedBytes& bytes);

    ChainKeeper& keeper_;
    pipeline::Pipeline& pipeline_;
    Links& links_;
    Listener listener_;
    Testimonies testimonies_;
    EvidenceBook book_;
    struct Early {
        Hash block;
        synod_attestation what{};
        SharedBytes bytes;
    };
    std::deque<Early> early_;
    SeenGossip seen_{kMaxSeenEvidence};
    std::size_t in_work_ = 0;
    bool unable_ = false;  // the plugin has no evidence
};

}  // namespace synod::app
