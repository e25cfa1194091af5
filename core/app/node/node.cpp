// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/node.hpp"

#include <algorithm>

#include "core/app/node/disk.hpp"
#include "core/base/codec.hpp"
#include "core/health/monitor.hpp"

namespace synod::app {

namespace {

constexpr Duration kStatusEvery = std::chrono::seconds(2);
constexpr Duration kPingEvery = std::chrono::seconds(5);
constexpr Duration kRefreshEvery = std::chrono::milliseconds(200);
constexpr Duration kDialFirst = std::chrono::milliseconds(500);
constexpr Duration kDialMax = std::chrono::seconds(60);
constexpr std::size_t kHealthyPeers = 10;  // links that count as enough where more are configured
constexpr std::size_t kMaxDeparted = 1'024;  // peers that left and are still shown
constexpr std::size_t kMaxInWork = 1'024;    // pushed blocks being proven at once

peers::Severity severity_of(sync::Offence offence) {
    switch (offence) {
        case sync::Offence::invalid_header:
        case sync::Offence::invalid_block: return peers::Severity::kFatal;
        case sync::Offence::malformed_reply: return peers::Severity::kGrave;
        case sync::Offence::claimed_height_never_backed: return peers::Severity::kGrave;
    }
    return peers::Severity::kGrave;
}

std::uint64_t group_of(const std::string& address) {
    const auto ip = net::parse_ip(address);
    if (!ip) {
        return 0;
    }
    // Several nodes of one machine are told apart: there is no network between them.
    const auto group = ip->is_loopback() ? *ip : ip->group();
    std::uint64_t out = 0;
    for (const auto byte : group.bytes) {
        out = out * 257 + byte;
    }
    return out;
}

}  // namespace

Node::Node(NodeConfig config, ControlLoop& loop, store::Store& store, pipeline::Pipeline& pipeline,
           pipeline::WorkerPool& pool, std::function<void(std::string, std::string)> log)
    : config_(std::move(config)),
      loop_(loop),
      store_(store),
      pipeline_(pipeline),
      pool_(pool),
      log_(std::move(log)),
      next_dial_(config_.peers.size(), Instant{}),
      dial_wait_(config_.peers.size(), kDialFirst),
      dialled_(config_.peers.size(), false) {}

Node::~Node() { close(); }

Result<std::unique_ptr<Node>> Node::start(NodeConfig config, ControlLoop& loop, store::Store& store,
                                          pipeline::Pipeline& pipeline, pipeline::WorkerPool& pool,
                                          std::function<void(std::string, std::string)> log) {
    std::unique_ptr<Node> node(
        new Node(std::move(config), loop, store, pipeline, pool, std::move(log)));
    if (auto opened = node->open(); !opened) {
        return std::unexpected(opened.error());
    }
    return node;
}

Result<void> Node::open() {
    keeper_ = std::make_unique<ChainKeeper>(
        pipeline_, store_,
        ChainKeeper::Listener{
            [this](const chain::Pointer& head, std::uint64_t slot) {
                driver_->feed(sync::HeadChanged{head.height, head.hash, slot});
                publish(bus::Topic::kHeadChanged,
                        synod::Writer().put(head.height).fixed(head.hash).put(slot).take());
            },
            [this](const chain::Pointer& to) {
                driver_->feed(sync::CommittedChanged{to.height, to.hash});
                duties_->on_committed(to.height);
            },
            [this](const Error& e) {
                log_("error", e.text());
                driver_->feed(sync::StoreFault{e.text()});
            },
            [this](const Error& e) {
                log_("error", e.text());
                driver_->feed(sync::EmergencyEntered{e.text()});
            }});
    if (auto loaded = keeper_->load(); !loaded) {
        return loaded;
    }
    writer_ = std::make_unique<Writer>(store_, [this](auto task) { loop_.post(std::move(task)); });
    keeper_->attach(*writer_);
    const auto& info = keeper_->info();
    config_.sync.slot = std::chrono::milliseconds(info.slot_ms);
    driver_ = std::make_unique<SyncDriver>(
        config_.sync, *keeper_, pipeline_, links_, config_.mode == sync::Mode::fast,
        SyncDriver::Listener{
            [this](std::uint64_t peer, const sync::Penalise& p) {
                misbehaved(peer, severity_of(p.offence), std::string(sync::name(p.offence)), p.rule,
                           p.height);
            },
            [this](std::uint64_t peer, std::string reason) {
                network_->close(peer, "sync." + reason);
            },
            [this](const sync::Action& a) { report(a); }, [this] { return slot_now() + 1; },
            [this](const std::string& text) { log_("info", text); }});
    server_ = std::make_unique<BlockServer>(store_, *keeper_, links_, pool_, pipeline_.consensus());
    duties_ = std::make_unique<Duties>(
        *keeper_, pipeline_, links_, config_.signer,
        Duties::Listener{[this](Bytes block) {
                             const SharedBytes shared(std::move(block));
                             take_block(0, shared);
                             links_.broadcast(net::NewBlock{shared});
                         },
                         [this](std::uint64_t peer, const pipeline::Fault& fault) {
                             misbehaved(peer, peers::Severity::kMedium, "invalid_attestation",
                                        fault.rule, fault.height);
                         },
                         [this](const Error& e) { log_("warning", e.text()); }});
    if (auto bans = store_.list_records("bans", peers::kMaxLedgerEntries)) {
        for (const auto& record : *bans) {
            Reader in(record.value);
            peers::Ban ban{PublicKey::copy(record.key.data()), in.get<std::uint64_t>(), {}};
            ban.why.reason = in.text(256);
            ban.why.rule = in.text(256);
            ban.why.height = in.get<std::uint64_t>();
            if (in.done() && ban.until > unix_now()) {
                ledger_.restore(ban, mono_now());
            }
        }
    }
    net::NetworkConfig net;
    net.listen_address = config_.listen_address;
    net.listen_port = config_.listen_port;
    net.limits.max_total = config_.max_peers;
    net.network_id = Hash::copy(info.network_id);
    net.genesis = Hash::copy(info.genesis_hash);
    net.identity = net::Identity::from_seed(config_.identity->seed());
    auto started = net::Network::start(std::move(net), *this);
    if (!started) {
        return std::unexpected(started.error());
    }
    network_ = std::move(*started);
    links_.network = network_.get();
    driver_->feed(sync::Start{config_.mode, {}, {}});
    refresh_status();
    return {};
}

void Node::close() {
    if (network_) {
        network_->stop();
    }
    writer_.reset();
}

// ---- the I/O thread's side: everything is handed over -------------------------------------------

void Node::on_peer_up(const net::PeerInfo& info) {
    loop_.post([this, info] { peer_up(info); });
}
void Node::on_peer_down(std::uint64_t peer, std::string reason, std::string /*text*/) {
    loop_.post([this, peer, reason = std::move(reason)] { peer_down(peer, reason); });

}
void Node::on_frame(std::uint64_t peer, SharedBytes bytes) {
    loop_.post([this, peer, bytes = std::move(bytes)] { frame(peer, bytes); });
}
void Node::on_dial_failed(std::string address, std::uint16_t port, Error why) {
    loop_.post([this, address = std::move(address), port, why = std::move(why)] {
        for (std::size_t i = 0; i < config_.peers.size(); ++i) {
            if (config_.peers[i].address == address && config_.peers[i].port == port) {
                dialled_[i] = false;
            }
        }
        log_("info", "dial " + address + ": " + why.text());
        if (why.code == "net.genesis_mismatch" || why.code == "net.network_mismatch") {
            log_("warning", "peer " + address + ":" + std::to_string(port) + ": " + why.text());
        }
    });
}

// ---- peers ---------------------------------------------------------------------------------------

void Node::peer_up(const net::PeerInfo& info) {
    if (ledger_.banned(info.identity, unix_now())) {
        network_->close(info.id, "peers.banned");
        return;
    }
    auto& link = links_.peers[info.id];
    link.info = info;
    link.last_heard = mono_now();
    const auto state = keeper_->head_state();
    link.is_authority =
        state && pipeline_.consensus().authority_index(state, info.identity).has_value();
    if (identities_.size() >= kMaxDeparted) {
        std::erase_if(identities_, [&](const auto& p) { return !links_.peers.contains(p.first); });
    }
    identities_[info.id] = info.identity;
    std::erase_if(departed_, [&](const auto& p) { return p.second.identity == info.identity; });
    for (std::size_t i = 0; i < config_.peers.size(); ++i) {
        if (info.outbound && config_.peers[i].address == info.address &&
            config_.peers[i].port == info.port) {
            dial_wait_[i] = kDialFirst;
        }
    }
    driver_->feed(sync::PeerUp{info.id, link.is_authority, group_of(info.address)});
    publish(bus::Topic::kPeerUp, synod::Writer()
                                     .put(info.id)
                                     .fixed(info.identity)
                                     .put(static_cast<std::uint8_t>(link.is_authority))
                                     .take());
    send_status(info.id);
    link.ping_sent = mono_now();
    links_.send(info.id, net::Ping{info.id, unix_now()});
}

void Node::peer_down(std::uint64_t peer, const std::string& reason) {
    const auto it = links_.peers.find(peer);
    if (it == links_.peers.end()) {
        return;
    }
    for (std::size_t i = 0; i < config_.peers.size(); ++i) {
        if (it->second.info.outbound && config_.peers[i].address == it->second.info.address &&
            config_.peers[i].port == it->second.info.port) {
            dialled_[i] = false;
        }
    }
    PeerStatus left;
    left.id = peer;
    left.identity = it->second.info.identity;
    left.address = it->second.info.address;
    left.port = it->second.info.port;
    left.tier = it->second.is_authority ? "federation" : "regular";
    left.height = it->second.status.height;
    if (departed_.size() >= kMaxDeparted) {
        departed_.clear();
    }
    departed_[peer] = left;
    links_.peers.erase(it);
    server_->forget(peer);
    driver_->peer_gone(peer);
    publish(bus::Topic::kPeerDown, synod::Writer().put(peer).text(reason).take());
}

void Node::misbehaved(std::uint64_t peer, peers::Severity severity, std::string reason, std::string rule,
                      std::uint64_t height) {
    const auto it = identities_.find(peer);
    if (peer == 0 || it == identities_.end()) {
        log_("error", "our own " + reason + " (" + rule + ") at height " + std::to_string(height));
        return;
    }
    const auto identity = it->second;
    const peers::Offence offence{reason, rule, height, unix_now()};
    const auto verdict = ledger_.report(identity, severity, offence, mono_now());
    log_("warning", "peer " + to_hex(identity.view()).substr(0, 16) + " misbehaved: " + reason + " (" +
                        rule + ") at height " + std::to_string(height));
    publish(bus::Topic::kPeerMisbehaved, synod::Writer().put(peer).text(reason).put(height).take());
    if (verdict == peers::Verdict::kBan) {
        const auto until = unix_now() + peers::kBanMs;
        store::Commit change;
        change.put_records.push_back(
            {"bans", Bytes(identity.data.begin(), identity.data.end()),
             synod::Writer().put(until).text(reason).text(rule).put(height).take()});
        writer_->post(std::move(change), [](Result<void>) {});
        publish(bus::Topic::kPeerBanned,
                synod::Writer().fixed(identity).text(reason).put(peers::kBanMs / 1000).take());
    }
    if (verdict != peers::Verdict::kNone) {
        network_->close(peer, "peers.misbehaved", reason + ": " + rule);
    }
}

void Node::dial_missing(Instant now) {
    for (std::size_t i = 0; i < config_.peers.size(); ++i) {
        const auto& peer = config_.peers[i];
        if (dialled_[i] || now < next_dial_[i]) {
            continue;
        }
        const bool linked = std::ranges::any_of(links_.peers, [&](const auto& p) {
            return peer.identity && p.second.info.identity == *peer.identity;
        });
        if (linked || (peer.identity && ledger_.banned(*peer.identity, unix_now()))) {
            continue;
        }
        dialled_[i] = true;
        next_dial_[i] = now + dial_wait_[i];
        dial_wait_[i] = std::min(dial_wait_[i] * 2, kDialMax);
        network_->dial(peer.address, peer.port, peer.identity);
    }
}

// ---- frames --------------------------------------------------------------------------------------

void Node::frame(std::uint64_t peer, const SharedBytes& bytes) {
    const auto it = links_.peers.find(peer);
    if (it == links_.peers.end()) {
        return;
    }
    it->second.last_heard = mono_now();
    auto message = net::decode_message(bytes);
    if (!message) {
        misbehaved(peer, peers::Severity::kGrave, "malformed_message", message.error().code, 0);
        return;
    }
    const auto size = bytes.view.size();
    std::visit(
        [&]<typename M>(M& m) {
            if constexpr (std::is_same_v<M, net::Headers>) {
                driver_->on_headers(peer, std::move(m), size);
            } else if constexpr (std::is_same_v<M, net::Blocks>) {
                driver_->on_blocks(peer, std::move(m), size);
            } else if constexpr (std::is_same_v<M, net::GetHeaders> ||
                                 std::is_same_v<M, net::GetBlocks> ||
                                 std::is_same_v<M, net::GetByHash>) {
                server_->on(peer, m);
            } else if constexpr (std::is_same_v<M, net::Gossip>) {
                if (m.kind == kGossipAttestation) {
                    duties_->on_attestation(peer, m.payload);
                }
            } else if constexpr (std::is_same_v<M, net::Status> || std::is_same_v<M, net::NewBlock> ||
                                 std::is_same_v<M, net::Announce> || std::is_same_v<M, net::Ping> ||
                                 std::is_same_v<M, net::Pong>) {
                handle(peer, m);
            } else if constexpr (std::is_same_v<M, net::GetPeers>) {
                links_.send(peer, net::Peers{m.id, {}});
            }
        },
        *message);
}

void Node::handle(std::uint64_t peer, net::Status status) {
    auto& link = links_.peers.at(peer);
    const bool news = !link.status_known || link.status.hash != status.hash ||
                      link.status.head_proof.view.size() != status.head_proof.view.size();
    link.status = status;
    link.status_known = true;
    driver_->feed(sync::PeerClaim{peer, status.height});
    if (!news || status.head_proof.view.empty()) {
        return;
    }
    pipeline::ProofJob job;
    job.proof = status.head_proof;
    job.state = keeper_->head_state();
    job.done = [this, peer](std::expected<pipeline::HeaderView, pipeline::Fault> proven) {
        if (proven) {
            driver_->feed(sync::EvidenceVerified{peer, proven->height, Hash::copy(proven->hash),
                                                 proven->slot});
        } else if (!proven.error().self_fault) {
            misbehaved(peer, peers::Severity::kGrave, "claimed_height_never_backed",
                       proven.error().rule, 0);
        }
    };
    pipeline_.submit(std::move(job));
}

void Node::handle(std::uint64_t peer, const net::Ping& ping) {
    links_.send(peer, net::Pong{ping.nonce, unix_now()});
}

void Node::handle(std::uint64_t peer, const net::Pong& pong) {
    auto& link = links_.peers.at(peer);
    link.rtt = mono_now() - link.ping_sent;
    const auto half_ms = std::chrono::duration_cast<std::chrono::milliseconds>(link.rtt).count() / 2;
    link.clock_offset_ms = static_cast<std::int64_t>(pong.unix_ms) + half_ms -
                           static_cast<std::int64_t>(unix_now());
    link.clock_known = true;
}

void Node::handle(std::uint64_t peer, const net::Announce& announce) {
    driver_->feed(sync::PeerClaim{peer, announce.height});
}

void Node::handle(std::uint64_t peer, const net::NewBlock& block) { take_block(peer, block.block); }

void Node::take_block(std::uint64_t peer, const SharedBytes& bytes) {
    auto decoded = pipeline_.consensus().decode(SYNOD_FORM_BLOCKS, bytes.view, 2);
    if (!decoded || decoded->views.size() != 1 || decoded->consumed != bytes.view.size()) {
        misbehaved(peer, peers::Severity::kFatal, "invalid_block", "malformed", 0);
        return;
    }
    const auto& view = decoded->views[0];
    const auto hash = Hash::copy(view.hash);
    const auto parent = Hash::copy(view.parent);
    if (peer != 0) {
        driver_->feed(sync::PeerClaim{peer, view.height});
    }
    auto base = keeper_->state_of(parent);
    if (!base || keeper_->tree().find(hash) != nullptr || in_work_.contains(hash) ||
        view.height <= keeper_->tree().committed().height || in_work_.size() >= kMaxInWork) {
        return;  // known, not on our chain yet, or sync will bring it
    }
    in_work_.insert(hash);
    pipeline::BlocksJob job;
    job.pieces = {bytes};
    job.from = view.height;
    job.count = 1;
    job.parent = parent;
    job.max_slot = slot_now() + 1;
    job.base = std::move(base);
    job.sequence = false;
    job.done = [this, peer, hash, bytes, slot = view.slot, height = view.height](
                   std::expected<pipeline::ChainSegment, pipeline::Fault> proven) {
        in_work_.erase(hash);
        if (!proven) {
            if (!proven.error().self_fault && proven.error().rule != "slot-in-future") {
                misbehaved(peer, peers::Severity::kFatal, "invalid_block", proven.error().rule, height);
            }
            return;
        }
        keeper_->add(std::move(*proven), [this, peer, hash, bytes, slot, height](Result<void> stored) {
            if (!stored) {
                return;
            }
            duties_->on_block(hash, gate_open_);
            if (peer != 0) {
                links_.broadcast(net::NewBlock{bytes}, peer);  // once: it is known from now on
            }
        });
    };
    pipeline_.submit(std::move(job));
}

std::optional<net::Status> Node::our_status() const {
    const auto& tree = keeper_->tree();
    net::Status out;
    out.height = tree.head().height;
    out.hash = tree.head().hash;
    out.slot = tree.head_slot();
    out.committed_height = tree.committed().height;
    out.committed_hash = tree.committed().hash;
    out.final_height = keeper_->head_weight().final_height;
    out.unix_ms = unix_now();
    if (auto proof = keeper_->head_proof()) {
        out.head_proof = SharedBytes(std::move(proof->proof));
    }
    return out;
}

void Node::send_status(std::uint64_t peer) {
    if (auto status = our_status()) {
        links_.send(peer, *status);
    }
}

// ---- time ----------------------------------------------------------------------------------------

std::uint64_t Node::slot_now() const {
    const auto slot_ms = keeper_->info().slot_ms;
    return slot_ms == 0 ? 0 : unix_now() / slot_ms;
}

std::uint32_t Node::authorities_seen(Instant now) const {
    std::uint32_t seen = duties_->authority() ? 1 : 0;
    for (const auto& [id, link] : links_.peers) {
        if (link.is_authority && now - link.last_heard <= config_.consensus_timeout) {
            ++seen;
        }
    }
    return seen;
}

double Node::health() const {
    health::HealthInputs in;
    in.peers = static_cast<std::uint32_t>(links_.peers.size());
    in.peers_wanted = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(config_.peers.size(), 1, kHealthyPeers));
    double latency_ms = 0;
    for (const auto& [id, link] : links_.peers) {
        latency_ms += static_cast<double>(link.rtt.count()) / 1e6;
    }
    if (!links_.peers.empty()) {
        in.mean_latency_ms = latency_ms / static_cast<double>(links_.peers.size());
    }
    in.authorities_seen = authorities_seen(mono_now());
    in.authorities = keeper_->info().authorities;
    return health::assess(in);
}

