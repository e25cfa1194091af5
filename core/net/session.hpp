// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One connection, from the first byte to the last: handshake, then frames. Internal to the room
//! (includes Asio). Lives on the I/O thread; only enqueue and stats are called from others.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <mutex>

#include "core/net/frame.hpp"
#include "core/net/network.hpp"

namespace synod::net {

class Session;

//! What a session needs of the network that owns it; every call on the I/O thread.
struct SessionOwner {
    virtual ~SessionOwner() = default;
    virtual HelloPolicy hello_policy(const Session& session) = 0;
    virtual const NoiseKeyPair& noise_static() = 0;
    //! The handshake is done. An error refuses the session (a duplicate, for example).
    virtual Result<void> established(Session& session) = 0;
    virtual void frame(Session& session, SharedBytes frame) = 0;
    virtual void closed(Session& session, const Error& reason) = 0;
};

class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(SessionOwner& owner, boost::asio::io_context& io, boost::asio::ip::tcp::socket socket,
            std::size_t max_queue)
        : io_(io), socket_(std::move(socket)), owner_(owner), max_queue_(max_queue) {}

    // Set by the owner before start().
    std::uint64_t id = 0;
    PeerInfo info;
    IpAddress ip;
    bool admitted = false;
    std::string dialled;  //!< as given to dial
    std::optional<PublicKey> expected;
    Hello remote;
    bool up = false;
    Instant started{};
    std::atomic<std::int64_t> last_rx{0};  //!< Instant's count

    void start();
    void close(const Error& reason);
    [[nodiscard]] bool closed() const { return closed_; }
    boost::asio::ip::tcp::socket& socket() { return socket_; }
    SendResult enqueue(std::vector<SharedBytes> parts, OnFull on_full);
    [[nodiscard]] PeerStats stats() const;

  private:
    void read();
    bool take(ByteView bytes);
    bool take_handshake(ByteView& bytes);
    bool take_message(ByteView message);
    bool take_frames(ByteView bytes);
    void queue_handshake(const Bytes& message);
    void pump();

    struct Item {
        std::vector<SharedBytes> parts;
        std::size_t bytes = 0;
    };
    boost::asio::io_context& io_;
    boost::asio::ip::tcp::socket socket_;
    SessionOwner& owner_;
    std::size_t max_queue_;
    std::optional<Handshake> handshake_;
    std::optional<FrameEncoder> encoder_;
    std::optional<FrameDecoder> decoder_;
    Bytes read_buffer_;
    Bytes handshake_in_;
    Bytes handshake_out_;
    Bytes write_buffer_;
    std::size_t in_flight_ = 0;
    bool writing_ = false;
    bool closed_ = false;

    mutable std::mutex mutex_;  // guards what follows
    std::deque<Item> queue_;
    std::size_t queued_bytes_ = 0;
    bool pump_posted_ = false;
    bool overflowed_ = false;
    std::atomic<std::uint64_t> bytes_in_{0};
    std::atomic<std::uint64_t> bytes_out_{0};
};

}  // namespace synod::net
