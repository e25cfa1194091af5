// SPDX-License-Identifier: Apache-2.0
#include "core/sim/network.hpp"

#include <algorithm>
#include <deque>

#include "core/net/frame.hpp"
#include "core/net/identity.hpp"

namespace synod::sim {

std::string address_of(HostId host) {
    // 11.0 .. 126.255
    return std::to_string(11 + host / 256) + "." + std::to_string(host % 256) + ".0.1";
}

//! One connection. Side 0 dialled, side 1 was dialled.
struct Network::Link {
    struct Side {
        HostId host = 0;
        Port* port = nullptr;  //!< null: the process is gone; once closed, not to be followed
        std::optional<net::Hello> hello;  //!< none: nobody was reached. Its process may end before it is heard
        std::uint64_t id = 0;
        bool up = false, closed = false, admitted = false;
        Instant heard{};
        net::PeerStats stats;
        net::PeerInfo peer;  //!< who is on the other side
    };
    struct Direction {
        std::deque<Item> items;
        Instant free{}, last{};
        Duration resend{};
        bool pumping = false;
    };
    std::array<Side, 2> sides;
    std::array<Direction, 2> ways;  //!< by the side that sends
    std::optional<PublicKey> expected;
    std::string dialled;
    std::uint16_t dialled_port = 0;
};

class Network::Port final : public net::Transport {
  public:
    Port(Network& network, HostId at, net::NetworkConfig own, net::NetworkHandler& told)
        : config(std::move(own)),
          handler(told),
          host(at),
          admission(config.limits, network.events_.now()),
          network_(network) {
        nonce_ = network.random_.next();
    }
    ~Port() override { stop(); }

    [[nodiscard]] std::uint16_t port() const override { return kPort; }
    void dial(std::string address, std::uint16_t port, std::optional<PublicKey> expected) override {
        later([this, address = std::move(address), port, expected] {
            network_.dial(*this, address, port, expected);
        });
    }
    net::SendResult send(std::uint64_t peer, std::vector<SharedBytes> parts, net::OnFull on_full) override {
        const auto found = links.find(peer);
        if (found == links.end()) {
            return net::SendResult::unknown_peer;
        }
        const auto [link, side] = found->second;
        auto& mine = link->sides[static_cast<std::size_t>(side)];
        Bytes frame;
        for (const auto& part : parts) {
            frame.insert(frame.end(), part.view.begin(), part.view.end());
        }
        if (frame.size() > net::kMaxFrameBytes) {
            return net::SendResult::too_large;
        }
        if (mine.stats.queued_bytes + frame.size() > config.max_send_queue) {
            if (on_full == net::OnFull::drop) {
                return net::SendResult::dropped;
            }
            close(peer, "net.send_queue_full", "the peer takes nothing");
            return net::SendResult::overflow;
        }
        network_.send(link, side, SharedBytes(std::move(frame)));
        return net::SendResult::queued;
    }
    void close(std::uint64_t peer, std::string reason_code, std::string text) override {
        later([this, peer, code = std::move(reason_code), text = std::move(text)] {
            if (const auto found = links.find(peer); found != links.end()) {
                const auto [link, side] = found->second;
                network_.close(link, side, {code, text, "network", {}});
            }
        });
    }
    [[nodiscard]] std::optional<net::PeerStats> stats(std::uint64_t peer) const override {
        const auto found = links.find(peer);
        if (found == links.end()) {
            return std::nullopt;
        }
        return found->second.first->sides[static_cast<std::size_t>(found->second.second)].stats;
    }
    void stop() override { end(false); }
    void end(bool silent) {
        if (std::exchange(stopped_, true)) {
            return;
        }
        life_.reset();
        network_.ports_.erase(host);
        auto all = std::exchange(open, {});
        for (const auto& [link, side] : all) {
            network_.close(link, side, {"net.stopping", "this node is stopping", "network", {}}, !silent);
            link->sides[static_cast<std::size_t>(side)].port = nullptr;
        }
        links.clear();
    }
    void later(Task task) { network_.events_.after({}, std::weak_ptr<void>(life_), std::move(task)); }
    //! Makes a side of a link this process's.
    void take(Link::Side& side) {
        side.port = this;
        side.id = ++last_id;
        side.hello = net::Hello{.network_id = config.network_id,
                                .genesis = config.genesis,
                                .identity = config.identity.public_key(),
                                .signature = {},  // nobody forges one here
                                .listen_port = kPort,
                                .capabilities = config.capabilities,
                                .nonce = nonce_};
    }