void Node::slot(std::uint64_t now_slot) {
    const auto now = mono_now();
    sync::GateInputs in;
    in.network_health = health();
    in.authorities_seen = authorities_seen(now);
    in.quorum = keeper_->info().quorum;
    in.governance_healthy = true;
    in.blocks_since_pow = keeper_->head_weight().blocks_without_pow;
    in.max_blocks_without_pow = keeper_->info().max_blocks_without_pow;
    std::vector<std::int64_t> offsets;
    for (const auto& [id, link] : links_.peers) {
        if (link.clock_known) {
            offsets.push_back(link.clock_offset_ms);
        }
    }
    std::ranges::sort(offsets);
    in.clock_samples = static_cast<std::uint32_t>(offsets.size());
    in.clock_samples_wanted = std::min<std::uint32_t>(
        sync::kClockSamples, std::max<std::uint32_t>(1, keeper_->info().authorities - 1));
    in.clock_offset_ms = offsets.empty() ? 0 : offsets[offsets.size() / 2];
    in.last_commit_durable = keeper_->durable();
    in.disk_free_bytes = disk_free(config_.data_dir);
    in.last_signed_slot = duties_->last_signed_slot();
    in.stall_statements = duties_->stall_statements();
    in.holds_quorum_alone = duties_->authority() && keeper_->info().quorum == 1;
    driver_->feed(in);
    driver_->feed(sync::SlotTick{now_slot});
    gate_open_ = driver_->machine().gate().open;
    duties_->on_slot(now_slot, gate_open_);
}

