// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Walks the header chain: one request at a time along the skeleton's tip, from rotating peers; and,
//! for a peer that refuses our tip, a second walk from the committed block that replaces the
//! skeleton when it turns out to reach further. Part of the machine, control thread.

#include "core/sync/events.hpp"
#include "core/sync/shared.hpp"
#include "core/sync/skeleton.hpp"

namespace synod::sync {

class HeaderWalk {
  public:
    HeaderWalk(Shared& shared, const BlockRef& head) : s_(shared), main_(head) {}

    [[nodiscard]] Skeleton& skeleton() { return main_; }
    [[nodiscard]] const Skeleton& skeleton() const { return main_; }
    //! Asks for more when there is a reason to and nothing is open.
    void pump();
    //! Stops asking for what is open and starts over from this block.
    void reset(const BlockRef& base);
    //! Every tick: asks somebody else as well where a peer keeps the walk waiting.
    void watch();
    void on_received(const HeadersReceived& event);
    void on_checked(const HeadersChecked& event, Height used);
    //! The request is closed already; why is for the peer's account.
    void on_failed(const OpenRequest& request);
    //! A peer shows evidence for another block at our own height: walk its chain from committed.
    void suspect_fork(PeerId peer);
    //! True once after a fork was adopted: the window above the base is void.
    bool take_adopted();
    [[nodiscard]] bool full() const { return main_.size() + 64 >= s_.config.anchors_max; }
    //! The last reply was full and its sender claims more: this is not the chain's end yet.
    [[nodiscard]] bool more() const { return more_; }
    //! The headers that follow can be judged only once the blocks below them are here.
    [[nodiscard]] bool held() const { return held_at_ && s_.head.height < *held_at_; }

  private:
    struct Fork {
        PeerId peer = 0;
        Skeleton chain;
        std::vector<Anchor> anchors;
    };
    void ask(Peer& peer, const BlockRef& parent, std::uint64_t count, bool fork);
    Peer* choose(Height from, bool claims_only);
    bool take_over(RequestId id);
    void refused_parent(Peer& peer, const OpenRequest& request);
    void had_nothing(Peer& peer, const OpenRequest& request);
    void accept(Peer* peer, const OpenRequest& request, const HeadersChecked& event, Height used);
    void accept_fork(Peer* peer, const OpenRequest& request, const HeadersChecked& event);
    void hold(const OpenRequest& request);
    void reject(Peer* peer, const HeadersChecked& event);
    void adopt();
    void abandon_fork();

    Shared& s_;
    Skeleton main_;
    std::optional<Fork> fork_;
    RequestId open_ = 0;
    Instant next_poll_{};
    std::vector<Blame> blames_;
    std::uint32_t self_faults_ = 0;
    std::optional<Height> held_at_;
    bool adopted_ = false;
    bool more_ = false;
};

}  // namespace synod::sync
