// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One running node: ties the rooms that decide to the rooms that act. It has no rule of its own.
//! Built and run on the control thread; `status`, `command` and `stop` may be called from any.
//! node.cpp has its life and its clock, node_emergency.cpp when it stands aside, node_peers.cpp who is
//! linked and judged, node_frames.cpp what peers say, node_report.cpp what is told to people.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/app/checkpoint/checkpointer.hpp"
#include "core/app/evidence/evidence.hpp"
#include "core/app/governance/governance.hpp"
#include "core/app/mining/mining.hpp"
#include "core/app/node/attendance.hpp"
#include "core/app/node/audit.hpp"
#include "core/app/node/block_server.hpp"
#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/control_loop.hpp"
#include "core/app/node/cost_limits.hpp"
#include "core/app/node/dialer.hpp"
#include "core/app/node/duties.hpp"
#include "core/app/node/judge.hpp"
#include "core/app/node/links.hpp"
#include "core/app/node/machine.hpp"
#include "core/app/node/node_status.hpp"
#include "core/app/node/peer_ranker.hpp"
#include "core/app/node/signer.hpp"
#include "core/app/node/sync_driver.hpp"
#include "core/app/node/tuner.hpp"
#include "core/app/node/writer.hpp"
#include "core/bus/bus.hpp"
#include "core/health/emergency.hpp"
#include "core/health/partition.hpp"

namespace synod::app {

struct NodeConfig {
    std::string name;
    std::string data_dir;
    std::string listen_address = "127.0.0.1";
    std::uint16_t listen_port = 0;
    std::vector<PeerAddress> peers;
    std::unordered_set<PublicKey> miners;  //!< identities of the tier miner
    std::size_t max_peers = 100;
    std::size_t wanted_peers = kWantedPeers;
    std::uint64_t peer_share = kRegularCost;  //!< what a regular peer may ask for in kCostPeriod
    std::size_t memory_pool = 10'000;  //!< blocks above the committed one
    sync::SyncConfig sync;
    sync::TuneLevel tune_level = sync::TuneLevel::balanced;
    sync::TuneTargets tune_targets;
    sync::Mode mode = sync::Mode::fast;
    Duration consensus_timeout = std::chrono::seconds(10);
    Duration health_interval = health::kAssessEvery;
    Duration partition_confirm = health::kPartitionConfirm;
    bool adopt_signatures = false;  //!< what the authority's key signed before this start is its own
    std::optional<Byzantine> byzantine;  //!< none, but in a simulation
    std::shared_ptr<SecretKey> identity;
    std::shared_ptr<Signer> signer;  //!< null: no authority
};

//! What a node stands on. All of it outlives the node.
struct NodeParts {
    ControlLoop& loop;
    store::Store& store;
    pipeline::Pipeline& pipeline;
    pipeline::Workers& pool;
    bus::Bus& bus;
    Checkpointer* checkpoints = nullptr;  //!< null: none are made
    host::Instance* scoring = nullptr;  //!< null: none
    PeerRanker::OnStrand on_scoring_strand;
    host::Instance* optimizer = nullptr;  //!< null: none
    Tuner::OnStrand on_optimizer_strand;
    PluginFaults& faults;
    std::function<void(std::string level, std::string text)> log;
    Machine machine = {};
    std::function<void()> ask_backends_again = {};  //!< they disagreed, and the operator goes on; may be empty
};

enum class Command : std::uint8_t { kPause, kResume, kStop };

class Node : private net::NetworkHandler {
  public:
    //! Loads the chain and opens the listening port; nothing runs yet.
    static Result<std::unique_ptr<Node>> start(NodeConfig config, NodeParts parts);
    ~Node() override;

    //! About every kTick, on the control thread.
    void tick();
    //! A copy as of the last tick. Any thread.
    [[nodiscard]] std::shared_ptr<const NodeStatus> status() const;
    //! Answers through `done` on the control thread with the state reached, or why not.
    void command(Command what, std::function<void(Result<std::string>)> done);
    [[nodiscard]] net::Transport& network() { return *network_; }
    //! Control thread.
    [[nodiscard]] Mining& mining() { return *mining_; }
    [[nodiscard]] Governance& governance() { return *governance_; }
    //! Control thread.
    [[nodiscard]] const EvidenceBook& evidence() const { return evidence_->book(); }
    //! At the tip, or nearly: what is built here stands on the network's head. Control thread.
    [[nodiscard]] bool at_tip() const;
    //! Work is given at the tip, and while only the want of a proof keeps the node from it.
    [[nodiscard]] bool gives_work() const { return at_tip() || emergency_.only_mining(); }
    //! Control thread.
    void enter_emergency(const std::string& reason);
    //! False when there was none.
    bool leave_emergency();
    //! Nothing can be proven until the operator ends the emergency. Control thread.
    void backends_disagree(const Error& why);
    //! Closes the links and writes what is queued. Control thread, after the loop.
    void close();
    //! For the status. Control thread, before the loop.
    void tell_mining_port(std::uint16_t port) { mining_port_ = port; }
    //! Why it must not go on. Control thread.
    [[nodiscard]] const std::optional<Error>& halted() const { return halted_; }
    [[nodiscard]] bool finally_failed() const { return finally_failed_; }

  private:
    //! Frames of one peer that the control thread hasn't taken yet.
    struct Waiting {
        std::atomic<std::size_t> frames{0}, bytes{0};
    };

    Node(NodeConfig config, NodeParts parts);
    Result<void> open();
    ChainKeeper::Listener keeper_listener();
    SyncDriver::Listener driver_listener();
    Duties::Listener duties_listener();
    Mining::Listener mining_listener();
    Governance::Listener governance_listener();
    Evidence::Listener evidence_listener();
    Audit::Listener audit_listener();
    void keep(store::Record record, std::function<void()> written = {});
    [[nodiscard]] std::uint64_t unverified() const;
    void find_checkpoint(std::function<void(pipeline::State)> done);
    Result<void> open_network();
    void remember_peers();

