// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Governance: takes signed events from operators and peers, passes them on before a block carries them, offers them
//! to the next block, and keeps the log of those that blocks carried. What an event is and which ones hold is the
//! consensus plugin's. Control thread; plugin calls run on the consensus strand, proofs in the validation backend.
//!
//! The stream, over gossip: each node says now and then up to which number it has events. Who has fewer asks for those
//! from its own next number on, of whoever said so, again and again with growing waits until they are there. Every
//! event goes once to everybody else. So a missed event is a gap that shows and is mended.

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

#include "core/app/governance/event_buffer.hpp"
#include "core/app/governance/event_log.hpp"
#include "core/app/governance/repair.hpp"
#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/gossip_digest.hpp"
#include "core/app/node/links.hpp"
#include "core/pipeline/pipeline.hpp"

namespace synod::app {

inline constexpr std::uint16_t kGossipEvent = 5;     //!< one encoded event
inline constexpr std::uint16_t kGossipEventAsk = 6;  //!< u64: events from this number on are asked for
inline constexpr std::uint16_t kGossipEventHead = 7; //!< u64: the sender has events up to this number
//! Events of peers that were looked at, so that each is checked and relayed once.
inline constexpr std::size_t kMaxSeenEvents = 4'096;
//! Events that wait for their turn to be checked; over it they are refused, and come again by the stream.
inline constexpr std::size_t kMaxQueuedEvents = 256;
inline constexpr std::size_t kMaxEventsAReply = 64;
inline constexpr std::uint32_t kFruitlessAsks = 3;  //!< of one peer; then its word about what it has is nothing
inline constexpr Duration kEventHeadEvery = std::chrono::seconds(5);
inline constexpr Duration kAnswerEvery = std::chrono::milliseconds(500);  //!< to one peer, at most
//! After so long without a word of the stream from anybody it isn't healthy.
inline constexpr Duration kStreamSilence = std::chrono::seconds(20);

struct GovernanceStatus {
    std::uint64_t sequence = 0;  //!< of the newest event in our head's chain
    std::uint64_t known = 0;     //!< with those that wait for a block
    std::size_t waiting = 0, early = 0;
    std::uint64_t missing_from = 0;  //!< 0: nothing is known to be missing
    bool healthy = false, halted = false;
    std::uint64_t accepted = 0, refused = 0, overflowed = 0;  //!< since the start
};

class Governance {
  public:
    struct Listener {
        std::function<void(std::uint64_t peer, const pipeline::Fault&)> misbehaved;
        std::function<void(const Error&)> problem;
        std::function<void(store::Record)> keep;  //!< to be written to the store
        std::function<void(const std::string&)> note;
    };
    Governance(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links, std::uint64_t seed,
               Listener listener);

    //! Takes up what an earlier run left. Once, after the chain was loaded.
    void restore();
    //! An operator's event. Errors: governance.busy, governance.full, governance.gap (those before it are missing),
    //! and governance.<rule> when a rule refuses it, its dashes as underscores.
    void submit(Bytes event, std::function<void(Result<void>)> done);
    void on_event(std::uint64_t peer, const SharedBytes& bytes);
    void on_ask(std::uint64_t peer, const SharedBytes& bytes, Instant now);
    void on_head(std::uint64_t peer, const SharedBytes& bytes, Instant now);
    //! A new peer hears how far we are.
    void greet(std::uint64_t peer);
    void forget(std::uint64_t peer) { peers_.erase(peer); }
    //! Blocks of any branch, before they are stored.
    void on_proven(const pipeline::ChainSegment& segment);
    //! Once a slot, and after the head changed.
    void settle();
    //! About every tick: what is missing is asked for.
    void tick(Instant now);
    //! For the next block, in order.
    [[nodiscard]] std::vector<Bytes> events() const { return buffer_.run(); }
    [[nodiscard]] GovernanceStatus status() const;
    //! Of our chain, by number; at most `count`. Errors: store.*.
    Result<std::vector<LoggedEvent>> log(std::uint64_t from, std::size_t count) const;
    //! As JSON for people; `done` on the control thread.
    void explain(std::vector<Bytes> events, std::function<void(Result<std::vector<std::string>>)> done) const;
    [[nodiscard]] const synod_chain_info& chain() const { return keeper_.info(); }
    //! The state of our chain and the waiting events as the plugin explains them, for an operator who prepares one.
    void describe(std::function<void(Result<std::string>)> done) const;

  private:
    struct Arrived;
    void take(std::shared_ptr<Arrived> arrived);
    void pump();
    void judged(const std::shared_ptr<Arrived>& arrived);
    void refused(const std::shared_ptr<Arrived>& arrived);
    void follow_head();
    void note_events(const pipeline::ProvenBlock& block);
    void keep_waiting();
    void say_head();
    //! Who says to have an event that we don't, the least asked first.
    [[nodiscard]] std::optional<std::uint64_t> whom_to_ask() const;

    ChainKeeper& keeper_;
    pipeline::Pipeline& pipeline_;
    Links& links_;
    Listener listener_;
    EventBuffer buffer_;
    Repair repair_;
    SeenGossip seen_{kMaxSeenEvents};
    std::deque<std::shared_ptr<Arrived>> queue_;
    struct Subscriber {
        std::uint64_t head = 0;    //!< it says that it has events up to here
        std::uint32_t asked = 0;   //!< without getting any
        Instant answered{};        //!< by us
    };
    std::unordered_map<std::uint64_t, Subscriber> peers_;
    std::optional<Instant> heard_at_;
    Instant now_{}, said_at_{};
    Hash judged_at_;  // the head that the waiting events were last judged by
    bool busy_ = false, rejudging_ = false;
    std::uint64_t accepted_ = 0, refused_ = 0, overflowed_ = 0;
};

}  // namespace synod::app
