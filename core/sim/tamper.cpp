// SPDX-License-Identifier: Apache-2.0
#include "core/sim/tamper.hpp"

#include "core/app/forge/authorities.hpp"

namespace synod::sim {

namespace {

constexpr std::uint64_t kLieAbove = 1'000'000;  // blocks that a liar claims to have more
constexpr Duration kDripLow = std::chrono::seconds(2), kDripHigh = std::chrono::seconds(20);
constexpr std::uint32_t kServedBeforeStall = 2;
constexpr std::uint32_t kFloodFrames = 400;  // for each of its own
constexpr std::uint32_t kAlways = 1'000'000, kOften = 500'000, kSometimes = 200'000;
constexpr std::uint32_t kBusyMs = 60'000;
constexpr std::uint32_t kInventedPeers = 32;

Bytes copy(const SharedBytes& from) { return {from.view.begin(), from.view.end()}; }

class Tampering final : public net::Transport {
  public:
    Tampering(std::unique_ptr<net::Transport> behind, TamperPlan plan, Events& events, Random random,
              TamperFigures& figures)
        : behind_(std::move(behind)), plan_(std::move(plan)), events_(events), random_(random), figures_(figures) {}

    [[nodiscard]] std::uint16_t port() const override { return behind_->port(); }
    void dial(std::string address, std::uint16_t port, std::optional<PublicKey> expected) override {
        behind_->dial(std::move(address), port, expected);
    }
    void close(std::uint64_t peer, std::string reason_code, std::string text) override {
        behind_->close(peer, std::move(reason_code), std::move(text));
    }
    [[nodiscard]] std::optional<net::PeerStats> stats(std::uint64_t peer) const override {
        return behind_->stats(peer);
    }
    void stop() override {
        life_.reset();
        behind_->stop();
    }
    net::SendResult send(std::uint64_t peer, std::vector<SharedBytes> parts, net::OnFull on_full) override {
        Bytes frame;
        for (const auto& part : parts) {
            frame.insert(frame.end(), part.view.begin(), part.view.end());
        }
        auto message = net::decode_message(SharedBytes(std::move(frame)));
        if (!message) {
            return behind_->send(peer, std::move(parts), on_full);
        }
        if (does(Behaviour::kFlood, kSometimes)) {
            flood(peer);
        }
        if (does(Behaviour::kGarbage, kSometimes)) {
            Bytes noise(1 + random_.below(512));
            random_.fill(noise);
            behind_->send(peer, std::move(noise));
        }
        const bool reply = std::holds_alternative<net::Blocks>(*message) || std::holds_alternative<net::Headers>(*message);
        if (reply && plan_.does.contains(Behaviour::kStall) && ++served_ > kServedBeforeStall) {
            count(Behaviour::kStall);
            return net::SendResult::queued;
        }
        std::visit([this](auto& m) { change(m); }, *message);
        auto changed = net::encode_message(*message);
        if (does(Behaviour::kReplay, kOften)) {
            behind_->send(peer, changed);
        }
        if (reply && does(Behaviour::kSlowDrip, kAlways)) {
            events_.after(random_.between(kDripLow, kDripHigh), std::weak_ptr<void>(life_),
                          [this, peer, changed = std::move(changed)] { behind_->send(peer, changed); });
            return net::SendResult::queued;
        }
        return behind_->send(peer, std::move(changed), on_full);
    }

