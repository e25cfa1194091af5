// SPDX-License-Identifier: Apache-2.0
#include "core/net/network.hpp"

#include <sodium.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cassert>
#include <map>
#include <set>
#include <thread>

#include "core/net/listen.hpp"
#include "core/net/messages.hpp"
#include "core/net/session.hpp"

namespace synod::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using SessionPtr = std::shared_ptr<Session>;

namespace {

Instant now() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

IpAddress ip_of(const asio::ip::address& address) {
    IpAddress out;
    out.bytes = address.is_v6() ? address.to_v6().to_bytes()
                                : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4())
                                      .to_bytes();
    return out;
}

}  // namespace

struct Network::Impl : SessionOwner {
    Impl(NetworkConfig c, NetworkHandler& h)
        : config(std::move(c)),
          handler(h),
          acceptor(io),
          retry(io),
          tick_timer(io),
          resolver(io),
          admission(config.limits, now()),
          static_key(NoiseKeyPair::generate()) {}

    NetworkConfig config;
    NetworkHandler& handler;
    asio::io_context io{1};
    tcp::acceptor acceptor;
    asio::steady_timer retry;
    asio::steady_timer tick_timer;
    tcp::resolver resolver;
    Admission admission;
    NoiseKeyPair static_key;
    Hello hello;
    std::uint16_t bound_port = 0;
    std::uint64_t last_id = 0;
    std::set<SessionPtr> sessions;  // every connection, established or not
    std::map<PublicKey, SessionPtr> by_identity;
    std::map<std::uint64_t, std::string> goodbyes;
    bool stopping = false;
    mutable std::mutex peers_mutex;  // guards `peers`
    std::map<std::uint64_t, SessionPtr> peers;
    std::thread thread;

    HelloPolicy hello_policy(const Session& session) override { return {hello, session.expected}; }
    const NoiseKeyPair& noise_static() override { return static_key; }

    Result<void> listen() {
        boost::system::error_code error;
        const auto address = asio::ip::make_address(config.listen_address, error);
        if (error) {
            return fail("net.listen_failed", config.listen_address + " is not a numeric address", "net",
                        "write 127.0.0.1, for example");
        }
        const auto port = net::listen(acceptor, {address, config.listen_port}, "net");
        if (!port) {
            return std::unexpected(port.error());
        }
        bound_port = *port;
        hello.network_id = config.network_id;
        hello.genesis = config.genesis;
        hello.listen_port = bound_port;
        hello.capabilities = config.capabilities;
        randombytes_buf(&hello.nonce, sizeof hello.nonce);
        sign_hello(hello, config.identity, static_key.public_key);
        return {};
    }

