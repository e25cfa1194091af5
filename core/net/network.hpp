// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The acting side of the room: one I/O thread that listens, dials, shakes hands and moves frames.
//! It owns the sockets and the per-peer queues; it never interprets a frame (Goodbye's text aside)
//! and never decides whom to trust. Every handler call comes on the I/O thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/net/admission.hpp"
#include "core/net/identity.hpp"

namespace boost::asio {
class io_context;
}

namespace synod::net {

inline constexpr std::size_t kMaxSendQueueBytes = 32u << 20;  //!< plaintext bytes a peer
inline constexpr std::size_t kReadChunkBytes = 256u << 10;    //!< bytes one read takes at most
inline constexpr std::size_t kWriteBatchBytes = 256u << 10;   //!< frames are joined up to here
inline constexpr Duration kAcceptRetry = std::chrono::milliseconds(100);

struct NetworkConfig {
    std::string listen_address = "127.0.0.1";  //!< numeric
    std::uint16_t listen_port = 0;             //!< 0: the system chooses
    AdmissionLimits limits;
    Duration handshake_timeout = std::chrono::seconds(5);  //!< connect and handshake together
    Duration idle_timeout = std::chrono::seconds(90);      //!< without a byte from the peer
    std::size_t max_send_queue = kMaxSendQueueBytes;
    Hash network_id;
    Hash genesis;
    Identity identity = Identity::generate();
    std::uint32_t capabilities = 0;
};

struct PeerInfo {
    std::uint64_t id = 0;  //!< unique for the life of this Network
    PublicKey identity;
    std::string address;  //!< numeric
    std::uint16_t port = 0;
    std::string dialled;  //!< what dial() was given, maybe a host name; empty for inbound
    std::uint16_t listen_port = 0;
    bool outbound = false;
    std::uint32_t capabilities = 0;
};

struct PeerStats {
    std::uint64_t bytes_in = 0;  //!< wire bytes
    std::uint64_t bytes_out = 0;
    std::size_t queued_bytes = 0;  //!< plaintext accepted by send and not yet written
};

//! Implemented by the caller; must outlive the Network. Must not throw and must not block.
struct NetworkHandler {
    virtual ~NetworkHandler() = default;
    virtual void on_peer_up(const PeerInfo& peer) = 0;
    //! `reason_code` as in Error::code; for net.closed_by_peer `text` is the peer's Goodbye, if any.
    virtual void on_peer_down(std::uint64_t peer, std::string reason_code, std::string text) = 0;
    virtual void on_frame(std::uint64_t peer, SharedBytes frame) = 0;
    //! A dial that did not end in on_peer_up: connect or handshake failed.
    virtual void on_dial_failed(std::string address, std::uint16_t port, Error error) = 0;
    //! An inbound connection that was refused or failed its handshake.
    virtual void on_inbound_refused(std::string /*address*/, Error /*error*/) {}
};

enum class SendResult : std::uint8_t { queued, dropped, overflow, unknown_peer, too_large };
enum class OnFull : std::uint8_t { close, drop };

//! How a node's frames travel. Network moves them over TCP, the simulator over virtual links.
class Transport {
  public:
    Transport() = default;
    virtual ~Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    [[nodiscard]] virtual std::uint16_t port() const = 0;
    //! Any thread. Host name or numeric address. Ends in on_peer_up or on_dial_failed.
    virtual void dial(std::string address, std::uint16_t port, std::optional<PublicKey> expected) = 0;
    void dial(std::string address, std::uint16_t port) { dial(std::move(address), port, {}); }
    //! Any thread. Queues one frame; the parts are its plaintext one after another and are not
    //! copied. On a full queue closes the peer (net.send_queue_full) or drops the frame.
    virtual SendResult send(std::uint64_t peer, std::vector<SharedBytes> parts, OnFull on_full) = 0;
    SendResult send(std::uint64_t peer, std::vector<SharedBytes> parts) {
        return send(peer, std::move(parts), OnFull::close);
    }
    SendResult send(std::uint64_t peer, Bytes frame, OnFull on_full = OnFull::close) {
        return send(peer, std::vector<SharedBytes>{SharedBytes(std::move(frame))}, on_full);
    }
    //! Any thread. Ends in on_peer_down with this code; queued frames are lost.
    virtual void close(std::uint64_t peer, std::string reason_code, std::string text) = 0;
    void close(std::uint64_t peer, std::string reason_code) { close(peer, std::move(reason_code), {}); }
    [[nodiscard]] virtual std::optional<PeerStats> stats(std::uint64_t peer) const = 0;  //!< any thread
    //! Closes everything. Peers get on_peer_down with net.stopping; no handler runs afterwards.
    //! Not from a handler. Idempotent.
    virtual void stop() = 0;
};

class Network final : public Transport {
  public:
    using Transport::close;
    using Transport::dial;
    using Transport::send;

    //! Binds, listens and starts the I/O thread. Errors: net.listen_failed, net.crypto_failed.
    static Result<std::unique_ptr<Network>> start(NetworkConfig config, NetworkHandler& handler);
    ~Network() override;  //!< stops

    [[nodiscard]] std::uint16_t port() const override;
    void dial(std::string address, std::uint16_t port, std::optional<PublicKey> expected) override;
    SendResult send(std::uint64_t peer, std::vector<SharedBytes> parts, OnFull on_full) override;
    void close(std::uint64_t peer, std::string reason_code, std::string text) override;
    [[nodiscard]] std::optional<PeerStats> stats(std::uint64_t peer) const override;
    //! Any thread. Runs `fn` on the I/O thread; not at all after stop().
    void post(std::function<void()> fn);
    void schedule(Duration delay, std::function<void()> fn);
    //! The I/O thread's context, for rooms that share the thread; valid for the life of the Network
    //! and not run any more after stop(). Any thread.
    boost::asio::io_context& io_context();
    //! Joins the I/O thread, so not from it.
    void stop() override;

  private:
    struct Impl;
    explicit Network(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace synod::net
