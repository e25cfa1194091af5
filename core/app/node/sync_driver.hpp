// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Carries out what the sync machine asks for and tells it what came of it: requests to the wire,
//! replies to the pipeline, proven ranges to the chain. It holds the payloads that the machine only
//! names. Control thread.

#include <deque>
#include <functional>
#include <optional>

#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/links.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/sync/machine.hpp"

namespace synod::app {

//! How fetching went since it was asked for last.
struct Flow {
    std::vector<Duration> latencies;  //!< of ranges, from their submission until they were stored
    std::uint64_t answered = 0, failed = 0;  //!< requests
};
//! Latencies kept between two questions; more are not counted.
inline constexpr std::size_t kMaxLatencies = 4'096;

class SyncDriver {
  public:
    struct Listener {
        std::function<void(std::uint64_t peer, const sync::Penalise&)> penalise;
        //! A reply that nobody asked for: `rule` is the request table's reason code.
        std::function<void(std::uint64_t peer, const char* rule, std::uint64_t height)> unsolicited;
        std::function<void(std::uint64_t peer, std::string_view reason)> disconnect;
        //! A reply with blocks or headers in it, and how long it took.
        std::function<void(std::uint64_t peer, std::uint64_t bytes, Duration took)> answered;
        //! A request that ended in nothing useful.
        std::function<void(std::uint64_t peer)> failed;
        std::function<void(const sync::Action&)> report;  //!< what is worth a log line or an event
        std::function<std::uint64_t()> max_slot;
        //! Answers on the control thread with the state of the newest checkpoint that serves, or null.
        std::function<void(std::function<void(pipeline::State)>)> checkpoint;
        std::function<void(const std::string&)> note;  //!< for the log
    };

    SyncDriver(const sync::SyncConfig& config, ChainKeeper& keeper, pipeline::Pipeline& pipeline,
               Links& links, bool vouch, host::Clock& clock, Listener listener);

    //! One event into the machine, and everything that follows from it.
    void feed(const sync::Event& event);
    void on_headers(std::uint64_t peer, net::Headers reply, std::size_t frame_bytes);
    void on_blocks(std::uint64_t peer, net::Blocks reply, std::size_t frame_bytes);
    //! Ends what the request table says is over.
    void expire(Instant now);
    void peer_gone(std::uint64_t peer);
    [[nodiscard]] const sync::Machine& machine() const { return machine_; }
    //! Ranges are being proven or stored.
    [[nodiscard]] bool busy() const { return !processing_.empty(); }
    //! The highest block that was, or for all that is known may have been, stored on a certificate's word.
    [[nodiscard]] std::uint64_t vouched_to() const { return vouched_to_; }
    Flow take_flow() { return std::exchange(flow_, {}); }

  private:
    struct HeaderReply {
        SharedBytes run, proof;
        std::uint32_t count = 0;
    };
    struct Range {
        sync::SubmitRange submit;
        std::vector<pipeline::Piece> pieces;
        Instant submitted{};
    };

    void carry_out(const sync::Action& action);
    void blocks_read(std::uint32_t request, std::uint32_t count, std::size_t frame_bytes,
                     std::expected<pipeline::Piece, pipeline::Fault> piece);
    void request_headers(const sync::RequestHeaders& ask);
    void request_blocks(const sync::RequestBlocks& ask);
    void check_headers(const sync::CheckHeaders& check);
    void submit_range(const sync::SubmitRange& submit);
    void drop_range(sync::RangeId range);
    void recover();
    //! In an emergency everything is checked in full.
    [[nodiscard]] bool vouches() const { return vouch_ && machine_.state() != sync::State::emergency; }
    void restore(pipeline::State base);
    void recovered(const Result<void>& loaded);
    //! The request that a reply closes, when the reply is one that was asked for.
    std::optional<net::OpenRequest> accept(const net::ReplyClaim& claim);
    void range_done(sync::RangeId range, std::uint64_t submission,
                    std::expected<pipeline::ChainSegment, pipeline::Fault> result);
    void fail_request(const net::OpenRequest& request, sync::RequestFailure why, std::uint32_t retry_ms);

    ChainKeeper& keeper_;
    pipeline::Pipeline& pipeline_;
    Links& links_;
    const bool vouch_;
    const std::uint32_t level_;
    host::Clock& clock_;
    Listener listener_;
    sync::Machine machine_;
    std::unordered_map<std::uint32_t, HeaderReply> headers_;  // by request, like the two below
    std::unordered_map<std::uint32_t, std::uint64_t> reading_;  // whose reply it is
    std::unordered_map<std::uint32_t, pipeline::Piece> blocks_;
    std::unordered_map<sync::RangeId, Range> ranges_;
    std::unordered_map<sync::RangeId, std::uint64_t> processing_;  // range -> submission
    std::unordered_map<Hash, std::uint64_t> slots_;  // of verified headers where a walk may go on
    std::uint64_t vouched_to_ = 0;
    Flow flow_;
    std::deque<sync::Event> queue_;
    bool feeding_ = false;
    bool recovering_ = false;  // the store is read again once nothing is on its way to it
    bool restoring_ = false;   // it could not be read; what makes it good is on its way
};

}  // namespace synod::app
