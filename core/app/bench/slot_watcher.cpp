// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/slot_watcher.hpp"

#include "core/app/bench/outsider.hpp"
#include "core/app/node/control_loop.hpp"

namespace synod::app::bench {

Result<std::unique_ptr<SlotWatcher>> SlotWatcher::make(const std::filesystem::path& key,
                                                       const synod_chain_info& chain) {
    std::unique_ptr<SlotWatcher> out(new SlotWatcher());
    auto network = open_outside(key, chain, *out);
    if (!network) {
        return std::unexpected(network.error());
    }
    out->network_ = std::move(*network);
    return out;
}

SlotWatcher::~SlotWatcher() {
    if (network_) {
        network_->stop();
    }
}

Result<void> SlotWatcher::link(const Contact& node) {
    std::unique_lock lock(mutex_);
    const auto wanted = up_ + 1;
    network_->dial("127.0.0.1", node.port, node.identity);
    changed_.wait_for(lock, kLinkTime, [&] { return up_ >= wanted || !ended_.empty(); });
    if (up_ < wanted || !ended_.empty()) {
        return fail("bench.no_link", "can't link to the node: " + ended_);
    }
    return {};
}

std::vector<SlotWatcher::Noted> SlotWatcher::blocks() const {
    const std::scoped_lock lock(mutex_);
    return blocks_;
}

std::vector<SlotWatcher::Noted> SlotWatcher::gossip(std::uint16_t kind) const {
    const std::scoped_lock lock(mutex_);
    std::vector<Noted> out;
    for (const auto& [of, noted] : gossip_) {
        if (of == kind) {
            out.push_back(noted);
        }
    }
    return out;
}

void SlotWatcher::on_peer_up(const net::PeerInfo& /*peer*/) {
    const std::scoped_lock lock(mutex_);
    ++up_;
    changed_.notify_all();
}

void SlotWatcher::on_peer_down(std::uint64_t /*peer*/, std::string reason_code, std::string text) {
    const std::scoped_lock lock(mutex_);
    ended_ = reason_code + (text.empty() ? "" : " (" + text + ")");
    changed_.notify_all();
}

void SlotWatcher::on_dial_failed(std::string /*address*/, std::uint16_t /*port*/, Error error) {
    const std::scoped_lock lock(mutex_);
    ended_ = error.text();
    changed_.notify_all();
}

void SlotWatcher::on_frame(std::uint64_t peer, SharedBytes frame) {
    const auto now = Clock::now();
    const auto message = net::decode_message(frame);
    if (!message) {
        return;
    }
    if (const auto* block = std::get_if<net::NewBlock>(&*message)) {
        const std::scoped_lock lock(mutex_);
        if (blocks_.size() < kMaxNoted) {
            blocks_.push_back({now, block->block});
        }
    } else if (const auto* said = std::get_if<net::Gossip>(&*message)) {
        const std::scoped_lock lock(mutex_);
        if (gossip_.size() < kMaxNoted) {
            gossip_.emplace_back(said->kind, Noted{now, said->payload});
        }
    } else if (const auto* ping = std::get_if<net::Ping>(&*message)) {
        network_->send(peer, net::encode_message(net::Pong{ping->nonce, unix_now()}));
    }
}

}  // namespace synod::app::bench
