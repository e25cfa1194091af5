// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One running node: ties the rooms that decide to the rooms that act. It has no rule of its own.
//! Built and run on the control thread; `status`, `command` and `stop` may be called from any.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/app/node/block_server.hpp"
#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/control_loop.hpp"
#include "core/app/node/duties.hpp"
#include "core/app/node/links.hpp"
#include "core/app/node/signer.hpp"
#include "core/app/node/sync_driver.hpp"
#include "core/app/node/writer.hpp"
#include "core/bus/bus.hpp"
#include "core/bus/journal.hpp"
#include "core/peers/misbehaviour.hpp"

namespace synod::app {

struct PeerAddress {
    std::string address;
    std::uint16_t port = 0;
    std::optional<PublicKey> identity;
};

struct NodeConfig {
    std::string name;
    std::string data_dir;
    std::string listen_address = "127.0.0.1";
    std::uint16_t listen_port = 0;
    std::vector<PeerAddress> peers;
    std::size_t max_peers = 100;
    sync::SyncConfig sync;
    sync::Mode mode = sync::Mode::fast;
    Duration consensus_timeout = std::chrono::seconds(10);
    std::shared_ptr<SecretKey> identity;
    std::shared_ptr<Signer> signer;  //!< null: no authority
};

//! A peer as `peers` shows it.
struct PeerStatus {
    std::uint64_t id = 0;
    PublicKey identity;
    std::string address;
    std::uint16_t port = 0;
    std::string tier;  //!< federation or regular
    bool connected = false, outbound = false;
    std::uint64_t height = 0;
    double latency_ms = 0;
    std::uint32_t in_flight = 0;
    double goodput = 0;
    double misbehaviour = 0;
    std::optional<UnixMs> banned_until;
    std::vector<peers::Offence> offences;
};

//! What `status` shows. One snapshot feeds the terminal, the API and the tests.
struct NodeStatus {
    std::string name;
    sync::Snapshot sync;
    std::uint64_t final_height = 0;
    Hash head_hash;
    std::uint64_t committed_height = 0;
    bool authority = false;
    std::uint64_t blocks_proposed = 0;
    std::uint64_t blocks_without_pow = 0;
    std::uint32_t authorities_seen = 0, authorities = 0, quorum = 0;
    double health = 0;
    std::optional<std::string> stalled;
    std::vector<PeerStatus> peers;
    std::uint16_t port = 0;
};

enum class Command : std::uint8_t { kPause, kResume, kStop };

class Node : private net::NetworkHandler {
  public:
    //! Loads the chain and opens the listening port; nothing runs yet. References outlive the node.
    static Result<std::unique_ptr<Node>> start(NodeConfig config, ControlLoop& loop, store::Store& store,
                                               pipeline::Pipeline& pipeline, pipeline::WorkerPool& pool,
                                               std::function<void(std::string level, std::string text)> log);
    ~Node() override;

    //! About every kTick, on the control thread.
    void tick();
    //! A copy as of the last tick. Any thread.
    [[nodiscard]] std::shared_ptr<const NodeStatus> status() const;
    //! Answers through `done` on the control thread with the state reached, or why not.
    void command(Command what, std::function<void(Result<std::string>)> done);
    [[nodiscard]] net::Network& network() { return *network_; }
    //! Closes the links and writes what is queued. Control thread, after the loop.
    void close();
    [[nodiscard]] bool finally_failed() const { return finally_failed_; }

  private:
    Node(NodeConfig config, ControlLoop& loop, store::Store& store, pipeline::Pipeline& pipeline,
         pipeline::WorkerPool& pool, std::function<void(std::string, std::string)> log);

    Result<void> open();
    // net::NetworkHandler, on the I/O thread: posts to the control thread.
    void on_peer_up(const net::PeerInfo& info) override;
    void on_peer_down(std::uint64_t peer, std::string reason, std::string text) override;
    void on_frame(std::uint64_t peer, SharedBytes frame) override;
    void on_dial_failed(std::string address, std::uint16_t port, Error why) override;

    void peer_up(const net::PeerInfo& info);
    void peer_down(std::uint64_t peer, const std::string& reason);
    void frame(std::uint64_t peer, const SharedBytes& bytes);
    void handle(std::uint64_t peer, net::Status status);
    void handle(std::uint64_t peer, const net::NewBlock& block);
    void handle(std::uint64_t peer, const net::Announce& announce);
    void handle(std::uint64_t peer, const net::Ping& ping);
    void handle(std::uint64_t peer, const net::Pong& pong);
    void take_block(std::uint64_t peer, const SharedBytes& block);
    void send_status(std::uint64_t peer);
    [[nodiscard]] std::optional<net::Status> our_status() const;
    void misbehaved(std::uint64_t peer, peers::Severity severity, std::string reason, std::string rule,
                    std::uint64_t height);
    void publish(bus::Topic topic, Bytes payload);
    void report(const sync::Action& action);
    void slot(std::uint64_t now_slot);
    void dial_missing(Instant now);
    [[nodiscard]] std::uint64_t slot_now() const;
    [[nodiscard]] std::uint32_t authorities_seen(Instant now) const;
    [[nodiscard]] double health() const;
    void refresh_status();

    NodeConfig config_;
    ControlLoop& loop_;
    store::Store& store_;
    pipeline::Pipeline& pipeline_;
    pipeline::WorkerPool& pool_;
    std::function<void(std::string, std::string)> log_;

    bus::Journal journal_;
    bus::Bus bus_{&journal_};
    Links links_;
    peers::Misbehaviour ledger_;
    std::unordered_map<std::uint64_t, PublicKey> identities_;  // also of peers that left, bounded
    std::unordered_map<std::uint64_t, PeerStatus> departed_;
    std::unique_ptr<ChainKeeper> keeper_;
    std::unique_ptr<Writer> writer_;
    std::unique_ptr<SyncDriver> driver_;
    std::unique_ptr<BlockServer> server_;
    std::unique_ptr<Duties> duties_;
    std::unique_ptr<net::Network> network_;
    std::vector<Instant> next_dial_;
    std::vector<Duration> dial_wait_;
    std::vector<bool> dialled_;
    std::uint64_t last_slot_ = 0;
    Instant last_status_{}, last_ping_{}, last_refresh_{};
    std::unordered_set<Hash> in_work_;  // pushed blocks being proven
    bool gate_open_ = false;
    bool finally_failed_ = false;
    std::optional<std::string> stalled_;
    std::optional<std::string> answer_;
    std::optional<Error> refusal_;
    mutable std::mutex status_mutex_;
    std::shared_ptr<const NodeStatus> status_;
};

}  // namespace synod::app
