// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/tip_peer.hpp"

#include "core/app/bench/outsider.hpp"
#include "core/app/node/control_loop.hpp"

namespace synod::app::bench {

namespace {

//! It serves nothing: saying so of a block that it pushed would be held a lie, being busy is not.
constexpr std::uint32_t kRetryMs = 1'000;

//! It serves nothing: come again later.
template <typename Reply, typename Ask>
Reply busy(Reply reply, const Ask& ask) {
    reply.id = ask.id;
    reply.from = ask.from;
    reply.result = net::ReplyResult::busy;
    reply.retry_ms = kRetryMs;
    return reply;
}

}  // namespace

Result<std::unique_ptr<TipPeer>> TipPeer::link(const Contact& node, const std::filesystem::path& key,
                                               const synod_chain_info& chain) {
    std::unique_ptr<TipPeer> out(new TipPeer());
    auto network = open_outside(key, chain, *out);
    if (!network) {
        return std::unexpected(network.error());
    }
    out->network_ = std::move(*network);
    out->network_->dial("127.0.0.1", node.port, node.identity);
    std::unique_lock lock(out->mutex_);
    out->changed_.wait_for(lock, kLinkTime, [&] { return out->peer_ != 0 || !out->ended_.empty(); });
    if (out->peer_ == 0) {
        return fail("bench.no_link", "can't link to the node: " + out->ended_);
    }
    lock.unlock();
    return out;
}

TipPeer::~TipPeer() {
    if (network_) {
        network_->stop();
    }
}

void TipPeer::push(const SharedBytes& block) {
    network_->send(peer_, net::encode_parts(net::NewBlock{block}));
}

void TipPeer::ping() { network_->send(peer_, net::encode_message(net::Ping{1, unix_now()})); }

std::optional<TipPeer::Clock::time_point> TipPeer::wait(const Arrivals& what, std::uint64_t count,
                                                        Duration limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [&] { return what.count >= count || !ended_.empty(); });
    return what.count >= count ? std::optional(what.last) : std::nullopt;
}

std::optional<TipPeer::Clock::time_point> TipPeer::block(std::uint64_t count, Duration limit) {
    return wait(blocks_, count, limit);
}

std::optional<TipPeer::Clock::time_point> TipPeer::pong(std::uint64_t count, Duration limit) {
    return wait(pongs_, count, limit);
}

std::string TipPeer::ended() {
    const std::scoped_lock lock(mutex_);
    return ended_;
}

void TipPeer::on_peer_up(const net::PeerInfo& peer) {
    const std::scoped_lock lock(mutex_);
    peer_ = peer.id;
    changed_.notify_all();
}

void TipPeer::on_peer_down(std::uint64_t /*peer*/, std::string reason_code, std::string text) {
    const std::scoped_lock lock(mutex_);
    ended_ = reason_code + (text.empty() ? "" : " (" + text + ")");
    changed_.notify_all();
}

void TipPeer::on_dial_failed(std::string /*address*/, std::uint16_t /*port*/, Error error) {
    const std::scoped_lock lock(mutex_);
    ended_ = error.text();
    changed_.notify_all();
}

void TipPeer::arrived(Arrivals& what) {
    const auto now = Clock::now();
    const std::scoped_lock lock(mutex_);
    ++what.count;
    what.last = now;
    changed_.notify_all();
}

void TipPeer::on_frame(std::uint64_t peer, SharedBytes frame) {
    const auto message = net::decode_message(frame);
    if (!message) {
        return;
    }
    if (std::holds_alternative<net::NewBlock>(*message)) {
        arrived(blocks_);
    } else if (std::holds_alternative<net::Pong>(*message)) {
        arrived(pongs_);
    } else if (const auto* ping = std::get_if<net::Ping>(&*message)) {
        network_->send(peer, net::encode_message(net::Pong{ping->nonce, unix_now()}));
    } else if (const auto* headers = std::get_if<net::GetHeaders>(&*message)) {
        network_->send(peer, net::encode_message(busy(net::Headers{}, *headers)));
    } else if (const auto* blocks = std::get_if<net::GetBlocks>(&*message)) {
        network_->send(peer, net::encode_message(busy(net::Blocks{}, *blocks)));
    }
}

}  // namespace synod::app::bench
