// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Who fetches which range of blocks: the window, sizes, back-pressure, retries, stallers, stealing
//! and racing (behaviour.md section 6). Ranges run between two anchors of the skeleton and are
//! submitted in chain order. Part of the machine, control thread; holds no payload.

#include "core/sync/events.hpp"
#include "core/sync/shared.hpp"
#include "core/sync/skeleton.hpp"

namespace synod::sync {

enum class Phase : std::uint8_t { wanted, downloading, ready, processing, checked };

struct Download {
    PeerId peer = 0;
    BlockRef last;                 // newest block that came; the range's parent at first
    RequestId open = 0;            // 0: none, while its peer is busy
    std::vector<RequestId> done;   // payloads held by the driver
    std::uint64_t bytes = 0;
    Instant started{};
    Instant full_at{};             // last reply that was worth its request, or the start
};

struct Range {
    RangeId id = 0;
    BlockRef parent;
    BlockRef end;
    Phase phase = Phase::wanted;
    std::vector<Download> downloads;
    std::vector<PeerId> tried;
    std::uint32_t download_failures = 0;
    std::uint32_t processing_failures = 0;
    bool self_fault = false;
    bool left = false;  //!< two that have nothing to do with each other have other blocks than ours here
    std::vector<Blame> blames;
    std::uint64_t submission = 0;
    PeerId winner = 0;
    std::vector<RequestId> payload;
    std::uint64_t bytes = 0;

    [[nodiscard]] std::uint64_t count() const { return end.height - parent.height; }
};

class Scheduler {
  public:
    Scheduler(Shared& shared, Skeleton& skeleton)
        : s_(shared), skeleton_(skeleton), allocated_(skeleton.base()),
          stall_timeout_(shared.config.stall_first) {}

    //! Submits what is ready and asks for more, as far as the limits allow.
    void pump();
    //! Stallers and slow peers; every tick. `dt`: since the last one.
    void watch(Duration dt);
    void on_blocks(const BlocksReceived& event);
    //! The request is closed already. `busy`: it may be asked again soon. `counts`: the peer was
    //! reached and gave nothing.
    void on_failed(RequestId id, const OpenRequest& request, bool busy, bool counts);
    void on_checked(const RangeChecked& event);
    void on_range_failed(const RangeFailed& event);
    //! The range that was committed, or nothing when it is not the window's first.
    std::optional<BlockRef> on_committed(const RangeCommitted& event);
    //! The head moved to here by other means: ranges below are done.
    void covered(const BlockRef& head);
    //! Forgets everything above the skeleton's base. `keep_processing`: what was submitted may end.
    void drop_all(bool keep_processing);
    //! Drops the downloads of this peer (it left, or is slow).
    void release_peer(PeerId peer);

    [[nodiscard]] Height allocated() const { return allocated_.height; }
    [[nodiscard]] std::size_t ranges() const { return window_.size(); }
    [[nodiscard]] std::uint32_t processing() const;
    //! Blocks of the first range that is being validated; 0 when none is.
    [[nodiscard]] std::uint64_t first_in_processing() const;
    [[nodiscard]] std::uint64_t window_bytes() const;
    [[nodiscard]] std::uint32_t batch_blocks() const;
    [[nodiscard]] Duration stall_timeout() const { return stall_timeout_; }
    [[nodiscard]] const std::map<Height, Range>& window() const { return window_; }

  private:
    using At = std::map<Height, Range>::iterator;

    At find(RangeId id);
    void submit_ready();
    void resume();
    void retry_wanted();
    void allocate();
    bool window_open() const;
    bool slots_left() const { return s_.open_blocks < s_.config.parallel_downloads; }
    bool near_tip(const Range& range) const;
    bool assign(Range& range);
    Peer* choose(const Range& range, bool strict);
    bool better_wait(const Range& range) const;
    void request_next(Range& range, Download& download, Peer& peer);
    void release(Range& range, std::size_t index);
    void release_all(Range& range);
    void forgive_elsewhere(Range& range, PeerId by);
    void attempt_failed(Range& range, PeerId peer, bool counts);
    void complete(Range& range, std::size_t index);
    void failed(Range& range, PeerId peer, const std::string& rule, Height height,
                bool self_fault);
    void settle_blame(Range& range);
    bool steal(Peer& idle);
    bool race(Peer& idle);
    void help_the_idle();
    void watch_head_of_line();
    void watch_speed(Duration dt);
    std::uint64_t expected_bytes(std::uint64_t blocks) const;

    Shared& s_;
    Skeleton& skeleton_;
    std::map<Height, Range> window_;  // by parent height
    BlockRef allocated_;              // where the next range begins
    RangeId next_range_ = 1;
    std::uint64_t next_submission_ = 1;
    Duration stall_timeout_;
    Duration sampled_{0};
};

}  // namespace synod::sync
