// SPDX-License-Identifier: Apache-2.0
#include "core/app/runtime.hpp"

#include <sodium.h>

#include <atomic>
#include <boost/json.hpp>
#include <fstream>
#include <future>
#include <map>
#include <sstream>

#include "core/app/static_plugins.hpp"
#include "core/host/guard.hpp"
#include "core/host/manifest/tree.hpp"
#include "core/pipeline/plugin_call.hpp"

namespace synod::app {

namespace {

//! How long a backend may leave a PENDING batch open, and how long plugins may take to drain.
constexpr auto kPendingLimit = std::chrono::seconds(60);
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

}  // namespace

//! What plugins ask of the host, over the workers.
struct Runtime::Services : host::Executor, host::Hasher, host::Completion {
    pipeline::WorkerPool* pool = nullptr;
    std::map<host::Instance*, std::shared_ptr<pipeline::Strand>> strands;
    ControlLoop* loop = nullptr;
    const synod_validation_api* hash_api = nullptr;
    synod_instance* hash_instance = nullptr;
    std::mutex mutex;
    std::map<std::uint64_t, std::promise<synod_status>> pending;

    synod_status post(host::Instance& who, synod_task_fn fn, void* ctx, Duration delay) override {
        auto strand = strand_of(who);
        if (delay.count() > 0) {
            loop->post_after(delay, [strand, fn, ctx] { strand->post([fn, ctx] { fn(ctx); }); });
        } else {
            strand->post([fn, ctx] { fn(ctx); });
        }
        return SYNOD_OK;
    }
    synod_status parallel(void (*fn)(void*, std::uint32_t), void* ctx, std::uint32_t n) override {
        pool->parallel(n, [fn, ctx](std::uint32_t i) { fn(ctx, i); });
        return SYNOD_OK;
    }
    std::uint32_t workers() override { return pool->workers(); }
    void sha256d(std::span<const synod_bytes> spans, std::uint8_t* out) override {
        if (hash_api != nullptr) {
            hash_api->sha256d(hash_instance, spans.data(), spans.size(), out);
        } else {
            host::portable_hasher().sha256d(spans, out);
        }
    }
    void complete(host::Instance&, std::uint64_t ticket, synod_status status) override {
        const std::scoped_lock lock(mutex);
        if (const auto it = pending.find(ticket); it != pending.end()) {
            it->second.set_value(status);
            pending.erase(it);
        }
    }
    std::shared_ptr<pipeline::Strand> strand_of(host::Instance& who) {
        const std::scoped_lock lock(mutex);
        auto& strand = strands[&who];
        if (!strand) {
            strand = pipeline::Strand::make(*pool);
        }
        return strand;
    }
};

Runtime::Runtime() : services_(std::make_unique<Services>()) {}

Runtime::~Runtime() {
    // Order matters: no state may be released, and no task run, after its plugin went away.
    if (pool_ && consensus_strand_) {
        on_worker([] {});
    }
    pipeline_.reset();
    stopping_ = true;
    services_->hash_api = nullptr;
    if (registry_) {
        registry_->stop(kDrainTime);
    }
    consensus_.reset();
    consensus_strand_.reset();
    services_->strands.clear();
    pool_.reset();
}

void Runtime::on_worker(const std::function<void()>& fn) {
    std::promise<void> done;
    consensus_strand_->post([&] {
        fn();
        done.set_value();
    });
    done.get_future().wait();
}

Result<std::unique_ptr<Runtime>> Runtime::start(const host::Manifest& manifest) {
    if (sodium_init() < 0) {
        return fail("crypto.init", "libsodium can't be initialised");
    }
    host::install_crash_handler();  // plugins run from here on
    std::unique_ptr<Runtime> out(new Runtime());
    out->pool_ = std::make_unique<pipeline::WorkerPool>(
        static_cast<unsigned>(manifest.integer("performance", "validation_workers")));
    out->services_->pool = out->pool_.get();
    out->services_->loop = &out->loop_;
    host::HostServices services;
    services.clock = &host::system_clock();
    services.executor = out->services_.get();
    services.completion = out->services_.get();
    services.hasher = out->services_.get();
    randombytes_buf(services.seed.data(), services.seed.size());
    out->registry_ = std::make_unique<host::Registry>(std::move(services));
    if (auto loaded = out->load_plugins(manifest); !loaded) {
        return std::unexpected(loaded.error());
    }
    if (auto started = out->registry_->start(); !started) {
        return std::unexpected(started.error());
    }
    if (auto connected = out->connect(); !connected) {
        return std::unexpected(connected.error());
    }
    return out;
}

Result<void> Runtime::load_plugins(const host::Manifest& manifest) {
    for (const auto* entry : static_plugins()) {
        if (auto added = registry_->register_static(entry); !added) {
            return std::unexpected(added.error());
        }
    }
    auto uses = manifest.plugins;
    if (manifest.text("sync", "validation_level") == "paranoid") {
        const auto chosen =
            std::ranges::find(uses, std::string("validation"), &host::PluginUse::kind);
        if (chosen != uses.end() && chosen->use != "reference") {
            auto beside = *chosen;
            beside.use = "reference";
            beside.alias = "validation-reference";
            beside.config = "{}";
            beside.file = chosen->file.parent_path() / "synod-validation-reference.so";
            uses.push_back(std::move(beside));
        }
    }
    for (const auto& use : uses) {
        const host::Plugin* plugin = registry_->find_plugin("synod." + use.kind + "." + use.use);
        if (plugin == nullptr && use.file.empty()) {
            return fail("plugin.missing", "no plugin '" + use.use + "' of kind " + use.kind + " was found",
                        "plugins." + use.kind, "name a file, or set plugin_dir to where the plugins are");
        }
        if (plugin == nullptr) {
            auto loaded = registry_->load(use.file);
            if (!loaded) {
                if (!use.required) {
                    continue;
                }
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
        if (auto added = registry_->add(*plugin, use.alias, config); !added) {
            return std::unexpected(added.error());
        }
    }
    return {};
}

Result<void> Runtime::connect() {
    auto* consensus = registry_->of_kind(SYNOD_KIND_CONSENSUS);
    for (const auto& instance : registry_->instances()) {
        if (instance->plugin().kind == SYNOD_KIND_VALIDATION) {
            (validation_ == nullptr ? validation_ : reference_) = instance.get();
        }
    }
    if (consensus == nullptr || validation_ == nullptr) {
        return fail("plugin.missing", "a node needs a consensus and a validation plugin", "plugins");
    }
    const auto* api = validation_->table<synod_validation_api>();
    if (validation_->has(offsetof(synod_validation_api, sha256d))) {
        services_->hash_instance = validation_->handle();
        services_->hash_api = api;
    }
    consensus_strand_ = services_->strand_of(*consensus);
    consensus_ = std::make_unique<pipeline::Consensus>(
        consensus->handle(), consensus->table<synod_consensus_api>(), [this](std::function<void()> fn) {
            if (stopping_) {
                fn();  // nothing else runs any more
            } else {
                consensus_strand_->post(std::move(fn));
            }
        });
    auto prove = [this, ticket = std::make_shared<std::atomic<std::uint64_t>>(0)](
                     host::Instance& backend, pipeline::CheckSet& checks) -> Result<void> {
        const auto* table = backend.table<synod_validation_api>();
        auto batch = checks.batch();
        batch.ticket = ++*ticket;
        std::future<synod_status> answer;
        {
            const std::scoped_lock lock(services_->mutex);
            answer = services_->pending[batch.ticket].get_future();
        }
        auto status = pipeline::plugin_call("validation.validate", [&](synod_error* e) {
            return table->validate(backend.handle(), &batch, e);
        });
        if (status && *status == SYNOD_PENDING) {
            if (answer.wait_for(kPendingLimit) != std::future_status::ready) {
                // The batch's memory is still the backend's: there is no safe way on.
                return fail("plugin.deadline", "a pending batch was never completed", backend.alias());
            }
            if (const auto done = answer.get(); done < 0) {
                return fail("plugin.internal", "the backend ended the batch with " + std::to_string(done),
                            backend.alias());
            }
        } else {
            const std::scoped_lock lock(services_->mutex);
            services_->pending.erase(batch.ticket);
        }
        if (!status) {
            return std::unexpected(status.error());
        }
        return {};
    };
    pipeline_ = std::make_unique<pipeline::Pipeline>(
        *pool_, *consensus_,
        [this, prove](pipeline::CheckSet& checks) -> Result<void> {
            if (auto done = prove(*validation_, checks); !done || reference_ == nullptr) {
                return done;
            }
            const auto verdicts = checks.verdicts();
            if (auto done = prove(*reference_, checks); !done) {
                return done;
            }
            if (checks.verdicts() != verdicts) {
                return fail("validation.disagreement",
                            validation_->alias() + " says " + to_hex(verdicts) + ", " +
                                reference_->alias() + " says " + to_hex(checks.verdicts()),
                            "paranoid", "stop using the backend; keep this line as evidence");
            }
            return {};
        },
        [this](std::function<void()> task) { loop_.post(std::move(task)); }, consensus_strand_);

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

std::string Runtime::isa() const {
    const auto* api = validation_->table<synod_validation_api>();
    if (!validation_->has(offsetof(synod_validation_api, isa))) {
        return {};
    }
    const auto text = api->isa(validation_->handle());
    return {text.p, text.n};
}

Result<std::unique_ptr<store::Store>> Runtime::open_store(const std::string& dir, bool create,
                                                          bool read_only, bool synchronous_full) {
    store::StoreOptions options;
    options.network_id = to_hex({info_.network_id, sizeof info_.network_id});
    options.genesis_hash = Hash::copy(info_.genesis_hash);
    options.create_if_missing = create;
    options.read_only = read_only;
    options.synchronous = synchronous_full ? store::Synchronous::full : store::Synchronous::normal;
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
