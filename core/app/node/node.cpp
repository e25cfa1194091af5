// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/node.hpp"
#include "core/base/planted.hpp"

#include <algorithm>

#include "core/base/codec.hpp"

namespace synod::app {

namespace {

constexpr Duration kStatusEvery = std::chrono::seconds(2);
constexpr Duration kPingEvery = std::chrono::seconds(5);
constexpr Duration kRefreshEvery = std::chrono::milliseconds(200);
constexpr Duration kHealthEvery = health::kCheckEvery;  // measured; what follows has times of its own
constexpr Duration kBookEvery = std::chrono::seconds(30);  // a changed address book is stored
constexpr Duration kAskPeersEvery = std::chrono::minutes(1);

//! Whether a certificate is enough to store what it vouches for.
bool vouches(sync::Mode mode) { return mode == sync::Mode::fast || mode == sync::Mode::optimistic; }

const Bytes kBookKey{'b', 'o', 'o', 'k'};

}  // namespace

Node::Node(NodeConfig config, NodeParts parts)
    : config_(std::move(config)),
      loop_(parts.loop),
      clock_(parts.loop.clock()),
      store_(parts.store),
      pipeline_(parts.pipeline),
      pool_(parts.pool),
      bus_(parts.bus),
      checkpoints_(parts.checkpoints),
      faults_(parts.faults),
      log_(std::move(parts.log)),
      machine_(std::move(parts.machine)),
      judge_([this](store::Commit change) { writer_->post(std::move(change), [](Result<void>) {}); }),
      dialer_(config_.peers, config_.identity->public_key(), config_.sync.seed,
              config_.wanted_peers),
      ranker_(parts.scoring, std::move(parts.on_scoring_strand),
              [loop = &parts.loop](std::function<void()> task) { loop->post(std::move(task)); },
              [this](auto weights) { driver_->feed(sync::PeerScores{std::move(weights)}); },
              [this](PluginFault fault) { go_without(std::move(fault)); }),
      tuner_(parts.optimizer, {config_.sync, config_.tune_level, config_.tune_targets},
             std::move(parts.on_optimizer_strand),
             [loop = &parts.loop](std::function<void()> task) { loop->post(std::move(task)); },
             [this](const sync::Tune& tune) { driver_->feed(tune); },
             [this](const std::string& text) { log_("info", "tuning: " + text); },
             [this](PluginFault fault) { go_without(std::move(fault)); }, machine_),
      monitor_(config_.health_interval),
      partition_(config_.partition_confirm),
      emergency_(config_.consensus_timeout, config_.health_interval),
      ask_backends_again_(std::move(parts.ask_backends_again)) {}

Node::~Node() { close(); }

Result<std::unique_ptr<Node>> Node::start(NodeConfig config, NodeParts parts) {
    std::unique_ptr<Node> node(new Node(std::move(config), std::move(parts)));
    if (auto opened = node->open(); !opened) {
        return std::unexpected(opened.error());
    }
    return node;
}

Result<void> Node::open() {
    keeper_ = std::make_unique<ChainKeeper>(pipeline_, store_, config_.memory_pool, keeper_listener());
    if (auto loaded = keeper_->load(); !loaded) {
        return loaded;
    }
    writer_ = std::make_unique<Writer>(store_, [this](auto task) { loop_.post(std::move(task)); },
                                       machine_.commit_on);
    keeper_->attach(*writer_);
    config_.sync.slot = std::chrono::milliseconds(keeper_->info().slot_ms);
    driver_ = std::make_unique<SyncDriver>(config_.sync, *keeper_, pipeline_, links_,
                                           vouches(config_.mode), clock_, driver_listener());
    if (config_.mode == sync::Mode::optimistic) {
        audit_ = std::make_unique<Audit>(*keeper_, pipeline_, audit_listener());
    }
    server_ = std::make_unique<BlockServer>(store_, *keeper_, links_, pool_, pipeline_.consensus(),
                                            clock_, config_.peer_share);
    mining_ = std::make_unique<Mining>(*keeper_, pipeline_, links_, mining_listener());
    governance_ = std::make_unique<Governance>(*keeper_, pipeline_, links_, config_.sync.seed,
                                               governance_listener());
    evidence_ = std::make_unique<Evidence>(*keeper_, pipeline_, links_, evidence_listener());
    evidence_->restore();
    duties_ = std::make_unique<Duties>(*keeper_, pipeline_, links_, config_.signer, duties_listener());
    duties_->begin(slot_now(), config_.adopt_signatures, config_.byzantine);
    remember_peers();
    if (auto opened = open_network(); !opened) {
        return opened;
    }
    mining_->restore();
    governance_->restore();
    driver_->feed(sync::Start{config_.mode, {}, {}});
    restore_emergency();
    refresh_status();
    return {};
}

//! What a part wants to find again after a restart. `written` is called when that was tried.
void Node::keep(store::Record record, std::function<void()> written) {
    store::Commit change;
    change.put_records.push_back(std::move(record));
    writer_->post(std::move(change), [written = std::move(written)](const Result<void>&) {
        if (written) {
            written();
        }
    });
}

bool Node::at_tip() const {
    const auto state = driver_->machine().state();
    return state == sync::State::synced || state == sync::State::catching_up;
}

//! Bans and addresses of earlier runs. What can't be read costs comfort, never the start.
void Node::remember_peers() {
    if (auto bans = store_.list_records("bans", peers::kMaxLedgerEntries)) {
        judge_.restore(*bans, clock_.mono(), clock_.unix_ms());
    }
    if (auto book = store_.get_record("peers", kBookKey); book && *book) {
        if (auto restored = dialer_.restore(**book); !restored) {
            log_("warning", restored.error().text());
        }
    }
}

Result<void> Node::open_network() {
    net::NetworkConfig net;
    net.listen_address = config_.listen_address;
    net.listen_port = config_.listen_port;
    net.limits.max_total = config_.max_peers;
    net.limits.max_inbound =
        std::max<std::size_t>(1, config_.max_peers * (100 - kLeastOutboundPercent) / 100);
    net.network_id = Hash::copy(keeper_->info().network_id);
    net.genesis = Hash::copy(keeper_->info().genesis_hash);
    net.identity = net::Identity::from_seed(config_.identity->seed());
    auto started = machine_.open_network(std::move(net), *this);
    if (!started) {
        return std::unexpected(started.error());
    }
    network_ = std::move(*started);
    links_.network = network_.get();
    return {};
}

void Node::close() {
    if (network_) {
        network_->stop();
    }
    if (server_) {
        server_->finish();
    }
    if (keeper_) {
        // What was handed to the consensus strand refers to us; nothing more is handed to it.
        pipeline_.drain_reads();
        pipeline_.on_consensus_and_wait([] {});
    }
    writer_.reset();
}

// ---- the I/O thread's side: everything is handed over -------------------------------------------

void Node::on_peer_up(const net::PeerInfo& info) {
    waiting_[info.id] = std::make_shared<Waiting>();
    loop_.post([this, info] { peer_up(info); });
}

void Node::on_peer_down(std::uint64_t peer, std::string reason, std::string /*text*/) {
    waiting_.erase(peer);
    loop_.post([this, peer, reason = std::move(reason)] { peer_down(peer, reason); });
}

void Node::on_frame(std::uint64_t peer, SharedBytes bytes) {
    const auto it = waiting_.find(peer);
    if (it == waiting_.end()) {
        return;
    }
    const auto waiting = it->second;
    const auto size = bytes.view.size();
    if (waiting->frames >= kMaxWaitingFrames || waiting->bytes + size > kMaxWaitingBytes) {
        waiting_.erase(it);  // what it still sends is not looked at
        loop_.post([this, peer] {
            charge(peer, {peers::Severity::kGrave, "flooding", "net.waiting_frames", 0, {}});
        });
        return;
    }
    ++waiting->frames;
    waiting->bytes += size;
    loop_.post([this, peer, waiting, size, bytes = std::move(bytes)] {
        --waiting->frames;
        waiting->bytes -= size;
        frame(peer, bytes);
    });
}

void Node::on_dial_failed(std::string address, std::uint16_t port, Error why) {
    loop_.post([this, address = std::move(address), port, why = std::move(why)] {
        dial_failed(address, port, why);
    });
}

void Node::on_inbound_refused(std::string /*address*/, Error why) {
    if (why.code == "net.inbound_full" || why.code == "net.full") {
        loop_.post([this] { make_room(); });
    }
}

// ---- what is due as time goes by ------------------------------------------------------------------

void Node::tick() {
    const auto now = clock_.mono();
    const auto due = [now](Instant& last, Duration every) {
        const bool is = now - last >= every;
        last = is ? now : last;
        return is;
    };
    if (!SYNOD_PLANTED("no_deadlines")) {
        driver_->expire(now);
    }
    driver_->feed(sync::Tick{});
    governance_->tick(now);
    if (audit_ && !proves_nothing_) {
        audit_->step();
    }
    dial();
    rank();
    if (tuner_.due(now)) {
        tuner_.tick(driver_->machine().snapshot(now), [this] { return driver_->take_flow(); }, now);
    }
    if_new_slot();
    if (due(last_health_, kHealthEvery)) {
        watch_partition(now);
        watch_health(now);
        watch_emergency(now);
    }
    if (due(last_status_, kStatusEvery) && !links_.peers.empty() && !SYNOD_PLANTED("status_said_once")) {
        links_.broadcast(our_status());
    }
    if (due(last_ping_, kPingEvery)) {
        for (auto& [id, link] : links_.peers) {
            link.ping_sent = now;
            links_.send(id, net::Ping{id, clock_.unix_ms()});
        }
    }
    if (due(last_book_, kBookEvery)) {
        if (auto book = dialer_.changed_book()) {
            keep({"peers", kBookKey, std::move(*book)});
        }
    }
    if (due(last_ask_, kAskPeersEvery) && links_.peers.size() < config_.wanted_peers) {
        for (auto& [id, link] : links_.peers) {
            if (link.asked_peers != 0) {
                continue;  // an answer that comes late is still the answer
            }
            link.asked_peers = links_.requests.next_id();
            links_.send(id, net::GetPeers{link.asked_peers});
        }
    }
    if (due(last_refresh_, kRefreshEvery)) {
        refresh_status();
    }
}

}  // namespace synod::app
