// SPDX-License-Identifier: Apache-2.0
// The public face, and how the machine shows itself.
#include "core/sync/machine.hpp"

#include "core/sync/core.hpp"

namespace synod::sync {
namespace {

constexpr std::size_t kDumpMax = 64U << 10;  // bytes of text

std::string_view phase_name(Phase phase) {
    constexpr std::string_view names[] = {"wanted", "downloading", "ready", "processing",
                                          "checked"};
    return names[static_cast<std::size_t>(phase)];
}

std::string ms(Duration d) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + "ms";
}

PeerLoad load(const Peer& peer, Instant now) {
    PeerLoad out;
    out.peer = peer.id;
    out.is_authority = peer.is_authority;
    out.claim = peer.claim;
    out.weight = peer.weight;
    out.open_requests = peer.open;
    out.open_bytes = peer.open_bytes;
    out.request_limit = peer.limit;
    out.rtt = peer.block_rtt == Duration{0} ? peer.header_rtt : peer.block_rtt;
    out.goodput = peer.goodput;
    out.bytes = peer.bytes;
    out.blocks = peer.blocks;
    out.timeouts = peer.timeouts;
    out.stalls = peer.stalls;
    out.cooling = now < peer.cool_until;
    out.distrusted = peer.distrusted;
    out.other_chain = peer.other_chain;
    return out;
}

}  // namespace

Snapshot Core::snapshot(Instant now) const {
    Snapshot out;
    out.state = state_;
    out.mode = s_.mode;
    out.reason = reason_;
    out.head = s_.head;
    out.head_slot = s_.head_slot;
    out.committed = s_.committed;
    out.start = progress_.start();
    out.target = s_.target.height();
    out.skeleton_tip = headers_.skeleton().tip().height;
    out.behind = behind();
    const bool synced = state_ == State::synced && out.behind == 0;
    out.percentage = progress_.of_run(s_.head.height, out.target, synced);
    out.percentage_total = Progress::of_all(s_.head.height, out.target, synced);
    out.blocks_per_s = progress_.rate(now);
    if (active(state_)) {
        out.eta = progress_.eta(s_.head.height, out.target, now);
    }
    out.peers = static_cast<std::uint32_t>(s_.peers.all().size());
    out.usable_peers = s_.peers.usable_count(now);
    out.open_requests = static_cast<std::uint32_t>(s_.requests.size());
    out.ranges = static_cast<std::uint32_t>(blocks_.ranges());
    out.processing = blocks_.processing();
    out.window_bytes = blocks_.window_bytes();
    out.batch_blocks = blocks_.batch_blocks();
    out.anchors = static_cast<std::uint32_t>(headers_.skeleton().size());
    out.stall_timeout = blocks_.stall_timeout();
    out.recoveries = recoveries_;
    out.stalls = stalls_;
    out.gate = gate_.status(view());
    for (const auto& [id, peer] : s_.peers.all()) {
        out.best_claim = std::max(out.best_claim, peer.claim);
        out.peer_loads.push_back(load(peer, now));
    }
    return out;
}

GateStatus Core::gate(const GateOptions& options) const { return gate_.status(view(), options); }

std::string Core::dump(Instant now) const {
    std::string out = "state " + std::string(name(state_)) + " (" + reason_ + ") for " +
                      ms(now - since_) + ", head " + std::to_string(s_.head.height) + ", target " +
                      std::to_string(s_.target.height().value_or(0)) + ", skeleton " +
                      std::to_string(headers_.skeleton().base().height) + ".." +
                      std::to_string(headers_.skeleton().tip().height) + ", last progress " +
                      ms(now - s_.last_progress) + " ago\n";
    for (const auto& [id, r] : s_.requests) {
        out += "request " + std::to_string(id) + (r.headers ? " headers" : " blocks") +
               (r.checking ? " checking" : "") + " peer " + std::to_string(r.peer) + " from " +
               std::to_string(r.parent.height + 1) + " count " + std::to_string(r.count) +
               " age " + ms(now - r.sent) + " left " + ms(r.deadline - now) + "\n";
    }
    for (const auto& [height, r] : blocks_.window()) {
        out += "range " + std::to_string(r.id) + " " + std::to_string(height + 1) + ".." +
               std::to_string(r.end.height) + " " + std::string(phase_name(r.phase)) +
               " downloads " + std::to_string(r.downloads.size()) + " failures " +
               std::to_string(r.download_failures) + "+" +
               std::to_string(r.processing_failures) + "\n";
        if (out.size() > kDumpMax / 2) {
            out += "...\n";
            break;
        }
    }
    for (const auto& [id, p] : s_.peers.all()) {
        out += "peer " + std::to_string(id) + " claim " + std::to_string(p.claim) + " open " +
               std::to_string(p.open) + "/" + std::to_string(p.limit) + " rtt " +
               ms(p.block_rtt) + " bytes/s " + std::to_string(static_cast<std::uint64_t>(p.goodput)) +
               (now < p.cool_until ? " cooling" : "") + (p.distrusted ? " distrusted" : "") +
               (p.other_chain ? " other_chain" : "") + "\n";
        if (out.size() > kDumpMax) {
            break;
        }
    }
    out.resize(std::min(out.size(), kDumpMax));
    return out;
}

Machine::Machine(const SyncConfig& config, const BlockRef& head, Slot head_slot,
                 const BlockRef& committed)
    : core_(std::make_unique<Core>(config, head, head_slot, committed)) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

std::vector<Action> Machine::step(const Event& event, Instant now) {
    return core_->step(event, now);
}
Snapshot Machine::snapshot(Instant now) const { return core_->snapshot(now); }
GateStatus Machine::gate(const GateOptions& options) const { return core_->gate(options); }
State Machine::state() const { return core_->state(); }
std::string Machine::dump(Instant now) const { return core_->dump(now); }

}  // namespace synod::sync
