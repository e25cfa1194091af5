// SPDX-License-Identifier: Apache-2.0
#include "core/app/checkpoint/offline.hpp"

#include <boost/json.hpp>

#include "core/app/node/control_loop.hpp"

namespace synod::app {

namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) {
    return boost::json::serialize(boost::json::string(path.string()));
}

//! The manifest, or one that says no more than where the chain lies.
Result<host::Manifest> manifest_of(const fs::path& where) {
    std::error_code error;
    if (!fs::is_directory(where, error)) {
        return host::load_manifest(where);
    }
    const auto dir = fs::absolute(where).lexically_normal();
    const auto inside = dir / "genesis.yaml";
    const auto genesis = fs::exists(inside, error) ? inside : dir.parent_path() / "genesis.yaml";
    return host::parse_manifest("node:\n  name: offline\n  data_dir: " + quoted(dir) +
                                    "\n  genesis: " + quoted(genesis) +
                                    "\nperformance:\n  validation_workers: 0\n",
                                dir / "offline.yaml");
}

//! The one checkpoint whose id is or begins with `which`.
Result<checkpoint::Id> id_of(const std::vector<CheckpointInfo>& list, const std::string& which) {
    std::vector<std::string> matches;
    for (const auto& info : list) {
        if (info.id.starts_with(which)) {
            matches.push_back(info.id);
        }
    }
    const auto id = matches.size() == 1 ? fixed_from_hex<checkpoint::Id>(matches.front()) : std::nullopt;
    if (!id) {
        return fail(matches.empty() ? "checkpoint.missing" : "checkpoint.ambiguous",
                    std::to_string(matches.size()) + " checkpoints have this id or begin with it", which,
                    "`synod checkpoint list` shows them");
    }
    return *id;
}

}  // namespace

OfflineCheckpoints::~OfflineCheckpoints() {
    checkpointer_.reset();
    store_.reset();
    runtime_.reset();
}

Result<std::unique_ptr<OfflineCheckpoints>> OfflineCheckpoints::open(const fs::path& where,
                                                                     Use use) {
    auto manifest = manifest_of(where);
    if (!manifest) {
        return std::unexpected(manifest.error());
    }
    std::erase_if(manifest->plugins, [](const host::PluginUse& plugin) {
        return plugin.kind != "consensus" && plugin.kind != "validation" && plugin.kind != "checkpoint";
    });
    auto runtime = Runtime::start(*manifest);
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    std::unique_ptr<OfflineCheckpoints> out(new OfflineCheckpoints());
    out->runtime_ = std::move(*runtime);
    auto* format = out->runtime_->registry().of_kind(SYNOD_KIND_CHECKPOINT);
    if (format == nullptr) {
        return fail("plugin.missing", "there is no checkpoint plugin", "plugins.checkpoint");
    }
    auto store = out->runtime_->open_store(manifest->data_dir.string(), false, use != Use::kRecover, false);
    if (!store) {
        return std::unexpected(store.error());
    }
    out->store_ = std::move(*store);
    auto config = checkpoint_config(*manifest, Hash::copy(out->runtime_->info().genesis_hash));
    config.policy.interval = 0;
    config.writer = use == Use::kMake;
    auto* runtime_ptr = out->runtime_.get();
    auto opened = Checkpointer::open(
        std::move(config), CheckpointParts{runtime_ptr->pipeline(),
                                           *out->store_,
                                           *format,
                                           [runtime_ptr, format](std::function<void()> task) {
                                               runtime_ptr->post(*format, std::move(task));
                                           },
                                           [runtime_ptr](std::function<void()> task) {
                                               runtime_ptr->loop().post(std::move(task));
                                           },
                                           {},
                                           {}});
    if (!opened) {
        return std::unexpected(opened.error());
    }
    out->checkpointer_ = std::move(*opened);
    return out;
}

