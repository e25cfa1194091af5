// SPDX-License-Identifier: Apache-2.0
#include "core/sim/host.hpp"

#include "core/app/forge/forge.hpp"
#include "core/app/governance/methods.hpp"
#include "core/app/node_config.hpp"

namespace synod::sim {

namespace {

constexpr std::uint64_t kEnoughDisk = 1ULL << 40U;
constexpr std::size_t kEventQueue = 4'096;

}  // namespace

//! What goes when the process goes, in this order from the end.
struct Host::Process {
    std::shared_ptr<int> life = std::make_shared<int>();
    std::unique_ptr<app::Runtime> runtime;
    VirtualLoop* loop = nullptr;
    VirtualWorkers* workers = nullptr;
    bool still = false;
    std::unique_ptr<bus::Subscription> events;
    std::shared_ptr<Lane> commits;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<app::Checkpointer> checkpoints;
    std::unique_ptr<app::Node> node;
    control::Handlers door;
};

Host::Host(Events& events, Network& network, const Foundation& foundation, HostPlan plan, HostWatch watch,
           Wrap wrap)
    : events_(events),
      network_(network),
      foundation_(foundation),
      plan_(std::move(plan)),
      watch_(std::move(watch)),
      wrap_(std::move(wrap)),
      clock_(events, foundation.begins),
      random_(Random(plan_.seed).stream("host", plan_.id)),
      disk_(random_.stream("disk").next()) {}

Host::~Host() { end(End::kKilled); }

std::shared_ptr<const app::NodeStatus> Host::status() const {
    return process_ ? process_->node->status() : nullptr;
}

store::Store* Host::store() { return process_ ? process_->store.get() : nullptr; }

bool Host::finally_failed() const { return process_ && process_->node->finally_failed(); }

std::optional<Error> Host::halted() const { return process_ ? process_->node->halted() : std::nullopt; }

void Host::with_node(std::function<void(app::Node&)> task) {
    if (process_) {
        process_->loop->post([node = process_->node.get(), task = std::move(task)] { task(*node); });
    }
}

void Host::ask(const std::string& method, const std::string& params, const control::Reply& reply) {
    if (process_) {
        process_->door.methods.at(method)(params, reply);
    }
}

std::optional<Host::ChainIdentity> Host::chain_identity() const {
    if (!process_) {
        return std::nullopt;
    }
    const auto& info = process_->runtime->info();
    return ChainIdentity{Hash::copy(info.genesis_hash), Hash::copy(info.network_id)};
}

void Host::set_capacity(std::uint64_t bytes) {
    capacity_ = bytes;
    disk_.set_capacity(bytes);
}

Result<void> Host::boot() {
    auto process = std::make_unique<Process>();
    ++boots_;
    if (auto built = build(*process); !built) {
        // What was built of it goes again, without a word to anybody.
        if (process->node) {
            process->node->close();
        }
        return built;
    }
    process_ = std::move(process);
    events_.after(random_.between({}, app::kTick), std::weak_ptr<void>(process_->life), [this] { tick(); });
    return {};
}

Result<void> Host::build(Process& process) {
    auto workers = std::make_unique<VirtualWorkers>(events_, random_.stream("workers", boots_));
    process.workers = workers.get();
    auto loop = std::make_unique<VirtualLoop>(events_, clock_);
    process.loop = loop.get();
    app::Surroundings around{clock_, std::move(loop), std::move(workers), {}, {}};
    random_.stream("plugins", boots_).fill(around.seed.emplace());
    around.entries = foundation_.plugins;
    auto runtime = app::Runtime::start(foundation_.manifest, std::move(around));
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    process.runtime = std::move(*runtime);
    if (watch_.event) {
        using bus::Topic;
        auto heard = process.runtime->bus().subscribe(
            {Topic::kSyncState, Topic::kSyncStalled, Topic::kBlocksCommitted, Topic::kGateChanged, Topic::kPeerUp,
             Topic::kPeerMisbehaved, Topic::kPeerBanned, Topic::kAlert, Topic::kPluginFault},
            kEventQueue, bus::Overflow::kDropOldest,
            [this, life = std::weak_ptr<void>(process.life)] {
                events_.after({}, life, [this] { read_events(); });
            });
        if (!heard) {
            return std::unexpected(heard.error());
        }
        process.events = std::move(*heard);
    }
    auto store = process.runtime->open_store(plan_.name, true, false, plan_.sync_full, disk_.vfs());
    if (!store) {
        return std::unexpected(store.error());
    }
    process.store = std::move(*store);
    if (plan_.has_chain && !std::exchange(prepared_, true)) {
        for (const auto& change : foundation_.chain) {
            if (auto stored = process.store->commit(change); !stored) {
                return stored;
            }
        }
    }
    auto* format = process.runtime->registry().of_kind(SYNOD_KIND_CHECKPOINT);
    if (format != nullptr && plan_.checkpoint_every > 0) {
        auto config = app::checkpoint_config(foundation_.manifest,
                                             Hash::copy(process.runtime->info().genesis_hash));
        config.dir = plan_.checkpoints / plan_.name;
        config.policy.interval = plan_.checkpoint_every;
        auto opened = app::Checkpointer::open(
            std::move(config),
            {process.runtime->pipeline(), *process.store, *format,
             [runtime = process.runtime.get(), format](std::function<void()> task) {
                 runtime->post(*format, std::move(task));
             },
             [runtime = process.runtime.get()](std::function<void()> task) {
                 runtime->loop().post(std::move(task));
             },
             {}, {}, clock_});
        if (!opened) {
            return std::unexpected(opened.error());
        }
        process.checkpoints = std::move(*opened);
    }
    auto config = settings();
    if (!config) {
        return std::unexpected(config.error());
    }
    process.commits = Lane::make(events_);
    app::Machine machine;
    machine.commit_on = [this, lane = process.commits.get()](std::function<void()> task) {
        lane->post(random_.between(commit_low_, commit_high_), std::move(task));
    };
    machine.open_network = [this](net::NetworkConfig net,
                                  net::NetworkHandler& handler) -> Result<std::unique_ptr<net::Transport>> {
        auto opened = network_.open(plan_.id, std::move(net), handler);
        return wrap_ ? wrap_(std::move(opened)) : std::move(opened);
    };
    machine.disk_free = [this](const std::string&) {
        const auto used = disk_.used();
        return capacity_ == 0 ? kEnoughDisk : capacity_ - std::min(used, capacity_);
    };
    machine.cpu_time = [this] { return events_.now() / 4; };
    machine.memory_used = [] { return std::uint64_t{64} << 20U; };
    machine.cores = VirtualWorkers::kWorkers;
    auto& runtime_ref = *process.runtime;
    const auto strand = [&runtime_ref](host::Instance* instance) {
        return [&runtime_ref, instance](std::function<void()> task) {
            runtime_ref.post(*instance, std::move(task));
        };
    };
    auto* scoring = runtime_ref.registry().of_kind(SYNOD_KIND_SCORING);
    auto* optimizer = runtime_ref.registry().of_kind(SYNOD_KIND_OPTIMIZER);
    auto node = app::Node::start(
        std::move(*config),
        {runtime_ref.loop(), *process.store, runtime_ref.pipeline(), runtime_ref.pool(), runtime_ref.bus(),
         process.checkpoints.get(), scoring, strand(scoring), optimizer, strand(optimizer), runtime_ref.faults(),
         [this](const std::string& level, const std::string& text) {
             if (watch_.log) {
                 watch_.log(plan_.id, level, text);
             }
         },
         std::move(machine)});
    if (!node) {
        return std::unexpected(node.error());
    }
    process.node = std::move(*node);
    app::add_governance_methods(
        process.door, [loop = process.loop](std::function<void()> task) { loop->post(std::move(task)); },
        [node = process.node.get()]() -> app::Governance& { return node->governance(); });
    return {};
}

Result<app::NodeConfig> Host::settings() {
    auto out = app::node_settings(foundation_.manifest);
    if (!out) {
        return out;
    }
    out->name = plan_.name;
    out->data_dir = plan_.name;
    out->listen_address = address_of(plan_.id);
    out->listen_port = kPort;
    out->peers = plan_.peers;
    out->sync.seed = random_.stream("sync", boots_).next();
    out->identity = plan_.key;
    if (plan_.byzantine) {
        out->byzantine = app::Byzantine{{Bytes(plan_.name.begin(), plan_.name.end())}};
    }
    if (plan_.authority) {
        auto opened = store::SignerStore::open(plan_.name, true, disk_.vfs());
        if (!opened) {
            return std::unexpected(opened.error());
        }
        if (plan_.has_chain && boots_ == 1) {
            // The forged blocks count as signed here, or a disk that lost them would speak of a copied key.
            const auto before = foundation_.begins / app::forge::kSlotMs - 1;
            if (auto noted = (*opened)->record_proposal(plan_.key->public_key(), before); !noted) {
                return std::unexpected(noted.error());
            }
        }
        out->signer = std::make_shared<app::Signer>(
            plan_.key, std::move(*opened), [this](const synod_sign_request& request) {
                if (watch_.sign) {
                    watch_.sign(plan_.id, request);
                }
            });
    }
    return out;
}

void Host::tick() {
    const auto life = std::weak_ptr<void>(process_->life);
    if (!process_->still) {
        process_->node->tick();
    }
    events_.after(app::kTick, life, [this] { tick(); });
}

void Host::read_events() {
    for (const auto& event : process_->events->take()) {
        watch_.event(plan_.id, event);
    }
}

void Host::pause(bool still) {
    if (process_) {
        process_->still = still;
        process_->loop->hold(still);
        process_->workers->hold(still);
        process_->commits->hold(still);
    }
}

void Host::end(End how) {
    if (!process_) {
        return;
    }
    // Out of sight at once: nothing of it runs as an event any more.
    auto process = std::move(process_);
    process->life.reset();
    if (how != End::kOrderly) {
        network_.ended(plan_.id, how == End::kPower);
        disk_.stop(how == End::kPower ? Stop::power : Stop::kill);
        process->commits->clear();
    }
    process->workers->drain();
    if (process->checkpoints) {
        process->checkpoints->close();
    }
    process->node->close();
    process->commits->clear();
    process->workers->drain();
    process->node.reset();
    process->checkpoints.reset();
    process->store.reset();
    process->events.reset();
    process.reset();
    if (how != End::kOrderly) {
        disk_.start();
    }
}

}  // namespace synod::sim