    void accept() {
        acceptor.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
            if (stopping) {
                return;
            }
            if (error) {  // out of file descriptors, for example: breathe, then go on
                retry.expires_after(kAcceptRetry);
                retry.async_wait([this](const boost::system::error_code& e) {
                    if (!e && !stopping) {
                        accept();
                    }
                });
                return;
            }
            accepted(std::move(socket));
            accept();
        });
    }

    void accepted(tcp::socket socket) {
        boost::system::error_code error;
        const auto remote = socket.remote_endpoint(error);
        if (error) {
            return;
        }
        const auto ip = ip_of(remote.address());
        if (const auto ok = admission.admit_inbound(ip, now()); !ok) {
            handler.on_inbound_refused(remote.address().to_string(), ok.error());
            return;
        }
        auto session = make_session(std::move(socket));
        session->admitted = true;
        adopt(session, remote);
        session->start();
    }

    SessionPtr make_session(tcp::socket socket) {
        auto session =
            std::make_shared<Session>(*this, io, std::move(socket), config.max_send_queue);
        session->id = ++last_id;
        session->info.id = session->id;
        session->started = now();
        session->last_rx = session->started.count();
        sessions.insert(session);
        return session;
    }

    void adopt(const SessionPtr& session, const tcp::endpoint& remote) {
        session->ip = ip_of(remote.address());
        session->info.address = remote.address().to_string();
        session->info.port = remote.port();
    }

    void dial(std::string address, std::uint16_t port, std::optional<PublicKey> expected) {
        auto session = make_session(tcp::socket(io));
        session->info.outbound = true;
        session->info.port = port;
        session->info.dialled = address;
        session->dialled = std::move(address);
        session->expected = expected;
        // Counted under the unspecified address until it is resolved: the total cap is what counts.
        if (const auto ok = admission.admit_outbound(session->ip); !ok) {
            session->close(ok.error());
            return;
        }
        session->admitted = true;
        boost::system::error_code error;
        const auto numeric = asio::ip::make_address(session->dialled, error);
        if (!error) {
            connect(session, {tcp::endpoint(numeric, port)});
            return;
        }
        resolver.async_resolve(
            session->dialled, std::to_string(port),
            [this, session](const boost::system::error_code& e, tcp::resolver::results_type found) {
                std::vector<tcp::endpoint> endpoints;
                for (const auto& entry : found) {
                    endpoints.push_back(entry.endpoint());
                }
                if (e || endpoints.empty()) {
                    session->close({"net.resolve_failed",
                                    "cannot resolve " + session->dialled + ": " + e.message(),
                                    "dial", "check the host name in the manifest"});
                } else if (!session->closed()) {
                    connect(session, std::move(endpoints));
                }
            });
    }

    void connect(const SessionPtr& session, std::vector<tcp::endpoint> endpoints) {
        auto list = std::make_shared<std::vector<tcp::endpoint>>(std::move(endpoints));
        asio::async_connect(
            session->socket(), *list,
            [this, session, list](const boost::system::error_code& error, tcp::endpoint remote) {
                if (session->closed()) {
                    return;
                }
                if (error) {
                    session->close({"net.connect_failed",
                                    "cannot connect to " + session->dialled + ":" +
                                        std::to_string(session->info.port) + ": " + error.message(),
                                    "dial", "is the node running and the port open?"});
                    return;
                }
                admission.release(session->ip, false);
                adopt(session, remote);
                session->admitted = admission.admit_outbound(session->ip).has_value();
                session->start();
            });
    }

    //! Which of two links with one node stays; both sides come to the same answer.
    [[nodiscard]] bool keep_new(const Session& old, const Session& fresh) const {
        if (old.remote.nonce != fresh.remote.nonce) {
            return true;  // the other process restarted: the old link is dead
        }
        if (old.info.outbound == fresh.info.outbound) {
            return !fresh.info.outbound;  // the dialler decides, and it keeps what it has
        }
        // Crossed dials: the one that the smaller identity dialled stays.
        return fresh.info.outbound == (hello.identity < fresh.info.identity);
    }

    Result<void> established(Session& session) override {
        const auto found = by_identity.find(session.info.identity);
        if (found != by_identity.end()) {
            const auto old = found->second;
            if (!keep_new(*old, session)) {
                return fail("net.duplicate", "this node is connected already", "handshake");
            }
            old->close({"net.duplicate", "replaced by another connection", "handshake", {}});
        }
        session.up = true;
        const auto self = session.shared_from_this();
        by_identity[session.info.identity] = self;
        {
            const std::lock_guard lock(peers_mutex);
            peers[session.id] = self;
        }
        handler.on_peer_up(session.info);
        return {};
    }

    void frame(Session& session, SharedBytes frame) override {
        if (frame.view[0] == static_cast<std::uint8_t>(MessageType::goodbye)) {
            if (const auto message = decode_message(frame)) {
                goodbyes[session.id] = std::get<Goodbye>(*message).text;
            }
        }
        handler.on_frame(session.id, std::move(frame));
    }

    void closed(Session& session, const Error& reason) override {
        const auto self = session.shared_from_this();
        sessions.erase(self);
        if (session.admitted) {
            admission.release(session.ip, !session.info.outbound);
            session.admitted = false;
        }
        if (session.up) {
            session.up = false;
            const auto found = by_identity.find(session.info.identity);
            if (found != by_identity.end() && found->second == self) {
                by_identity.erase(found);
            }
            {
                const std::lock_guard lock(peers_mutex);
                peers.erase(session.id);
            }
            auto text = reason.message;
            if (const auto bye = goodbyes.extract(session.id);
                bye && reason.code == "net.closed_by_peer") {
                text = bye.mapped();
            }
            handler.on_peer_down(session.id, reason.code, std::move(text));
        } else if (session.info.outbound) {
            handler.on_dial_failed(session.dialled, session.info.port, reason);
        } else {
            handler.on_inbound_refused(session.info.address, reason);
        }
    }

    //! Looks for connections that took too long; often enough to be a quarter late at most.
    void tick() {
        const auto shortest = std::min(config.handshake_timeout, config.idle_timeout);
        tick_timer.expires_after(std::min<Duration>(shortest / 4, std::chrono::seconds(1)));
        tick_timer.async_wait([this](const boost::system::error_code& error) {
            if (error || stopping) {
                return;
            }
            const auto all = sessions;
            for (const auto& session : all) {
                if (!session->up && now() - session->started > config.handshake_timeout) {
                    session->close({"net.handshake_timeout", "the handshake took too long",
                                    "handshake", {}});
                } else if (session->up &&
                           now() - Instant(session->last_rx.load()) > config.idle_timeout) {
                    session->close({"net.idle", "nothing came for too long", "connection", {}});
                }
            }
            tick();
        });
    }

    SessionPtr find(std::uint64_t peer) const {
        const std::lock_guard lock(peers_mutex);
        const auto found = peers.find(peer);
        return found == peers.end() ? nullptr : found->second;
    }

    void shut_down() {
        stopping = true;
        boost::system::error_code ignored;
        acceptor.close(ignored);
        resolver.cancel();
        const auto all = sessions;
        for (const auto& session : all) {
            session->close({"net.stopping", "this node is stopping", "network", {}});
        }
        io.stop();
    }
};