template <typename T>
Result<T> OfflineCheckpoints::wait(const std::function<void(Checkpointer::Done<T>)>& begin) {
    std::optional<Result<T>> answer;
    auto& loop = runtime_->loop();
    begin([&](Result<T> result) {
        answer = std::move(result);
        loop.quit();
    });
    loop.run([&] {
        if (answer) {
            loop.quit();
        }
    });
    return std::move(*answer);
}

Result<CheckpointInfo> OfflineCheckpoints::create() {
    auto stored = store_->load();
    if (!stored) {
        return std::unexpected(stored.error());
    }
    if (!stored->committed || !stored->committed_state) {
        return fail("checkpoint.no_state", "the store has no saved consensus state", "meta");
    }
    CommittedBlock committed;
    committed.block = {stored->committed->height, stored->committed->hash};
    Result<void> loaded;
    runtime_->on_worker([&] {
        auto state = runtime_->consensus().load(*stored->committed_state);
        if (state) {
            committed.state = std::move(*state);
        } else {
            loaded = std::unexpected(state.error());
        }
    });
    if (!loaded) {
        return std::unexpected(loaded.error());
    }
    checkpointer_->on_committed(std::move(committed));
    return wait<CheckpointInfo>([&](auto done) {
        checkpointer_->create_now(checkpoint::Kind::kOnDemand, std::move(done));
    });
}

Result<std::vector<CheckpointInfo>> OfflineCheckpoints::list() {
    return wait<std::vector<CheckpointInfo>>(
        [&](auto done) { checkpointer_->list(std::move(done)); });
}

Result<CheckpointInfo> OfflineCheckpoints::verify(const std::string& which,
                                                  checkpoint::Level level) {
    return wait<CheckpointInfo>(
        [&](auto done) { checkpointer_->verify(which, level, std::move(done)); });
}

Result<RecoveryReport> OfflineCheckpoints::recover(const std::string& which, bool dry_run) {
    const auto begun = mono_now();
    auto found = wait<Recovered>([&](Checkpointer::Done<Recovered> done) {
        if (which == "latest") {
            checkpointer_->recover({}, std::move(done));
            return;
        }
        checkpointer_->list([&, done](Result<std::vector<CheckpointInfo>> list) {
            const auto id = list ? id_of(*list, which) : std::unexpected(list.error());
            if (!id) {
                done(std::unexpected(id.error()));
                return;
            }
            checkpointer_->recover({.named = *id}, done);
        });
    });
    RecoveryReport out;
    pipeline::State base;
    if (found) {
        out.from = found->info;
        out.skipped = std::move(found->skipped);
        base = std::move(found->state);
    } else if (which != "latest" || found.error().code != "checkpoint.none_usable") {
        return std::unexpected(found.error());
    } else {
        out.skipped.push_back(found.error().message);
    }
    auto plan = plan_restoration(runtime_->pipeline(), *store_, std::move(base));
    if (!plan) {
        return std::unexpected(plan.error());
    }
    out.restored = std::move(*plan);
    if (auto stored = dry_run ? Result<void>{} : store_->commit(out.restored.change); !stored) {
        return std::unexpected(stored.error());
    }
    out.took = mono_now() - begun;
    return out;
}

std::string to_json(const RecoveryReport& report) {
    namespace json = boost::json;
    const auto& restored = report.restored;
    json::object out{{"checkpoint", nullptr}, {"skipped", json::array(report.skipped.begin(), report.skipped.end())},
                     {"base_height", restored.base}, {"height", restored.head.height},
                     {"head_hash", to_hex(restored.head.hash.view())}, {"given_up", restored.given_up},
                     {"damage", nullptr},
                     {"seconds", to_seconds(report.took)}};
    if (report.from) {
        out["checkpoint"] = json::parse(to_json(*report.from));
    }
    if (restored.damage) {
        out["damage"] = restored.damage->text();
    }
    return json::serialize(out);
}

}  // namespace synod::app