void Node::tick() {
    const auto now = mono_now();
    driver_->expire(now);
    driver_->feed(sync::Tick{});
    dial_missing(now);
    if (const auto s = slot_now(); s != last_slot_) {
        last_slot_ = s;
        slot(s);
    }
    if (now - last_status_ >= kStatusEvery) {
        last_status_ = now;
        if (auto status = our_status(); status && !links_.peers.empty()) {
            links_.broadcast(*status);
        }
    }
    if (now - last_ping_ >= kPingEvery) {
        last_ping_ = now;
        for (auto& [id, link] : links_.peers) {
            link.ping_sent = now;
            links_.send(id, net::Ping{id, unix_now()});
        }
    }
    if (now - last_refresh_ >= kRefreshEvery) {
        last_refresh_ = now;
        refresh_status();
    }
}

// ---- what is told to people ----------------------------------------------------------------------

void Node::publish(bus::Topic topic, Bytes payload) {
    if (auto sent = bus_.publish(topic, std::move(payload), mono_now()); !sent) {
        log_("error", sent.error().text());
    }
}

void Node::report(const sync::Action& action) {
    if (const auto* a = std::get_if<sync::StateChanged>(&action)) {
        log_("info", std::string(sync::name(a->from)) + " -> " + std::string(sync::name(a->to)) +
                         (a->reason.empty() ? "" : ": " + a->reason));
        publish(bus::Topic::kSyncState, synod::Writer()
                                            .put(static_cast<std::uint8_t>(a->from))
                                            .put(static_cast<std::uint8_t>(a->to))
                                            .text(a->reason)
                                            .take());
        stalled_.reset();
    } else if (const auto* s = std::get_if<sync::Stalled>(&action)) {
        log_("error", "sync stalled: " + s->reason + "\n" + s->dump);
        stalled_ = s->reason;
        publish(bus::Topic::kSyncStalled, synod::Writer().text(s->reason).take());
    } else if (const auto* f = std::get_if<sync::Failed>(&action)) {
        log_("error", "sync failed: " + f->reason);
        finally_failed_ = f->final;
    } else if (const auto* t = std::get_if<sync::TargetChanged>(&action)) {
        publish(bus::Topic::kTargetMoved, synod::Writer().put(t->height).take());
    } else if (const auto* g = std::get_if<sync::GateChanged>(&action)) {
        log_("info", g->open ? "production gate open" : "production gate shut");
        publish(bus::Topic::kGateChanged,
                synod::Writer().put(static_cast<std::uint8_t>(g->open)).take());
    } else if (const auto* ok = std::get_if<sync::Accepted>(&action)) {
        answer_ = std::string(sync::name(ok->state));
    } else if (const auto* no = std::get_if<sync::Refused>(&action)) {
        refusal_ = Error{"sync.refused", no->reason, std::string(no->command), {}};
    }
}