    // net::NetworkHandler, on the I/O thread: posts to the control thread.
    void on_peer_up(const net::PeerInfo& info) override;
    void on_peer_down(std::uint64_t peer, std::string reason, std::string text) override;
    void on_frame(std::uint64_t peer, SharedBytes frame) override;
    void on_dial_failed(std::string address, std::uint16_t port, Error why) override;
    void on_inbound_refused(std::string address, Error why) override;

    // node_peers.cpp
    [[nodiscard]] peers::Tier tier_of(const PublicKey& identity) const;
    void grade_peers();
    void peer_up(const net::PeerInfo& info);
    void peer_down(std::uint64_t peer, const std::string& reason);
    void dial_failed(const std::string& address, std::uint16_t port, const Error& why);
    void charge(std::uint64_t peer, const Charge& charge);
    void convict(const ProvenEvidence& evidence);
    void unanswered(std::uint64_t peer, std::string_view reason);
    void make_room();
    void dial();
    void rank();
    [[nodiscard]] net::Peers peers_for(std::uint32_t request, std::uint64_t asker) const;

    // node_frames.cpp
    void frame(std::uint64_t peer, const SharedBytes& bytes);
    bool affordable(std::uint64_t peer, std::size_t bytes);
    void handle(std::uint64_t peer, net::Status status);
    void handle(std::uint64_t peer, const net::NewBlock& block);
    void handle(std::uint64_t peer, const net::Announce& announce);
    void handle(std::uint64_t peer, const net::Ping& ping);
    void handle(std::uint64_t peer, const net::Pong& pong);
    void handle(std::uint64_t peer, const net::Peers& listed);
    void take_block(std::uint64_t peer, const SharedBytes& block);
    void two_chains(const pipeline::HeaderView& other);
    void send_status(std::uint64_t peer);
    [[nodiscard]] net::Status our_status() const;

    // node_report.cpp
    void publish(bus::Topic topic, Bytes payload);
    void report(const sync::Action& action);
    void go_without(PluginFault fault);
    void refresh_status();
    [[nodiscard]] PeerStatus linked_peer(std::uint64_t id, const PeerLink& link,
                                         const sync::Snapshot& snapshot) const;

    void slot(std::uint64_t now_slot);
    [[nodiscard]] std::uint64_t slot_now() const;
    [[nodiscard]] std::uint32_t authorities_seen(Instant now) const;
    [[nodiscard]] health::HealthInputs health_inputs(Instant now);
    void watch_health(Instant now);
    void watch_mining();
    void attend(const chain::Pointer& head, std::uint64_t slot);
    void wake_at_slot();
    void if_new_slot();
    void follow_governance();
    [[nodiscard]] bool quorum_alone() const;
    void watch_partition(Instant now);
    void watch_emergency(Instant now);
    [[nodiscard]] std::uint32_t guilty_authorities() const;
    void raise_emergency(health::Trigger trigger, const std::string& reason);
    void restore_emergency();
    void keep_emergency();
    void emergency_moved(health::Emergency::Change change);

    NodeConfig config_;
    ControlLoop& loop_;
    host::Clock& clock_;
    store::Store& store_;
    pipeline::Pipeline& pipeline_;
    pipeline::Workers& pool_;
    bus::Bus& bus_;
    Checkpointer* checkpoints_;
    PluginFaults& faults_;
    std::function<void(std::string, std::string)> log_;
    const Machine machine_;

    Links links_;
    Judge judge_;
    Dialer dialer_;
    PeerRanker ranker_;
    Tuner tuner_;
    health::Monitor monitor_;
    health::PartitionWatch partition_;
    health::Emergency emergency_;
    double best_bandwidth_ = 0;  // bytes/s
    struct Met {
        PublicKey identity;
        std::uint64_t group = 0;
        std::optional<Instant> judged;  //!< a request to it ended well or badly
    };
    std::unordered_map<std::uint64_t, Met> met_;  // also peers that left, bounded
    std::unordered_map<std::uint64_t, PeerStatus> departed_;
    std::unordered_map<std::uint64_t, std::shared_ptr<Waiting>> waiting_;  // I/O thread only
    std::unique_ptr<ChainKeeper> keeper_;
    std::unique_ptr<Writer> writer_;
    std::unique_ptr<SyncDriver> driver_;
    std::unique_ptr<Audit> audit_;  // mode optimistic
    std::unique_ptr<BlockServer> server_;
    std::unique_ptr<Mining> mining_;
    std::unique_ptr<Governance> governance_;
    std::unique_ptr<Evidence> evidence_;
    std::unique_ptr<Duties> duties_;
    std::unique_ptr<net::Transport> network_;
    std::uint64_t last_slot_ = 0;
    std::uint32_t authority_set_ = 0;
    Instant last_eviction_{};
    Instant last_status_{}, last_ping_{}, last_refresh_{}, last_book_{}, last_health_{}, last_ask_{};
    std::unordered_set<Hash> in_work_;  // pushed blocks being proven
    bool gate_open_ = false;
    bool proves_nothing_ = false;  // two backends disagree
    std::function<void()> ask_backends_again_;
    bool two_chains_ = false;  // shown since the operator last ended an emergency
    bool finally_failed_ = false;
    std::optional<Error> halted_;
    Attendance attendance_;
    std::optional<std::uint16_t> mining_port_;
    std::optional<std::string> stalled_;
    std::optional<Error> refusal_;
    mutable std::mutex status_mutex_;
    std::shared_ptr<const NodeStatus> status_;
};

}  // namespace synod::app
