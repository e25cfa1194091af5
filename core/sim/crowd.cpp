// SPDX-License-Identifier: Apache-2.0
#include "core/sim/crowd.hpp"

#include "core/net/messages.hpp"

namespace synod::sim {

namespace {

constexpr Duration kShortestStay = std::chrono::seconds(3), kLongestStay = std::chrono::seconds(60);
constexpr Duration kShortestAway = std::chrono::seconds(1), kLongestAway = std::chrono::seconds(60);
constexpr std::uint32_t kNamed = 8;  // addresses in an answer

}  // namespace

class Crowd::Peer final : public net::NetworkHandler {
  public:
    Peer(Crowd& crowd, Events& events, Network& network, const Foundation& foundation, Random random, HostId host,
         HostId first, std::uint32_t count, const std::vector<HostId>& targets, net::NetworkConfig config)
        : crowd_(crowd),
          events_(events),
          network_(network),
          foundation_(foundation),
          random_(random),
          host_(host),
          first_(first),
          count_(count),
          targets_(targets),
          config_(std::move(config)) {
        leave(kLongestAway);
    }
    ~Peer() override { transport_.reset(); }

    void on_peer_up(const net::PeerInfo& peer) override {
        net::Status status;
        status.unix_ms = unix_ms();
        transport_->send(peer.id, net::encode_message(status));
    }
    void on_peer_down(std::uint64_t, std::string, std::string) override {}
    void on_dial_failed(std::string, std::uint16_t, Error) override {}
    void on_frame(std::uint64_t peer, SharedBytes frame) override {
        const auto message = net::decode_message(frame);
        if (!message) {
            return;
        }
        const auto say = [&](const net::Message& m) { transport_->send(peer, net::encode_message(m)); };
        if (const auto* ping = std::get_if<net::Ping>(&*message)) {
            say(net::Pong{ping->nonce, unix_ms()});
        } else if (const auto* headers = std::get_if<net::GetHeaders>(&*message)) {
            say(net::Headers{headers->id, net::ReplyResult::not_available, 0, headers->from, 0, {}, {}});
        } else if (const auto* blocks = std::get_if<net::GetBlocks>(&*message)) {
            say(net::Blocks{blocks->id, net::ReplyResult::not_available, 0, blocks->from, 0, {}});
        } else if (const auto* peers = std::get_if<net::GetPeers>(&*message)) {
            net::Peers out{peers->id, {}};
            for (std::uint32_t i = 0; i < kNamed; ++i) {
                const auto other = first_ + static_cast<HostId>(random_.below(count_));
                out.list.push_back({address_of(other), kPort, crowd_.peers_[other - first_]->identity()});
            }
            say(out);
        }
    }
    [[nodiscard]] const PublicKey& identity() const { return config_.identity.public_key(); }

  private:
    [[nodiscard]] UnixMs unix_ms() const {
        return foundation_.begins +
               static_cast<UnixMs>(std::chrono::duration_cast<std::chrono::milliseconds>(events_.now()).count());
    }
    void come() {
        transport_ = network_.open(host_, config_, *this);
        transport_->dial(address_of(targets_[random_.below(targets_.size())]), kPort);
        events_.after(random_.between(kShortestStay, kLongestStay), std::weak_ptr<void>(life_), [this] {
            transport_.reset();
            leave(kLongestAway);
        });
    }
    void leave(Duration longest) {
        events_.after(random_.between(kShortestAway, longest), std::weak_ptr<void>(life_), [this] { come(); });
    }

    Crowd& crowd_;
    Events& events_;
    Network& network_;
    const Foundation& foundation_;
    Random random_;
    const HostId host_, first_;
    const std::uint32_t count_;
    const std::vector<HostId>& targets_;
    net::NetworkConfig config_;
    std::unique_ptr<net::Transport> transport_;
    std::shared_ptr<int> life_ = std::make_shared<int>();
};

Crowd::Crowd(Events& events, Network& network, const Foundation& foundation, Random random, HostId first,
             std::uint32_t count, std::vector<HostId> targets, const Hash& genesis, const Hash& network_id)
    : targets_(std::move(targets)) {
    for (std::uint32_t i = 0; i < count; ++i) {
        auto own = random.stream("peer", i);
        Bytes seed(32);
        own.fill(seed);
        net::NetworkConfig config;
        config.genesis = genesis;
        config.network_id = network_id;
        config.identity = net::Identity::from_seed(seed);
        peers_.push_back(std::make_unique<Peer>(*this, events, network, foundation, own, first + i, first, count,
                                                targets_, std::move(config)));
    }
}

Crowd::~Crowd() = default;

}  // namespace synod::sim
