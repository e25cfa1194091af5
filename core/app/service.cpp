// SPDX-License-Identifier: Apache-2.0
#include "core/app/service.hpp"

#include <spdlog/spdlog.h>

#include "core/app/checkpoint/methods.hpp"
#include "core/app/evidence/methods.hpp"
#include "core/app/governance/methods.hpp"
#include "core/app/mining/methods.hpp"
#include "core/app/node_config.hpp"
#include "core/app/status_json.hpp"
#include "core/app/status_metrics.hpp"

namespace synod::app {

namespace {

void log_line(const std::string& level, const std::string& text) {
    spdlog::log(spdlog::level::from_str(level), "{}", text);
}

}  // namespace

Result<std::unique_ptr<Service>> Service::start(const host::Manifest& manifest) {
    std::unique_ptr<Service> out(new Service());
    auto runtime = Runtime::start(manifest);
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    out->runtime_ = std::move(*runtime);
    out->runtime_->on_halt([service = out.get()](const Error& e) {
        log_line("critical", e.text());
        service->halted_ = e;
    });
    out->runtime_->on_disagreement([service = out.get()](const Error& e) {
        if (service->node_) {
            service->node_->backends_disagree(e);
        }
    });
    auto store = out->runtime_->open_store(manifest.data_dir, true, false,
                                           manifest.text("storage", "synchronous") == "full");
    if (!store) {
        return std::unexpected(store.error());
    }
    out->store_ = std::move(*store);
    for (const auto step : {&Service::open_checkpoints, &Service::open_node,
                            &Service::open_mining_door, &Service::open_door}) {
        if (auto done = (out.get()->*step)(manifest); !done) {
            return std::unexpected(done.error());
        }
    }
    return out;
}

Service::~Service() { close(); }

std::function<void(std::function<void()>)> Service::strand(host::Instance* instance) {
    return [this, instance](std::function<void()> task) { runtime_->post(*instance, std::move(task)); };
}

Result<void> Service::open_checkpoints(const host::Manifest& manifest) {
    auto* format = runtime_->registry().of_kind(SYNOD_KIND_CHECKPOINT);
    if (format == nullptr) {
        log_line("warning", "no checkpoint plugin: no checkpoints are made");
        return {};
    }
    auto config = checkpoint_config(manifest, Hash::copy(runtime_->info().genesis_hash));
    auto opened = Checkpointer::open(
        std::move(config),
        {runtime_->pipeline(), *store_, *format, strand(format),
         [this](std::function<void()> task) { runtime_->loop().post(std::move(task)); },
         [](const CheckpointInfo& made) {
             log_line("info", "checkpoint " + made.id + " of height " + std::to_string(made.height));
         },
         [](const Error& e) { log_line("error", "checkpoint: " + e.text()); }});
    if (!opened) {
        return std::unexpected(opened.error());
    }
    checkpoints_ = std::move(*opened);
    return {};
}

Result<void> Service::open_node(const host::Manifest& manifest) {
    auto config = node_config(manifest);
    if (!config) {
        return std::unexpected(config.error());
    }
    auto* scoring = runtime_->registry().of_kind(SYNOD_KIND_SCORING);
    auto* optimizer = runtime_->registry().of_kind(SYNOD_KIND_OPTIMIZER);
    Machine machine;
    machine.open_network = [this](net::NetworkConfig net, net::NetworkHandler& handler)
        -> Result<std::unique_ptr<net::Transport>> {
        auto opened = net::Network::start(std::move(net), handler);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        network_ = opened->get();
        return std::move(*opened);
    };
    auto node = Node::start(std::move(*config),
                            {runtime_->loop(), *store_, runtime_->pipeline(), runtime_->pool(),
                             runtime_->bus(), checkpoints_.get(), scoring, strand(scoring), optimizer,
                             strand(optimizer), runtime_->faults(), log_line, std::move(machine),
                             [this] { runtime_->ask_backends_again(); }});
    if (!node) {
        return std::unexpected(node.error());
    }
    node_ = std::move(*node);
    return {};
}

Result<void> Service::open_door(const host::Manifest& manifest) {
    control::ServerConfig config;
    auto listen = split_address(manifest.control_listen);
    if (!listen) {
        return std::unexpected(listen.error());
    }
    config.address = listen->address;
    config.port = listen->port;
    config.token_file = manifest.token_file.empty() ? (manifest.data_dir / "control.token").string()
                                                    : manifest.token_file.string();
    auto door = control::ControlServer::start(network_->io_context(), config, handlers());
    if (!door) {
        return std::unexpected(door.error());
    }
    door_ = std::move(*door);
    return {};
}

Result<void> Service::open_mining_door(const host::Manifest& manifest) {
    const auto address = manifest.text("mining", "listen");
    if (address.empty()) {
        return {};
    }
    auto listen = split_address(address);
    if (!listen) {
        return std::unexpected(listen.error());
    }
    MiningDoor door{[this](std::function<void()> task) { runtime_->loop().post(std::move(task)); },
                    [this]() -> Mining& { return node_->mining(); },
                    [this] { return node_->gives_work(); },
                    {}};
    if (const auto text = manifest.text("mining", "payout"); !text.empty()) {
        auto payout = read_payout(text);
        if (!payout) {
            return fail("config.payout", payout.error().message, "mining.payout");
        }
        door.payout = std::move(*payout);
    }
    control::ServerConfig config;
    config.address = listen->address;
    config.port = listen->port;
    config.allow_remote = manifest.flag("mining", "allow_remote");
    config.token_file = manifest.mining_token_file.empty() ? (manifest.data_dir / "mining.token").string()
                                                           : manifest.mining_token_file.string();
    config.dialect = control::Dialect::kPools;
    for (const auto& item : manifest.json.at("mining").at("trusted").as_array()) {
        config.trusted.emplace_back(item.as_string());
    }
    auto opened = control::ControlServer::start(network_->io_context(), config,
                                                mining_methods(std::move(door)));
    if (!opened) {
        return std::unexpected(opened.error());
    }
    mining_door_ = std::move(*opened);
    node_->tell_mining_port(mining_door_->port());
    return {};
}

control::Handlers Service::handlers() {
    control::Handlers out;
    out.metrics = [this] {
        auto page = runtime_->metric_page();
        status_metrics(*node_->status(), page);
        return page.text();
    };
    out.methods["node.status"] = [this](const std::string&, const control::Reply& reply) {
        reply(status_json(*node_->status()));
    };
    out.methods["node.peers"] = [this](const std::string&, const control::Reply& reply) {
        reply(peers_json(*node_->status()));
    };
    const auto command = [this](Command what, const char* verb) {
        return [this, what, verb](const std::string&, control::Reply reply) {
            node_->command(what, [this, what, verb, reply](Result<std::string> state) {
                if (!state) {
                    reply(std::unexpected(state.error()));
                    return;
                }
                stop_asked_ = stop_asked_ || what == Command::kStop;
                reply("{\"command\":\"" + std::string(verb) + "\",\"state\":\"" + *state + "\"}");
            });
        };
    };
    out.methods["node.pause"] = command(Command::kPause, "pause");
    out.methods["node.resume"] = command(Command::kResume, "resume");
    out.methods["node.stop"] = command(Command::kStop, "stop");
    out.healthy = [this] { return control::Health{true, status_json(*node_->status())}; };
    out.ready = [this] {
        const auto status = node_->status();
        return control::Health{status->sync.state == sync::State::synced, status_json(*status)};
    };
    add_governance_methods(
        out, [this](std::function<void()> task) { runtime_->loop().post(std::move(task)); },
        [this]() -> Governance& { return node_->governance(); });
    add_evidence_methods(
        out, [this](std::function<void()> task) { runtime_->loop().post(std::move(task)); },
        [this]() -> const EvidenceBook& { return node_->evidence(); });
    const auto emergency = [this](bool enter) {
        return [this, enter](const std::string& params, const control::Reply& reply) {
            auto reason = emergency_reason(params);
            if (!reason) {
                reply(std::unexpected(reason.error()));
                return;
            }
            runtime_->loop().post([this, enter, reason = std::move(*reason), reply] {
                if (enter) {
                    node_->enter_emergency(reason);
                } else {
                    node_->leave_emergency();
                }
                reply(emergency_json(*node_->status()));
            });
        };
    };
    out.methods["emergency.enter"] = emergency(true);
    out.methods["emergency.leave"] = emergency(false);
    out.methods["emergency.status"] = [this](const std::string&, const control::Reply& reply) {
        reply(emergency_json(*node_->status()));
    };
    if (checkpoints_) {
        add_checkpoint_methods(
            out, [this](std::function<void()> task) { runtime_->loop().post(std::move(task)); },
            *checkpoints_);
    }
    return out;
}

void Service::run(const std::function<bool()>& after_tick) {
    auto& loop = runtime_->loop();
    loop.run([&] {
        node_->tick();
        if (!halted_ && node_->halted()) {
            halted_ = node_->halted();
        }
        if (!after_tick() || halted_) {
            loop.quit();
        }
    });
}

void Service::close() {
    for (auto* door : {door_.get(), mining_door_.get()}) {
        if (door != nullptr) {
            door->stop();
        }
    }
    if (checkpoints_) {
        checkpoints_->close();
    }
    if (node_) {
        node_->close();
    }
}

}  // namespace synod::app