    const net::NetworkConfig config;
    net::NetworkHandler& handler;
    const HostId host;
    net::Admission admission;
    std::uint64_t last_id = 0;
    std::map<std::uint64_t, std::pair<LinkPtr, int>> links;  //!< that are up
    std::vector<std::pair<LinkPtr, int>> open;               //!< all
    std::map<PublicKey, std::uint64_t> by_identity;

  private:
    Network& network_;
    std::uint64_t nonce_ = 0;
    std::shared_ptr<int> life_ = std::make_shared<int>();
    bool stopped_ = false;
};

Network::Network(Events& events, Random random, Trace& trace)
    : events_(events), random_(random), trace_(trace) {}

Network::~Network() = default;

const Shape& Network::shape(HostId from, HostId to) const {
    const auto found = shapes_.find({from, to});
    return found == shapes_.end() ? usual_ : found->second;
}

std::unique_ptr<net::Transport> Network::open(HostId host, net::NetworkConfig config,
                                              net::NetworkHandler& handler) {
    auto out = std::make_unique<Port>(*this, host, std::move(config), handler);
    ports_[host] = out.get();
    by_address_[address_of(host)] = host;
    return out;
}

void Network::ended(HostId host, bool silent) {
    if (const auto found = ports_.find(host); found != ports_.end()) {
        found->second->end(silent);
    }
}

//! The time on the line of what is sent now and gets through at last.
Duration Network::travel(HostId from, HostId to, std::size_t bytes) {
    const auto& line = shape(from, to);
    auto out = random_.between(line.latency_low, line.latency_high);
    auto resend = kFirstResend;
    // Each segment may be lost, and be sent again together with others that were: once a round.
    for (auto lost = bytes / kSegmentBytes + 1; line.loss_ppm > 0 && lost > 0;) {
        std::size_t again = 0;
        for (std::size_t i = 0; i < lost; ++i) {
            again += random_.chance(line.loss_ppm) ? 1 : 0;
        }
        lost = again;
        if (lost > 0) {
            out += resend;
            resend = std::min(2 * resend, kLastResend);
        }
    }
    return out;
}

void Network::dial(Port& from, std::string address, std::uint16_t port, std::optional<PublicKey> expected) {
    ++figures_.dials;
    const auto link = std::make_shared<Link>();
    link->expected = expected;
    link->dialled = address;
    link->dialled_port = port;
    auto& mine = link->sides[0];
    mine.host = from.host;
    from.take(mine);
    from.open.emplace_back(link, 0);
    if (const auto fits = from.admission.admit_outbound({}); !fits) {
        close(link, 0, fits.error(), false);
        return;
    }
    mine.admitted = true;
    const auto found = by_address_.find(address);
    const auto host = found == by_address_.end() ? std::optional<HostId>{} : std::optional(found->second);
    link->sides[1].host = host.value_or(mine.host);
    const auto timeout = from.config.handshake_timeout;
    events_.after(timeout, std::weak_ptr<void>(link), [this, link = std::weak_ptr(link)] {
        const auto held = link.lock();
        for (const int side : {0, 1}) {
            auto& s = held->sides[static_cast<std::size_t>(side)];
            if (!s.up && !s.closed && s.port != nullptr) {
                close(held, side, {"net.handshake_timeout", "the handshake took too long", "handshake", {}},
                      false);
            }
        }
    });
    if (!host || port != kPort) {
        return;  // nobody has that address: nothing answers
    }
    enqueue(link, 0, 0, [this](const LinkPtr& l) { arrived(l); });
}

//! The other machine heard the call.
void Network::arrived(const LinkPtr& link) {
    auto& callee = link->sides[1];
    if (link->sides[0].closed) {
        return;  // nobody waits for it any more
    }
    const auto found = ports_.find(callee.host);
    if (found == ports_.end()) {
        enqueue(link, 1, 0, [this](const LinkPtr& l) {
            close(l, 0, {"net.connect_failed", "connection refused", "dial", {}}, false);
        });
        return;
    }
    auto& port = *found->second;
    const auto ip = net::parse_ip(address_of(link->sides[0].host));
    if (const auto fits = port.admission.admit_inbound(*ip, events_.now()); !fits) {
        port.handler.on_inbound_refused(address_of(link->sides[0].host), fits.error());
        enqueue(link, 1, 0, [this](const LinkPtr& l) {
            close(l, 0, {"net.closed_by_peer", "closed", "handshake", {}}, false);
        });
        return;
    }
    callee.admitted = true;
    port.take(callee);
    port.open.emplace_back(link, 1);
    shake(link);
}

//! Three more ways: each has proven itself to the other, and what chain they are of was compared.
void Network::shake(const LinkPtr& link) {
    enqueue(link, 1, 0, [this](const LinkPtr& offered) {
        enqueue(offered, 0, 0, [this](const LinkPtr& answered) {
            enqueue(answered, 1, 0, [this](const LinkPtr& l) {
                if (establish(l, 0)) {
                    enqueue(l, 0, 0, [this](const LinkPtr& proven) { establish(proven, 1); });
                } else {
                    enqueue(l, 0, 0, [this](const LinkPtr& refused) {
                        close(refused, 1, {"net.closed_by_peer", "closed", "handshake", {}}, false);
                    });
                }
            });
        });
    });
}

bool Network::establish(const LinkPtr& link, int side) {
    auto& mine = link->sides[static_cast<std::size_t>(side)];
    const auto& other = link->sides[static_cast<std::size_t>(1 - side)];
    if (mine.closed || mine.port == nullptr) {
        return false;
    }
    if (other.port == nullptr) {
        close(link, side, {"net.closed_by_peer", "closed", "handshake", {}}, false);
        return false;
    }
    auto& port = *mine.port;
    const auto& there = *other.hello;
    const auto refuse = [&](const char* code, const char* text) {
        close(link, side, {code, text, "handshake", {}});
        return false;
    };
    if (there.network_id != port.config.network_id) {
        return refuse("net.network_mismatch", "another network");
    }
    if (there.genesis != port.config.genesis) {
        return refuse("net.genesis_mismatch", "another genesis");
    }
    const auto& identity = there.identity;
    if (identity == port.config.identity.public_key()) {
        return refuse("net.self", "this is ourselves");
    }
    if (side == 0 && link->expected && *link->expected != identity) {
        return refuse("net.identity_mismatch", "another node than was expected");
    }
    const bool outbound = side == 0;
    if (const auto known = port.by_identity.find(identity); known != port.by_identity.end()) {
        const auto [old, old_side] = port.links.at(known->second);
        const bool old_outbound = old_side == 0;
        bool keep_new = false;
        if (old->sides[static_cast<std::size_t>(1 - old_side)].hello->nonce != there.nonce) {
            keep_new = true;  // another process of the same node
        } else if (old_outbound == outbound) {
            keep_new = !outbound;
        } else {
            keep_new = outbound == (port.config.identity.public_key() < identity);
        }
        if (!keep_new) {
            return refuse("net.duplicate", "this node is connected already");
        }
        close(old, old_side, {"net.duplicate", "replaced by another connection", "handshake", {}});
    }
    mine.up = true;
    mine.heard = events_.now();
    mine.peer.id = mine.id;
    mine.peer.identity = identity;
    mine.peer.address = address_of(other.host);
    mine.peer.port = outbound ? link->dialled_port : static_cast<std::uint16_t>(40'000 + mine.id % 20'000);
    mine.peer.dialled = outbound ? link->dialled : std::string();
    mine.peer.listen_port = there.listen_port;
    mine.peer.outbound = outbound;
    mine.peer.capabilities = there.capabilities;
    port.by_identity[identity] = mine.id;
    port.links[mine.id] = {link, side};
    figures_.links += outbound ? 1 : 0;
    if (outbound) {
        watch_idle(link);
    }
    port.handler.on_peer_up(mine.peer);
    return true;
}

void Network::watch_idle(const LinkPtr& link) {
    events_.after(kIdleCheck, std::weak_ptr<void>(link), [this, link = std::weak_ptr(link)] {
        const auto held = link.lock();
        for (const int side : {0, 1}) {
            auto& s = held->sides[static_cast<std::size_t>(side)];
            if (s.up && !s.closed && s.port != nullptr &&
                events_.now() - s.heard > s.port->config.idle_timeout) {
                close(held, side, {"net.idle", "nothing came for too long", "connection", {}});
            }
        }
        if (!held->sides[0].closed || !held->sides[1].closed) {
            watch_idle(held);
        }
    });
}

void Network::send(const LinkPtr& link, int side, SharedBytes frame) {
    auto& mine = link->sides[static_cast<std::size_t>(side)];
    const auto& other = link->sides[static_cast<std::size_t>(1 - side)];
    const auto bytes = frame.view.size();
    mine.stats.queued_bytes += bytes;
    if (random_.chance(shape(mine.host, other.host).reset_ppm)) {
        ++figures_.resets;
        events_.after({}, std::weak_ptr<void>(link), [this, link = std::weak_ptr(link)] {
            const auto held = link.lock();
            for (const int s : {0, 1}) {
                close(held, s, {"net.io", "the connection broke", "connection", {}}, false);
            }
        });
    }
    enqueue(link, side, bytes, [this, side, frame = std::move(frame)](const LinkPtr& l) {
        auto& from = l->sides[static_cast<std::size_t>(side)];
        auto& to = l->sides[static_cast<std::size_t>(1 - side)];
        const auto n = frame.view.size();
        from.stats.bytes_out += n;
        from.stats.queued_bytes -= n;
        if (!to.up || to.closed || to.port == nullptr) {
            if (from.port != nullptr && !from.closed && (to.closed || to.port == nullptr)) {
                close(l, side, {"net.io", "connection reset by peer", "connection", {}}, false);
            }
            return;
        }
        to.heard = events_.now();
        to.stats.bytes_in += n;
        ++figures_.frames;
        figures_.bytes += n;
        trace_.frame(events_.now(), from.host, to.host, frame.view);
        if (watch) {
            watch(from.host, to.host, frame.view);
        }
        to.port->handler.on_frame(to.id, frame);
    });
}

void Network::enqueue(const LinkPtr& link, int side, std::size_t bytes, Arrival deliver) {
    auto& way = link->ways[static_cast<std::size_t>(side)];
    const auto from = link->sides[static_cast<std::size_t>(side)].host;
    const auto to = link->sides[static_cast<std::size_t>(1 - side)].host;
    const auto& line = shape(from, to);
    const auto on_line = Duration(static_cast<Duration::rep>(bytes * 1'000'000'000ULL /
                                                             std::max<std::uint64_t>(1, line.bytes_per_s)));
    way.free = std::max(way.free, events_.now()) + on_line;
    way.last = std::max(way.last, way.free + travel(from, to, bytes));
    way.items.push_back({way.last, bytes, std::move(deliver)});
    if (!std::exchange(way.pumping, true)) {
        events_.at(way.last, [this, link, side] { pump(link, side); });
    }
}

//! Delivers what has arrived; while the line is cut, tries as TCP does: ever more seldom.
void Network::pump(const LinkPtr& link, int side) {
    auto& way = link->ways[static_cast<std::size_t>(side)];
    const auto from = link->sides[static_cast<std::size_t>(side)].host;
    const auto to = link->sides[static_cast<std::size_t>(1 - side)].host;
    if (!way.items.empty() && cut_off(from, to)) {
        way.resend = way.resend == Duration{} ? kFirstResend : std::min(2 * way.resend, kLastResend);
        if (link->sides[0].closed && link->sides[1].closed) {
            way.items.clear();  // nobody is left to hear it
            way.pumping = false;
            return;
        }
        events_.after(way.resend, [this, link, side] { pump(link, side); });
        return;
    }
    way.resend = {};
    if (!way.items.empty() && way.items.front().ready <= events_.now()) {
        auto item = std::move(way.items.front());
        way.items.pop_front();
        item.deliver(link);
    }
    if (way.items.empty()) {
        way.pumping = false;
        return;
    }
    events_.at(way.items.front().ready, [this, link, side] { pump(link, side); });
}

void Network::close(const LinkPtr& link, int side, Error why, bool tell_other) {
    auto& mine = link->sides[static_cast<std::size_t>(side)];
    if (mine.closed) {
        return;
    }
    mine.closed = true;
    auto& way = link->ways[static_cast<std::size_t>(side)];
    std::erase_if(way.items, [&](const Item& item) {
        // What had not left yet is lost.
        const bool lost = item.bytes > 0 && item.ready - shape(mine.host, mine.host).latency_high > events_.now();
        mine.stats.queued_bytes -= lost ? item.bytes : 0;
        return lost;
    });
    if (tell_other && !link->sides[static_cast<std::size_t>(1 - side)].closed) {
        enqueue(link, side, 0, [this, side](const LinkPtr& l) {
            close(l, 1 - side, {"net.closed_by_peer", "closed", "connection", {}}, false);
        });
    }
    auto* port = mine.port;
    if (port == nullptr) {
        return;
    }
    std::erase_if(port->open, [&](const auto& entry) { return entry.first == link; });
    if (mine.admitted) {
        const auto ip = side == 0 ? net::IpAddress{} : *net::parse_ip(address_of(link->sides[0].host));
        port->admission.release(ip, side == 1);
    }
    if (mine.up) {
        mine.up = false;
        port->links.erase(mine.id);
        if (const auto known = port->by_identity.find(mine.peer.identity);
            known != port->by_identity.end() && known->second == mine.id) {
            port->by_identity.erase(known);
        }
        port->handler.on_peer_down(mine.id, why.code, why.message);
    } else if (side == 0) {
        port->handler.on_dial_failed(link->dialled, link->dialled_port, std::move(why));
    } else {
        port->handler.on_inbound_refused(address_of(link->sides[0].host), std::move(why));
    }
}

}  // namespace synod::sim
