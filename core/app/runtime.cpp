// SPDX-License-Identifier: Apache-2.0
#include "core/app/runtime.hpp"

#include <sodium.h>

#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "core/app/static_plugins.hpp"
#include "core/host/guard.hpp"
#include "core/host/manifest/tree.hpp"

namespace synod::app {

namespace {

//! How long plugins may take to drain.
constexpr Duration kDrainTime = std::chrono::seconds(5);
constexpr std::uintmax_t kMaxGenesisBytes = 1u << 20;

boost::json::value to_json(const host::Node& node) {
    using Kind = host::Node::Kind;
    switch (node.kind) {
        case Kind::kNull: return nullptr;
        case Kind::kBool: return node.integer != 0;
        case Kind::kInteger: return node.integer;
        case Kind::kNumber: return node.number;
        case Kind::kString: return boost::json::string(node.text);
        case Kind::kSequence: {
            boost::json::array out;
            for (const auto& item : node.items) {
                out.push_back(to_json(item));
            }
            return out;
        }
        case Kind::kMap: {
            boost::json::object out;
            for (std::size_t i = 0; i < node.keys.size(); ++i) {
                out[node.keys[i].text] = to_json(node.items[i]);
            }
            return out;
        }
    }
    return nullptr;
}

//! What can't be left out: a node without it has nothing to do.
bool indispensable(const std::string& kind) { return kind == "consensus" || kind == "validation"; }

}  // namespace

Runtime::Runtime(Surroundings around)
    : faults_(bus_, around.clock),
      validation_(around.clock),
      loop_(around.loop ? std::move(around.loop) : std::make_unique<ControlLoop>()),
      pool_(std::move(around.workers)) {}

Runtime::~Runtime() {
    // Order matters: no task may run, and no state be released, after its plugin went away; and what
    // waits in the loop may hold states.
    if (port_) {
        port_->close();
    }
    if (tasks_) {
        tasks_->no_more_delays();
    }
    settle();
    loop_.reset();
    pipeline_.reset();
    settle();
    validation_.unbind();
    if (registry_) {
        registry_->stop(kDrainTime);
    }
    consensus_.reset();
    consensus_strand_.reset();
    validation_strand_.reset();
    pool_.reset();
}

void Runtime::settle() {
    if (pipeline_) {
        pipeline_->drain_reads();
    }
    // What is planned goes on to be proven, and may release states in the end: both ways, in order.
    for (const auto& strand : {consensus_strand_, validation_strand_, consensus_strand_}) {
        if (strand) {
            strand->post_and_wait([] {});
        }
    }
}

void Runtime::post(host::Instance& who, std::function<void()> task) {
    tasks_->strand(who)->post(std::move(task));
}

Result<void> Runtime::prove(pipeline::CheckSet& checks) {
    auto done = validation_.prove(checks);
    const std::string code = done ? "" : done.error().code;
    if (code == "validation.none_left") {
        loop_->post([this, error = done.error()] {
            if (const auto tell = std::exchange(halt_, {})) {
                tell(error);
            }
        });
    } else if (code == "validation.disagreement" && !told_.exchange(true)) {
        loop_->post([this, error = done.error()] {
            if (disagree_) {
                disagree_(error);
            }
        });
    }
    return done;
}

void Runtime::ask_backends_again() {
    told_ = false;
    validation_.ask_again();
}

void Runtime::on_worker(const std::function<void()>& fn) {
    consensus_strand_->post_and_wait(fn);
}

Result<std::unique_ptr<Runtime>> Runtime::start(const host::Manifest& manifest,
                                               Surroundings around) {
    if (sodium_init() < 0) {
        return fail("crypto.init", "libsodium can't be initialised");
    }
    host::thread_role = host::Role::kMain;
    host::install_crash_handler();  // plugins run from here on
    auto& clock = around.clock;
    const auto seed = around.seed;
    const auto mapped = std::move(around.entries);
    std::unique_ptr<Runtime> out(new Runtime(std::move(around)));
    if (!out->pool_) {
        out->pool_ = std::make_unique<pipeline::WorkerPool>(
            static_cast<unsigned>(manifest.integer("performance", "validation_workers")),
            host::become_worker);
    }
    out->tasks_ = std::make_unique<PluginTasks>(
        *out->pool_, [loop = out->loop_.get()](Duration delay, std::function<void()> task) {
            loop->post_after(delay, std::move(task));
        });
    out->port_ = std::make_unique<BusPort>(
        out->bus_, clock,
        [tasks = out->tasks_.get()](host::Instance& who, std::function<void()> task) {
            tasks->strand(who)->post(std::move(task));
        });
    host::HostServices services;
    services.clock = &clock;
    services.executor = out->tasks_.get();
    services.events = out->port_.get();
    services.metrics = &out->metrics_;
    services.completion = &out->validation_;
    services.hasher = &out->validation_;
    if (seed) {
        services.seed = *seed;
    } else {
        randombytes_buf(services.seed.data(), services.seed.size());
    }
    out->registry_ = std::make_unique<host::Registry>(std::move(services));
    if (auto loaded = out->load_plugins(manifest, mapped); !loaded) {
        return std::unexpected(loaded.error());
    }
    if (auto started = out->registry_->start(); !started) {
        return std::unexpected(started.error());
    }
    for (const auto& instance : out->registry_->instances()) {
        if (instance->state() == host::State::kFailed) {
            out->port_->forget(*instance);
            out->faults_.isolated({instance->alias(), "start", instance->why_failed()->text()});
        }
    }
    if (auto connected = out->connect(); !connected) {
        return std::unexpected(connected.error());
    }
    out->port_->deliver_waiting();
    return out;
}

Result<void> Runtime::load_plugins(const host::Manifest& manifest,
                                   const std::vector<const synod_entry*>& mapped) {
    for (const auto& entries : {static_plugins(), mapped}) {
        for (const auto* entry : entries) {
            if (auto added = registry_->register_static(entry); !added) {
                return std::unexpected(added.error());
            }
        }
    }
    paranoid_ = manifest.text("sync", "validation_level") == "paranoid";
    for (const auto& use : manifest.plugins) {
        const bool required = use.required || indispensable(use.kind);
        auto added = add_plugin(use, manifest, required);
        // A mistake in the manifest is the operator's to mend, whatever the plugin is for.
        if (!added && (required || added.error().code.starts_with("config."))) {
            return added;
        }
        if (!added) {
            spdlog::warn("going on without the plugin {}: {}", use.alias, added.error().text());
            faults_.isolated({use.alias, "load", added.error().text()});
        }
    }
    const auto chosen = std::ranges::find(manifest.plugins, std::string("validation"), &host::PluginUse::kind);
    return chosen == manifest.plugins.end() || chosen->use == "reference"
               ? Result<void>{}
               : add_reference(*chosen, manifest);
}

//! Beside the chosen backend: to compare with in `paranoid`, else to take its place should it fail for
//! good. Only then may it be missing.
Result<void> Runtime::add_reference(const host::PluginUse& chosen, const host::Manifest& manifest) {
    auto beside = chosen;
    beside.use = "reference";
    beside.alias = "validation-reference";
    beside.config = "{}";
    beside.file = host::find_library(manifest, beside.kind, beside.use);
    const auto added = add_plugin(beside, manifest, paranoid_);
    return paranoid_ ? added : Result<void>{};
}

Result<void> Runtime::add_plugin(const host::PluginUse& use, const host::Manifest& manifest,
                                 bool required) {
    const host::Plugin* plugin = registry_->find_plugin("synod." + use.kind + "." + use.use);
    if (plugin == nullptr && use.file.empty()) {
        return fail("plugin.missing", "no plugin '" + use.use + "' of kind " + use.kind + " was found",
                    "plugins." + use.kind, "name a file, or set plugin_dir to where the plugins are");
    }
    if (plugin == nullptr) {
        auto loaded = registry_->load(use.file);
        if (!loaded) {
            return std::unexpected(loaded.error());
        }
        for (const auto* candidate : *loaded) {
            if (candidate->kind == "synod." + use.kind + "/1") {
                plugin = candidate;
            }
        }
    }
    if (plugin == nullptr) {
        return fail("plugin.wrong_kind", use.file.string() + " holds no plugin of kind " + use.kind,
                    "plugins." + use.kind, "look with `synod plugin describe`");
    }
    auto config = use.config.empty() ? std::string("{}") : use.config;
    if (use.kind == "consensus") {
        auto merged = with_genesis(config, manifest.genesis);
        if (!merged) {
            return std::unexpected(merged.error());
        }
        config = std::move(*merged);
    }
    auto added = registry_->add(*plugin, use.alias, config, {required, use.budget});
    return added ? Result<void>{} : std::unexpected(added.error());
}

Result<void> Runtime::connect() {
    auto* consensus = registry_->of_kind(SYNOD_KIND_CONSENSUS);
    host::Instance* chosen = nullptr;
    host::Instance* reference = nullptr;  // beside the chosen one
    for (const auto& instance : registry_->instances()) {
        if (instance->plugin().kind == SYNOD_KIND_VALIDATION && instance->state() == host::State::kActive) {
            (chosen == nullptr ? chosen : reference) = instance.get();
        }
    }
    if (consensus == nullptr || chosen == nullptr) {
        return fail("plugin.missing", "a node needs a consensus and a validation plugin", "plugins");
    }
    if (reference != nullptr) {
        tasks_->share(*chosen, *reference);
    }
    validation_.bind(*chosen, paranoid_ ? reference : nullptr);
    validation_.stand_by(reference, [this](const pipeline::Isolated& who) { backend_isolated(who); });
    consensus_strand_ = tasks_->strand(*consensus);
    validation_strand_ = tasks_->strand(*chosen);
    consensus_ = std::make_unique<pipeline::Consensus>(
        *consensus, [strand = consensus_strand_](std::function<void()> fn) { strand->post(std::move(fn)); });
    pipeline_ = std::make_unique<pipeline::Pipeline>(
        *pool_, *consensus_,
        [this](pipeline::CheckSet& checks) { return prove(checks); },
        [this](std::function<void()> task) { loop_->post(std::move(task)); }, consensus_strand_,
        validation_strand_);

    Result<void> outcome;
    on_worker([&] {
        auto genesis = consensus_->genesis();
        if (!genesis) {
            outcome = std::unexpected(genesis.error());
            return;
        }
        auto info = consensus_->info(genesis->state);
        if (!info) {
            outcome = std::unexpected(info.error());
            return;
        }
        info_ = *info;
    });
    return outcome;
}

void Runtime::backend_isolated(const pipeline::Isolated& who) {
    spdlog::error("{} is not used any more, {} proves: {}", who.alias,
                  who.instead.empty() ? "nothing" : who.instead, who.why.text());
    faults_.isolated({who.alias, who.call, who.why.text()});
}

host::MetricPage Runtime::metric_page() const {
    host::MetricPage out;
    metrics_.write(out);
    host::write_plugin_figures(*registry_, out);
    return out;
}

std::string Runtime::isa() const { return validation_.isa(); }

Result<std::unique_ptr<store::Store>> Runtime::open_store(const std::string& dir, bool create,
                                                          bool read_only, bool synchronous_full,
                                                          const std::string& vfs) {
    store::StoreOptions options;
    options.network_id = to_hex({info_.network_id, sizeof info_.network_id});
    options.genesis_hash = Hash::copy(info_.genesis_hash);
    options.create_if_missing = create;
    options.read_only = read_only;
    options.synchronous = synchronous_full ? store::Synchronous::full : store::Synchronous::normal;
    options.vfs = vfs;
    return store::Store::open(dir, options);
}

Result<std::string> with_genesis(const std::string& config_json, const std::filesystem::path& genesis) {
    std::ifstream in(genesis);
    if (!in) {
        return fail("genesis.missing", "can't read the genesis file", genesis.string(),
                    "name it under node.genesis; every node of a federation has the same one");
    }
    std::ostringstream text;
    text << in.rdbuf();
    if (text.str().size() > kMaxGenesisBytes) {
        return fail("genesis.malformed", "larger than 1 MiB", genesis.string());
    }
    auto document = host::parse_yaml(text.str(), genesis.string());
    if (!document) {
        return fail("genesis.malformed", document.error().message, genesis.string());
    }
    boost::system::error_code error;
    auto config = boost::json::parse(config_json, error);
    if (error || !config.is_object()) {
        return fail("config.type", "the consensus plugin's config is not an object", "plugins.consensus");
    }
    config.as_object()["genesis"] = to_json(document->root);
    return boost::json::serialize(config);
}

}  // namespace synod::app
