// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/node.hpp"
#include "core/base/planted.hpp"

#include <algorithm>

#include "core/app/node/slots.hpp"
#include "core/base/codec.hpp"

namespace synod::app {

namespace {

constexpr Duration kStatusEvery = std::chrono::seconds(2);
constexpr Duration kPingEvery = std::chrono::seconds(5);
constexpr Duration kRefreshEvery = std::chrono::milliseconds(200);
constexpr Duration kHealthEvery = health::kCheckEvery;  // measured; what follows has times of its own
constexpr Duration kJudgedLately = std::chrono::minutes(1);  // how a peer answered then says how it answers now
constexpr Duration kBookEvery = std::chrono::seconds(30);  // a changed address book is stored
constexpr Duration kAskPeersEvery = std::chrono::minutes(1);
constexpr std::size_t kHealthyPeers = 10;  // links that count as enough where more are configured

peers::Severity severity_of(sync::Offence offence) {
    switch (offence) {
        case sync::Offence::invalid_header:
        case sync::Offence::invalid_block: return peers::Severity::kFatal;
        case sync::Offence::malformed_reply:
        case sync::Offence::claimed_height_never_backed: return peers::Severity::kGrave;
    }
    return peers::Severity::kGrave;
}

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

ChainKeeper::Listener Node::keeper_listener() {
    return {[this](const chain::Pointer& head, std::uint64_t slot) {
                driver_->feed(sync::HeadChanged{head.height, head.hash, slot});
                publish(bus::Topic::kHeadChanged,
                        synod::Writer().put(head.height).fixed(head.hash).put(slot).take());
                attend(head, slot);
            },
            [this](const chain::Pointer& from, const chain::Pointer& to) {
                driver_->feed(sync::CommittedChanged{to.height, to.hash});
                duties_->on_committed(to.height);
                if (checkpoints_ != nullptr) {
                    checkpoints_->on_committed({{to.height, to.hash},
                                                keeper_->stored_state(),
                                                keeper_->block_at(to.height + 1)});
                }
                publish(bus::Topic::kBlocksCommitted,
                        synod::Writer().put(from.height + 1).put(to.height).fixed(to.hash).take());
            },
            [this](const Error& e) {
                log_("error", e.text());
                driver_->feed(sync::StoreFault{e.text()});
            },
            [this](const Error& e) {
                log_("error", e.text());
                raise_emergency(health::Trigger::kConflict, e.text());
            },
            [this](const pipeline::ChainSegment& segment) {
                duties_->on_proven(segment);
                governance_->on_proven(segment);
                evidence_->on_proven(segment);
            }};
}

Audit::Listener Node::audit_listener() {
    return {[this] { return !driver_->busy(); },
            [this](const Error& e) {
                log_("error", e.text());
                publish(bus::Topic::kAlert, synod::Writer().text("audit_failed").text(e.text()).take());
                raise_emergency(health::Trigger::kConflict, e.text());
            },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const std::string& text) { log_("info", text); }};
}

//! Blocks that were stored on a certificate's word and not verified since.
std::uint64_t Node::unverified() const {
    const auto vouched = driver_->vouched_to();
    return audit_ && vouched > audit_->verified() ? vouched - audit_->verified() : 0;
}

SyncDriver::Listener Node::driver_listener() {
    SyncDriver::Listener out;
    out.penalise = [this](std::uint64_t peer, const sync::Penalise& p) {
        charge(peer, {severity_of(p.offence), std::string(sync::name(p.offence)), p.rule, p.height, {}});
    };
    out.unsolicited = [this](std::uint64_t peer, const char* rule, std::uint64_t height) {
        charge(peer, {peers::Severity::kMedium, "unsolicited_reply", rule, height, {}});
    };
    out.disconnect = [this](std::uint64_t peer, std::string_view reason) {
        unanswered(peer, reason);
        network_->close(peer, "sync.disconnected", std::string(reason));
    };
    out.answered = [this](std::uint64_t peer, std::uint64_t bytes, Duration took) {
        if (const auto it = met_.find(peer); it != met_.end()) {
            ranker_.of(it->second.identity).answered(bytes, took);
            judge_.answered(it->second.identity);
            it->second.judged = clock_.mono();
        }
    };
    out.failed = [this](std::uint64_t peer) {
        if (const auto it = met_.find(peer); it != met_.end()) {
            ranker_.of(it->second.identity).failed();
            it->second.judged = clock_.mono();
        }
        if (SYNOD_PLANTED("ban_on_slowness")) {
            charge(peer, {peers::Severity::kFatal, "slow", "net.deadline", 0, {}});
        }
    };
    out.checkpoint = [this](std::function<void(pipeline::State)> done) { find_checkpoint(std::move(done)); };
    out.report = [this](const sync::Action& action) { report(action); };
    out.max_slot = [this] { return slot_now() + 1; };
    out.note = [this](const std::string& text) { log_("info", text); };
    return out;
}

void Node::find_checkpoint(std::function<void(pipeline::State)> done) {
    if (checkpoints_ == nullptr) {
        done({});
        return;
    }
    checkpoints_->recover({}, [this, done](const Result<Recovered>& found) {
        if (!found) {
            log_("warning", found.error().text());
            done({});
            return;
        }
        for (const auto& why : found->skipped) {
            log_("warning", "checkpoint skipped: " + why);
        }
        log_("info", "recovering from checkpoint " + found->info.id + " of height " +
                         std::to_string(found->info.height));
        done(found->state);
    });
}

Duties::Listener Node::duties_listener() {
    return {[this](Bytes block) {
                const SharedBytes shared(std::move(block));
                take_block(0, shared);
                links_.broadcast(net::NewBlock{shared});
            },
            [this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kMedium, "invalid_attestation", fault.rule, fault.height,
                              {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this] { return mining_->records(); },
            [this] { return governance_->events(); },
            [this](const Error& e) {
                log_("error", e.text());
                publish(bus::Topic::kAlert, synod::Writer().text("copied_key").text(e.text()).take());
                halted_ = e;
            },
            [this] { return clock_.mono(); },
            [this] { return clock_.unix_ms(); },
            [this](const synod_attestation& what, const SharedBytes& bytes) { evidence_->on_approval(what, bytes); },
            [this](store::Record record, std::function<void()> written) {
                keep(std::move(record), std::move(written));
            }};
}

Evidence::Listener Node::evidence_listener() {
    return {[this] { return slot_now(); },
            [this] { return clock_.unix_ms(); },
            [this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kGrave, "invalid_evidence", fault.rule, fault.height, {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const ProvenEvidence& evidence) { convict(evidence); }};
}

Governance::Listener Node::governance_listener() {
    return {[this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kGrave, "invalid_governance_event", fault.rule, fault.height, {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const std::string& text) { log_("info", text); }};
}

Mining::Listener Node::mining_listener() {
    return {[this](std::uint64_t peer, const pipeline::Fault& fault) {
                charge(peer, {peers::Severity::kGrave, "invalid_finality_record", fault.rule, fault.height, {}});
            },
            [this](const Error& e) { log_("warning", e.text()); },
            [this](store::Record record) { keep(std::move(record)); },
            [this](const std::string& text) { log_("info", text); },
            [this] { return clock_.unix_ms(); }};
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

// ---- time ----------------------------------------------------------------------------------------

std::uint64_t Node::slot_now() const {
    return slot_at(keeper_->info(), clock_.unix_ms());
}

std::uint32_t Node::authorities_seen(Instant now) const {
    std::uint32_t seen = duties_->authority() ? 1 : 0;
    for (const auto& [id, link] : links_.peers) {
        if (link.is_authority() && now - link.last_heard <= config_.consensus_timeout) {
            ++seen;
        }
    }
    return seen;
}

health::HealthInputs Node::health_inputs(Instant now) {
    health::HealthInputs in;
    in.peers = static_cast<std::uint32_t>(links_.peers.size());
    // Who was convicted is shut out for good: it is neither a peer nor an authority that is missing. Else those that
    // a federation bears would stop it wherever lines are slow.
    const auto guilty = guilty_authorities();
    in.peers_wanted = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(config_.peers.size() - std::min<std::size_t>(config_.peers.size(), guilty), 1, kHealthyPeers));
    double latency_ms = 0, bandwidth = 0, reliability = 0;
    std::size_t timed = 0, judged = 0;
    for (const auto& [id, link] : links_.peers) {
        const auto& performance = ranker_.of(link.info.identity);
        if (link.rtt.count() > 0) {
            latency_ms += static_cast<double>(link.rtt.count()) / 1e6;
            ++timed;
        }
        // At the tip nothing is asked for, so what was bad would stay bad for ever.
        const auto when = met_.at(id).judged;
        if (when && (now - *when <= kJudgedLately || SYNOD_PLANTED("judged_for_ever"))) {
            reliability += performance.reliability();
            bandwidth += performance.goodput_bps();
            ++judged;
        }
    }
    if (timed > 0) {
        in.mean_latency_ms = latency_ms / static_cast<double>(timed);
    }
    if (judged > 0) {
        best_bandwidth_ = std::max(best_bandwidth_, bandwidth);
        in.reliability = reliability / static_cast<double>(judged);
        in.bandwidth_bps = bandwidth;
        in.best_bandwidth_bps = best_bandwidth_;
    }
    const auto state = driver_->machine().state();
    in.downloading = state == sync::State::downloading_blocks;
    in.authorities_seen = authorities_seen(now);
    in.authorities = keeper_->info().authorities - guilty;
    in.partition = partition_.severity();
    return in;
}

void Node::watch_health(Instant now) {
    if (const auto due = monitor_.update(health_inputs(now), now)) {
        const auto parts_per_million = static_cast<std::uint32_t>(due->score * 1e6);
        publish(bus::Topic::kHealth, synod::Writer().put(parts_per_million).take());
    }
}

//! Counts whose slots passed. While it catches up a node has not seen them.
void Node::attend(const chain::Pointer& head, std::uint64_t slot) {
    auto slots = attendance_.settle(slot);
    if (slots.empty() || !at_tip()) {
        return;
    }
    struct Author {
        std::uint64_t slot;  // 0: it is only known to be one
        std::uint32_t index = 0;
        PublicKey key;
    };
    auto authors = std::make_shared<std::vector<Author>>();
    pipeline_.on_consensus(
        [this, state = keeper_->head_state(), slot, set = keeper_->info().authorities,
         slots = std::move(slots), authors] {
            for (const auto s : slots) {
                Author author{s, 0, {}};
                if (auto index = pipeline_.consensus().author_of(state, s, &author.key)) {
                    author.index = *index;
                    authors->push_back(author);
                }
            }
            // Everybody has a turn within so many slots: whoever never had a block is shown too.
            for (auto s = slot + 1; s <= slot + set; ++s) {
                Author author{0, 0, {}};
                if (auto index = pipeline_.consensus().author_of(state, s, &author.key)) {
                    author.index = *index;
                    authors->push_back(author);
                }
            }
        },
        [this, authors, head, slot] {
            for (const auto& a : *authors) {
                if (a.slot == 0) {
                    attendance_.know(a.index, a.key);
                } else {
                    attendance_.count(a.slot, a.index, a.key, a.slot == slot ? head.height : 0);
                }
            }
        });
}

void Node::watch_mining() {
    mining_->settle();
    const auto stage = mining_->moved_stage();
    if (!stage) {
        return;
    }
    const auto now = mining_->status();
    const auto text = std::to_string(now.blocks_without_pow) + " of " +
                      std::to_string(now.max_blocks_without_pow) + " blocks without proof of work";
    const bool well = *stage == health::PowStage::fine || *stage == health::PowStage::off;
    log_(well ? "info" : *stage == health::PowStage::warning ? "warning" : "error",
         "mining " + std::string(health::name(*stage)) + ": " + text);
    if (!well) {
        publish(bus::Topic::kAlert,
                synod::Writer().text("mining_" + std::string(health::name(*stage))).text(text).take());
    }
}

//! What hangs on who the authorities are, once that changed.
void Node::follow_governance() {
    governance_->settle();
    const auto& info = keeper_->info();
    if (std::exchange(authority_set_, info.authority_set) == info.authority_set) {
        return;
    }
    log_("info", "authorities: " + std::to_string(info.authorities) + ", quorum " + std::to_string(info.quorum) +
                     ", slots of " + std::to_string(info.slot_ms) + " ms (change " +
                     std::to_string(info.authority_set) + ")");
    sync::Tune tune;
    tune.slot = std::chrono::milliseconds(info.slot_ms);
    driver_->feed(tune);
    grade_peers();
}

void Node::slot(std::uint64_t now_slot) {
    const auto now = clock_.mono();
    follow_governance();
    watch_health(now);
    watch_mining();
    sync::GateInputs in;
    in.network_health = monitor_.current().score;
    in.authorities_seen = authorities_seen(now);
    in.quorum = keeper_->info().quorum;
    in.governance_healthy = governance_->status().healthy;
    in.emergency = emergency_.active();
    in.halted = keeper_->info().halted != 0 && governance_->events().empty();
    in.blocks_since_pow = mining_->blocks_without_proof();
    in.max_blocks_without_pow = keeper_->info().max_blocks_without_pow;
    std::vector<std::int64_t> offsets;
    for (const auto& [id, link] : links_.peers) {
        if (link.clock_known) {
            offsets.push_back(link.clock_offset_ms);
        }
    }
    std::ranges::sort(offsets);
    in.clock_samples = static_cast<std::uint32_t>(offsets.size());
    // The others of a quorum are enough: of four authorities one may be away.
    in.clock_samples_wanted =
        std::min<std::uint32_t>(sync::kClockSamples, std::max<std::uint32_t>(1, keeper_->info().quorum - 1));
    in.clock_offset_ms = offsets.empty() ? 0 : offsets[offsets.size() / 2];
    in.last_commit_durable = keeper_->durable();
    in.disk_free_bytes = machine_.disk_free(config_.data_dir);
    in.last_signed_slot = duties_->last_signed_slot();
    in.unverified_blocks = unverified();
    in.stall_statements = SYNOD_PLANTED("no_escape") ? 0 : duties_->stall_statements();
    in.holds_quorum_alone = duties_->authority() && keeper_->info().quorum == 1;
    driver_->feed(in);
    driver_->feed(sync::SlotTick{now_slot});
    if (at_tip()) {
        keeper_->know_head_parent();
    }
    gate_open_ = driver_->machine().gate().open;
    if (!proves_nothing_) {
        duties_->on_slot(now_slot, gate_open_);
    }
}

void Node::if_new_slot() {
    if (const auto s = slot_now(); s != last_slot_) {
        last_slot_ = s;
        slot(s);
        wake_at_slot();
    }
}

//! A tick alone would notice a slot up to kTick after it began.
void Node::wake_at_slot() {
    const auto& info = keeper_->info();
    if (info.slot_ms != 0) {
        const auto now = clock_.unix_ms();
        const auto next = begin_of(info, slot_at(info, now) + 1);
        loop_.post_after(std::chrono::milliseconds(next > now ? next - now : 1),
                         [this] { if_new_slot(); });
    }
}

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
