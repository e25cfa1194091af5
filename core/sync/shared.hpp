// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the parts of the machine have in common during a step: settings, time, open requests, the
//! actions so far. Owned by Core; nobody outside core/sync includes it.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/sync/actions.hpp"
#include "core/sync/peer_table.hpp"
#include "core/sync/target.hpp"

namespace synod::sync {

struct OpenRequest {
    bool headers = false;
    bool checking = false;  // headers came, the pipeline looks at them
    bool fork = false;      // part of a walk from the committed block
    bool orphan = false;    // nobody waits for it any more; that it is answered still counts
    PeerId peer = 0;
    RangeId range = 0;
    BlockRef parent;        // block at from - 1
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;  // expected
    std::uint64_t soft = 0;
    Instant sent{};
    Instant deadline{};
};

//! One failed check that somebody will have to answer for.
struct Blame {
    PeerId peer = 0;
    std::uint64_t group = 0;
    std::string rule;
    Height height = 0;
    //! Two peers of different groups, one failure: the fault is more likely ours.
    [[nodiscard]] bool same_from_another(const Blame& other) const {
        return peer != other.peer && group != other.group && rule == other.rule &&
               height == other.height;
    }
};

struct Shared {
    explicit Shared(const SyncConfig& c) : config(c), peers(c) {}

    SyncConfig config;
    PeerTable peers;
    Target target;
    BlockRef head;
    Slot head_slot = 0;
    BlockRef committed;
    std::map<RequestId, OpenRequest> requests;
    std::uint32_t open_blocks = 0;       // block requests among them
    RequestId next_request = 1;
    Instant now{};
    Instant last_progress{};
    double block_bytes = 0;              // smoothed size of a block
    Mode mode = Mode::fast;
    std::optional<std::string> fatal;    // set by a part: Core goes to Failed after the step
    bool overtaken = false;              // a range stands below what is committed: Core begins again at the head
    std::optional<PeerId> strayed;       // its newest blocks aren't those of our headers: Core asks it for its own
    std::vector<Action> out;

    //! A small gap is being closed with as little delay as there can be (mode catchup). A large one is
    //! fetched as always.
    [[nodiscard]] bool hurries() const {
        const auto height = target.height();
        return mode == Mode::catchup && height && *height <= head.height + config.headers_again_blocks;
    }
    void emit(Action action) { out.push_back(std::move(action)); }
    void progressed() { last_progress = now; }

    RequestId open(OpenRequest request) {
        const RequestId id = next_request++;
        if (Peer* peer = peers.find(request.peer); peer != nullptr && !request.headers) {
            ++peer->open;
            peer->open_bytes += request.bytes;
        }
        open_blocks += request.headers ? 0 : 1;
        requests.emplace(id, request);
        return id;
    }
    //! Takes the request out of the books; nothing is sent.
    void close(RequestId id) {
        const auto at = requests.find(id);
        if (at == requests.end()) {
            return;
        }
        if (!at->second.headers) {
            if (!at->second.orphan) {
                --open_blocks;
            }
            if (Peer* peer = peers.find(at->second.peer); peer != nullptr && peer->open > 0) {
                --peer->open;
                peer->open_bytes -= std::min(peer->open_bytes, at->second.bytes);
            }
        }
        requests.erase(at);
    }
    void cancel(RequestId id) {
        close(id);
        emit(CancelRequest{id});
    }
    //! Its blocks came from elsewhere. There is no cancelling on the wire: the peer keeps the load
    //! until it answers or its time is up, so that silence shows however fast others step in.
    void abandon(RequestId id) {
        const auto at = requests.find(id);
        if (at != requests.end() && !at->second.orphan) {
            at->second.orphan = true;
            at->second.range = 0;
            --open_blocks;
        }
    }
    //! Its last answer: it has nothing from this height on.
    void lacks(Peer& peer, Height from) {
        peer.lacks_from = from;
        peer.lacks_until = now + config.poll_interval;
    }
    [[nodiscard]] bool may_have(const Peer& peer, Height height) const {
        return now >= peer.lacks_until || height < peer.lacks_from;
    }
};

}  // namespace synod::sync