  private:
    void count(Behaviour what) { ++figures_.frames[what]; }
    bool does(Behaviour what, std::uint32_t parts_per_million) {
        const bool now = plan_.does.contains(what) && random_.chance(parts_per_million);
        if (now) {
            count(what);
        }
        return now;
    }
    //! In the signature of the run's first block: a child would commit it, so no hash link shows it.
    void spoil_signature(Bytes& run) {
        const auto at = plan_.header_length + random_.below(64);
        if (at < run.size()) {
            run[at] ^= 0x40;
        }
    }
    void change_run(SharedBytes& run, std::uint32_t& n) {
        if (run.view.empty()) {
            return;
        }
        auto bytes = copy(run);
        if (does(Behaviour::kInvalidSignature, kOften)) {
            spoil_signature(bytes);
        }
        if (does(Behaviour::kWrongBody, kOften)) {
            bytes[bytes.size() - 1 - random_.below(std::min<std::size_t>(bytes.size(), 32))] ^= 1;
        }
        if (does(Behaviour::kTruncate, kOften)) {
            bytes.resize(bytes.size() / 2);
            n = std::max(1U, n);
        }
        run = SharedBytes(std::move(bytes));
    }
    template <typename Reply>
    void change_reply(Reply& m) {
        if (does(Behaviour::kEmpty, kAlways)) {
            m.result = net::ReplyResult::not_available;
            m.count = 0;
            m.run = {};
        } else if (std::is_same_v<Reply, net::Blocks> && does(Behaviour::kBusy, kAlways)) {
            m.result = net::ReplyResult::busy;
            m.retry_ms = kBusyMs;
            m.count = 0;
            m.run = {};
        }
    }
    void change(net::Blocks& m) {
        change_reply(m);
        if (does(Behaviour::kForkServer, kOften) && last_run_.count > 0 && m.count > 0) {
            m.run = last_run_.run;  // of other heights
            m.count = last_run_.count;
        } else {
            last_run_ = m;
        }
        change_run(m.run, m.count);
    }
    void change(net::Headers& m) {
        change_reply(m);
        if (m.run.view.empty()) {
            return;
        }
        if (does(Behaviour::kWrongBody, kSometimes)) {
            auto bytes = copy(m.run);
            bytes[random_.below(bytes.size())] ^= 1;
            m.run = SharedBytes(std::move(bytes));
        }
    }
    void change(net::NewBlock& m) {
        std::uint32_t one = 1;
        change_run(m.block, one);
    }
    void change(net::Status& m) {
        if (plan_.does.contains(Behaviour::kStale)) {
            count(Behaviour::kStale);
            if (!first_status_) {
                first_status_ = m;
            }
            m = *first_status_;
        }
        if (does(Behaviour::kHeightLiar, kAlways)) {
            m.height += kLieAbove;
        }
    }
    void change(net::Announce& m) {
        if (does(Behaviour::kHeightLiar, kAlways)) {
            m.height += kLieAbove;
        }
    }
    void change(net::Peers& m) {
        if (!does(Behaviour::kEclipse, kAlways)) {
            return;
        }
        m.list.clear();
        for (const auto other : plan_.like_it) {
            m.list.push_back({address_of(other), kPort, {}});
        }
        for (std::uint32_t i = 0; i < kInventedPeers; ++i) {  // nobody lives there
            PublicKey invented;
            random_.fill(invented.data);
            m.list.push_back({address_of(20'000 + static_cast<HostId>(random_.below(8'000))), kPort, invented});
        }
    }
    template <typename Other>
    void change(Other&) {}

    void flood(std::uint64_t peer) {
        for (std::uint32_t i = 0; i < kFloodFrames; ++i) {
            Hash any;
            random_.fill(any.data);
            behind_->send(peer, net::encode_message(net::Announce{random_.below(1'000'000), any, 1}));
        }
    }

    std::unique_ptr<net::Transport> behind_;
    const TamperPlan plan_;
    Events& events_;
    Random random_;
    TamperFigures& figures_;
    std::shared_ptr<int> life_ = std::make_shared<int>();
    std::uint32_t served_ = 0;
    net::Blocks last_run_;
    std::optional<net::Status> first_status_;
};

}  // namespace

std::unique_ptr<net::Transport> tamper(std::unique_ptr<net::Transport> behind, TamperPlan plan, Events& events,
                                       Random random, TamperFigures& figures) {
    return std::make_unique<Tampering>(std::move(behind), std::move(plan), events, random, figures);
}

}  // namespace synod::sim
