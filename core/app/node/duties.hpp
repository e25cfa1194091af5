// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What an authority does under an open gate: proposes in its slot, approves what the rules allow,
//! and says so when nothing moves (the escape rule of a whole federation's restart). Every node,
//! authority or not, collects approvals into certificates and relays each attestation once.
//! Control thread; plugin calls and signing run on the consensus strand.

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/gossip_digest.hpp"
#include "core/app/node/links.hpp"
#include "core/app/node/recent_times.hpp"
#include "core/app/node/signer.hpp"
#include "core/pipeline/pipeline.hpp"

namespace synod::app {

//! Blocks for which approvals are collected at once; the lowest go first.
inline constexpr std::size_t kMaxOpenCertificates = 256;
//! Attestations remembered so that each is checked and relayed once.
inline constexpr std::size_t kMaxSeenAttestations = 16'384;
//! Slots without progress after which an authority says so, and for which its word stands.
inline constexpr std::uint64_t kStallSlots = 3;
//! After its start an authority says so no sooner: whoever runs with its key already is heard saying it by then.
inline constexpr std::uint64_t kListenSlots = 2 * kStallSlots;
inline constexpr std::uint16_t kGossipAttestation = 1;
//! Peers of whom is remembered which head they were shown; over it all are forgotten.
inline constexpr std::size_t kMaxShown = 1'024;

//! An authority that attacks: it heeds neither its gate nor what its key signs elsewhere. Only a simulation sets it.
struct Byzantine {
    std::vector<Bytes> transactions;  //!< in each of its blocks, so that two processes with one key sign different ones
};

class Duties {
  public:
    struct Listener {
        std::function<void(Bytes block)> proposed;  //!< our own signed block, to be taken in and sent
        std::function<void(std::uint64_t peer, const pipeline::Fault&)> misbehaved;
        std::function<void(const Error&)> problem;
        std::function<std::vector<Bytes>()> records;  //!< finality records for our next block, best first
        std::function<std::vector<Bytes>()> events;   //!< governance events for our next block, in order
        //! Our key signed what we did not: another process has it, or our record is older than what it signed.
        std::function<void(const Error&)> copied_key;
        std::function<Instant()> now;
        std::function<UnixMs()> unix_now;
        //! An approval, another's or our own, whose signature holds.
        std::function<void(const synod_attestation&, const SharedBytes&)> approved;
        //! Writes to the store, then calls back on the control thread.
        std::function<void(store::Record, std::function<void()> written)> keep;
    };
    //! `signer` is null on a node that is no authority.
    Duties(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links,
           std::shared_ptr<Signer> signer, Listener listener);

    //! The chain was loaded and is at this slot. `adopt`: what the key signed before now is taken for ours.
    void begin(std::uint64_t now_slot, bool adopt, std::optional<Byzantine> byzantine);
    void on_slot(std::uint64_t slot, bool gate_open);
    //! Blocks that hold, from wherever they came.
    void on_proven(const pipeline::ChainSegment& segment);
    //! Our key was shown to have signed twice for this slot.
    void on_evidence_against_us(std::uint64_t slot) { refuse_copied_key("signed twice for", slot); }
    //! A block of the tip was proven and stored.
    void on_block(const Hash& block, bool gate_open);
    //! From a peer, or our own with peer 0.
    void on_attestation(std::uint64_t peer, const SharedBytes& bytes);
    void on_committed(std::uint64_t height);
    //! Authorities that say that our newest certified block is theirs and hasn't moved, ourselves included.
    [[nodiscard]] std::uint32_t stall_statements() const;
    [[nodiscard]] std::optional<std::uint64_t> last_signed_slot() const { return last_signed_slot_; }
    [[nodiscard]] std::optional<std::uint32_t> authority() const;
    [[nodiscard]] std::uint64_t blocks_proposed() const { return proposed_; }
    //! From when a block was proven here to when its certificate was.
    [[nodiscard]] std::optional<TimeSummary> approval_latency() const { return approvals_.summary(); }
    //! From a slot's boundary to our block of that slot being on its way, by our wall clock.
    [[nodiscard]] std::optional<TimeSummary> proposal_lateness() const { return lateness_.summary(); }

  private:
    struct Collecting {
        std::uint64_t height = 0;
        //! By the height that they name and the author: whose key that index is depends on the height, which
        //! isn't signed, and whose block may not be here yet.
        std::map<std::pair<std::uint64_t, std::uint32_t>, Bytes> approvals;
        bool certifying = false;
    };

    void propose(std::uint64_t slot);
    void vote(const Hash& block);
    void say_stalled(std::uint64_t slot);
    void attestation_holds(const synod_attestation& what, const SharedBytes& bytes);
    void stall_heard(std::uint64_t peer, const synod_attestation& what, const pipeline::State& judged_by);
    void show_head(std::uint64_t peer, const Hash& theirs);
    void certify(const Hash& block);
    void refuse_copied_key(const char* what, std::uint64_t slot);
    //! SYNOD_SIGNED_... bits; `state` is the block's or a descendant's.
    [[nodiscard]] std::uint32_t signed_by_us(const pipeline::State& state, const pipeline::ProvenBlock& block);
    [[nodiscard]] std::uint32_t quorum_for(const pipeline::State& state) const;

    ChainKeeper& keeper_;
    pipeline::Pipeline& pipeline_;
    Links& links_;
    std::shared_ptr<Signer> signer_;
    Listener listener_;
    std::unordered_map<Hash, Collecting> collecting_;
    SeenGossip seen_{kMaxSeenAttestations};
    struct Stall {
        chain::Pointer head;
        std::uint64_t slot = 0;
    };
    std::map<std::uint32_t, Stall> stalls_;
    std::unordered_map<std::uint64_t, Hash> shown_;  // the head that a peer was shown last
    std::uint64_t slot_ = 0;
    chain::Pointer last_head_;
    std::uint64_t head_since_slot_ = 0;
    std::optional<std::uint64_t> last_signed_slot_;
    SharedBytes last_approval_;  // said again while nothing moves, after a restart as well
    std::uint64_t proposed_ = 0;
    // The newest slots that we know our key to have signed for.
    std::uint64_t own_proposed_ = 0, own_approved_ = 0;
    bool copied_key_ = false;  // nothing is signed any more
    bool signed_here_ = false;  // this process signed something
    std::optional<Byzantine> byzantine_;
    std::unordered_map<Hash, Instant> arrived_;  // blocks without a certificate yet
    RecentTimes approvals_, lateness_;
};

}  // namespace synod::app