void Node::command(Command what, std::function<void(Result<std::string>)> done) {
    loop_.post([this, what, done = std::move(done)] {
        answer_.reset();
        refusal_.reset();
        switch (what) {
            case Command::kPause: driver_->feed(sync::Pause{"operator"}); break;
            case Command::kResume: driver_->feed(sync::Resume{}); break;
            case Command::kStop: driver_->feed(sync::Stop{true, "operator"}); break;
        }
        refresh_status();
        if (refusal_) {
            done(std::unexpected(*refusal_));
        } else {
            done(std::string(sync::name(driver_->machine().state())));
        }
    });
}

std::shared_ptr<const NodeStatus> Node::status() const {
    const std::scoped_lock lock(status_mutex_);
    return status_;
}

void Node::refresh_status() {
    const auto now = mono_now();
    const auto unix = unix_now();
    auto out = std::make_shared<NodeStatus>();
    out->name = config_.name;
    out->sync = driver_->machine().snapshot(now);
    out->final_height = keeper_->head_weight().final_height;
    out->head_hash = keeper_->tree().head().hash;
    out->committed_height = keeper_->tree().committed().height;
    out->authority = duties_->authority().has_value();
    out->blocks_proposed = duties_->blocks_proposed();
    out->blocks_without_pow = keeper_->head_weight().blocks_without_pow;
    out->authorities_seen = authorities_seen(now);
    out->authorities = keeper_->info().authorities;
    out->quorum = keeper_->info().quorum;
    out->health = health();
    out->stalled = stalled_;
    out->port = network_->port();
    for (const auto& [id, link] : links_.peers) {
        PeerStatus p;
        p.id = id;
        p.identity = link.info.identity;
        p.address = link.info.address;
        p.port = link.info.port;
        p.tier = link.is_authority ? "federation" : "regular";
        p.connected = true;
        p.outbound = link.info.outbound;
        p.height = link.status.height;
        p.latency_ms = static_cast<double>(link.rtt.count()) / 1e6;
        for (const auto& load : out->sync.peer_loads) {
            if (load.peer == id) {
                p.in_flight = load.open_requests;
                p.goodput = load.goodput;
            }
        }
        out->peers.push_back(std::move(p));
    }
    for (const auto& [id, left] : departed_) {
        out->peers.push_back(left);
    }
    for (auto& p : out->peers) {
        const auto standing = ledger_.standing(p.identity, now, unix);
        p.misbehaviour = standing.points;
        p.banned_until = standing.banned_until;
        p.offences = standing.offences;
    }
    std::ranges::sort(out->peers, {}, &PeerStatus::id);
    const std::scoped_lock lock(status_mutex_);
    status_ = std::move(out);
}

}  // namespace synod::app