Network::Network(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Network::~Network() {
    stop();
}

Result<std::unique_ptr<Network>> Network::start(NetworkConfig config, NetworkHandler& handler) {
    if (sodium_init() < 0) {
        return fail("net.crypto_failed", "libsodium does not start", "network");
    }
    auto impl = std::make_shared<Impl>(std::move(config), handler);
    if (auto listening = impl->listen(); !listening) {
        return std::unexpected(std::move(listening.error()));
    }
    impl->accept();
    impl->tick();
    auto* raw = impl.get();
    impl->thread = std::thread([raw] { raw->io.run(); });
    return std::unique_ptr<Network>(new Network(std::move(impl)));
}

std::uint16_t Network::port() const {
    return impl_->bound_port;
}

void Network::dial(std::string address, std::uint16_t port, std::optional<PublicKey> expected) {
    asio::post(impl_->io, [raw = impl_.get(), address = std::move(address), port, expected] {
        raw->dial(address, port, expected);
    });
}

SendResult Network::send(std::uint64_t peer, std::vector<SharedBytes> parts, OnFull on_full) {
    const auto session = impl_->find(peer);
    return session ? session->enqueue(std::move(parts), on_full) : SendResult::unknown_peer;
}

void Network::close(std::uint64_t peer, std::string reason_code, std::string text) {
    asio::post(impl_->io, [raw = impl_.get(), peer, code = std::move(reason_code),
                           text = std::move(text)] {
        if (const auto session = raw->find(peer)) {
            session->close({code, text, "network", {}});
        }
    });
}

std::optional<PeerStats> Network::stats(std::uint64_t peer) const {
    const auto session = impl_->find(peer);
    return session ? std::optional(session->stats()) : std::nullopt;
}

void Network::post(std::function<void()> fn) {
    asio::post(impl_->io, std::move(fn));
}

void Network::schedule(Duration delay, std::function<void()> fn) {
    asio::post(impl_->io, [raw = impl_.get(), delay, fn = std::move(fn)] {
        auto timer = std::make_shared<asio::steady_timer>(raw->io, delay);
        timer->async_wait([timer, fn](const boost::system::error_code& error) {
            if (!error) {
                fn();
            }
        });
    });
}

asio::io_context& Network::io_context() {
    return impl_->io;
}

void Network::stop() {
    if (!impl_->thread.joinable()) {
        return;
    }
    assert(impl_->thread.get_id() != std::this_thread::get_id());
    asio::post(impl_->io, [raw = impl_.get()] { raw->shut_down(); });
    impl_->thread.join();
}

}  // namespace synod::net
