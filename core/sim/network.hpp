// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The network of a simulated world: hosts with one address each, connections between them as TCP gives
//! them to a program. A lost segment is sent again, so loss is delay and nothing else; what a program
//! does see of a bad line is delay, a narrow line, silence, and connections that break. Frames of one
//! connection stay in order, those of two overtake each other. A cut may be in one direction. One thread.

#include <map>
#include <optional>

#include "core/net/admission.hpp"
#include "core/net/network.hpp"
#include "core/sim/events.hpp"
#include "core/sim/random.hpp"
#include "core/sim/trace.hpp"

namespace synod::sim {

using HostId = std::uint32_t;

//! One direction of a line.
struct Shape {
    Duration latency_low = std::chrono::milliseconds(5), latency_high = std::chrono::milliseconds(20);
    std::uint64_t bytes_per_s = 12'500'000;
    std::uint32_t loss_ppm = 0;   //!< of segments
    std::uint32_t reset_ppm = 0;  //!< of frames, whose connection breaks
};

//! The first time after which a lost segment is sent again; doubles each time.
inline constexpr Duration kFirstResend = std::chrono::milliseconds(200);
inline constexpr Duration kLastResend = std::chrono::seconds(8);
inline constexpr std::size_t kSegmentBytes = 1'448;
inline constexpr Duration kIdleCheck = std::chrono::seconds(5);
inline constexpr std::uint16_t kPort = 9'000;

//! Public unicast space, every host in a /16 of its own.
std::string address_of(HostId host);

class Network {
  public:
    Network(Events& events, Random random, Trace& trace);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    //! What a process opens: it listens at the host's address. One a host at a time.
    std::unique_ptr<net::Transport> open(HostId host, net::NetworkConfig config,
                                         net::NetworkHandler& handler);
    //! The process of a host ended. `silent`: so did its machine, and nobody is told.
    void ended(HostId host, bool silent);

    void set_shape(const Shape& shape) { usual_ = shape; }
    void set_shape(HostId from, HostId to, const Shape& shape) { shapes_[{from, to}] = shape; }
    [[nodiscard]] const Shape& shape(HostId from, HostId to) const;
    //! Nothing gets from one to the other until it is healed.
    //! Cuts count: a line with two is whole again when both are healed.
    void cut(HostId from, HostId to) { ++cuts_[{from, to}]; }
    void heal(HostId from, HostId to) {
        if (const auto found = cuts_.find({from, to}); found != cuts_.end() && --found->second == 0) {
            cuts_.erase(found);
        }
    }
    [[nodiscard]] bool cut_off(HostId from, HostId to) const { return cuts_.contains({from, to}); }

    struct Figures {
        std::uint64_t frames = 0, bytes = 0, dials = 0, links = 0, resets = 0;
    };
    [[nodiscard]] const Figures& figures() const { return figures_; }
    //! Sees every frame that arrives, before its receiver does.
    std::function<void(HostId from, HostId to, ByteView frame)> watch;

  private:
    class Port;
    struct Link;
    using LinkPtr = std::shared_ptr<Link>;
    //! Given the link that it came over, which holds it: a link of its own would keep both for ever.
    using Arrival = std::function<void(const LinkPtr&)>;
    struct Item {
        Instant ready{};
        std::size_t bytes = 0;  //!< of a frame; 0: something else
        Arrival deliver;
    };

    void dial(Port& from, std::string address, std::uint16_t port, std::optional<PublicKey> expected);
    void arrived(const LinkPtr& link);
    void shake(const LinkPtr& link);
    bool establish(const LinkPtr& link, int side);
    void send(const LinkPtr& link, int side, SharedBytes frame);
    void enqueue(const LinkPtr& link, int side, std::size_t bytes, Arrival deliver);
    void pump(const LinkPtr& link, int side);
    void close(const LinkPtr& link, int side, Error why, bool tell_other = true);
    void watch_idle(const LinkPtr& link);
    Duration travel(HostId from, HostId to, std::size_t bytes);

    Events& events_;
    Random random_;
    Trace& trace_;
    Shape usual_;
    std::map<std::pair<HostId, HostId>, Shape> shapes_;
    std::map<std::pair<HostId, HostId>, std::uint32_t> cuts_;
    std::map<HostId, Port*> ports_;
    std::map<std::string, HostId> by_address_;
    Figures figures_;
};

}  // namespace synod::sim
