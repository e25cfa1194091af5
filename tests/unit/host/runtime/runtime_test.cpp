// SPDX-License-Identifier: Apache-2.0
//! A Runtime as the program starts it, with real libraries: events through the ABI, plugins that may
//! fail, budgets, metrics, and tasks of plugins.
#include "core/app/runtime.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <sstream>

#include "core/app/status_metrics.hpp"
#include "core/base/codec.hpp"

using namespace synod;
using app::Runtime;

namespace {

constexpr std::chrono::seconds kPatience{20};

struct Folder {
    std::filesystem::path path;
    Folder() {
        auto name = (std::filesystem::temp_directory_path() / "synod-runtime-XXXXXX").string();
        path = ::mkdtemp(name.data());
        std::ofstream(path / "genesis.yaml")
            << "name: test\nauthorities:\n  - \"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\"\n";
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

bool built() {
    const bool yes = std::filesystem::exists(SYNOD_BINARY_DIR "/plugins/synod-consensus-federation.so") &&
                     std::filesystem::exists(SYNOD_BINARY_DIR "/plugins/synod-validation-reference.so");
    if (!yes) {
        MESSAGE("skipped: the plugins aren't built");
    }
    return yes;
}

//! Starts with these lines under `plugins`, beside consensus and validation. Scoring, checkpoint and
//! optimizer are test.* unless named; what isn't there may fail.
Result<std::unique_ptr<Runtime>> start(const Folder& folder, const std::string& scoring) {
    const std::string gone = "{use: ./gone.so, on_failure: continue}";
    const std::string text = "node: {name: t, data_dir: ., genesis: genesis.yaml}\nplugin_dir: " SYNOD_BINARY_DIR
                             "/plugins\nperformance: {validation_workers: 2}\nplugins:\n  consensus: federation\n"
                             "  validation: reference\n  checkpoint: " + gone + "\n  optimizer: " + gone +
                             "\n  scoring: " + scoring + "\n";
    auto manifest = host::parse_manifest(text, folder.path / "node.yaml");
    REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().message));
    auto out = Runtime::start(*manifest);
    host::thread_role = host::Role::kUnset;
    return out;
}

std::string listener(const std::string& more = "") { return "{use: " HOST_PLUGINS "listener.so, as: ears" + more + "}"; }

//! The alerts that come from now on.
struct Alerts {
    std::mutex mutex;
    std::condition_variable some;
    bool woken = false;
    std::unique_ptr<bus::Subscription> subscription;

    explicit Alerts(bus::Bus& bus) {
        subscription = bus.subscribe({bus::Topic::kAlert}, 8, bus::Overflow::kDropOldest, [this] {
                              const std::scoped_lock lock(mutex);
                              woken = true;
                              some.notify_all();
                          }).value();
    }
    std::optional<bus::Event> next() {
        std::unique_lock lock(mutex);
        if (!some.wait_for(lock, kPatience, [&] { return woken; })) {
            return std::nullopt;
        }
        woken = false;
        return subscription->take(1).at(0);
    }
};

//! The program's log, as long as it lives.
struct LogTo {
    std::ostringstream text;
    std::shared_ptr<spdlog::logger> old = spdlog::default_logger();
    LogTo() {
        spdlog::set_default_logger(
            std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
    }
    ~LogTo() { spdlog::set_default_logger(old); }
};

Bytes head(std::uint64_t height) { return Writer().put(height).fixed(Hash{}).put(height).take(); }

}  // namespace

TEST_CASE("a plugin hears of a new head and publishes, through the ABI") {
    if (!built()) {
        return;
    }
    const Folder folder;
    auto runtime = start(folder, listener());
    REQUIRE_MESSAGE(runtime, (runtime ? "" : runtime.error().text()));
    Alerts alerts((*runtime)->bus());
    for (const std::uint64_t height : {41, 42}) {
        REQUIRE((*runtime)->bus().publish(bus::Topic::kHeadChanged, head(height), Instant{1}));
        const auto heard = alerts.next();
        REQUIRE(heard);
        Reader in(heard->payload.view());
        CHECK(in.text(64) == "heard");
        CHECK(in.text(64) == std::string("\x29\0\0\0\0\0\0\0", 8).replace(0, 1, 1, static_cast<char>(height)));
        CHECK(in.done());
    }
    CHECK((*runtime)->bus().publish(bus::Topic::kHealth, {}, Instant{1}));  // not subscribed: not delivered
    const auto text = (*runtime)->metric_page().text();
    for (const char* line : {"synod_listener_heads_total{plugin=\"ears\"} 2\n",
                             "synod_listener_height_blocks{plugin=\"ears\"} 42\n",
                             "synod_plugin_active{plugin=\"ears\",kind=\"scoring\"} 1\n",
                             "synod_plugin_failures_total{plugin=\"ears\",kind=\"scoring\"} 0\n",
                             "synod_plugin_active{plugin=\"consensus\",kind=\"consensus\"} 1\n"}) {
        CHECK_MESSAGE(text.find(line) != std::string::npos, line, " is not in ", text);
    }
    CHECK(text.find("listener-heads") == std::string::npos);
}

TEST_CASE("a plugin that may fail is left out with a line in the log; one that must not ends the start") {
    if (!built()) {
        return;
    }
    LogTo said;
    const Folder folder;
    for (const std::string fail : {"create", "activate"}) {
        said.text.str("");
        const auto config = ", config: {fail: " + fail + "}";
        auto without = start(folder, listener(config + ", on_failure: continue"));
        REQUIRE_MESSAGE(without, (without ? "" : without.error().text()));
        CHECK((*without)->registry().of_kind(SYNOD_KIND_SCORING) == nullptr);
        CHECK((*without)->registry().of_kind(SYNOD_KIND_OPTIMIZER) == nullptr);
        CHECK((*without)->registry().of_kind(SYNOD_KIND_CONSENSUS) != nullptr);
        CHECK_MESSAGE(said.text.str().find("going on without the plugin ears: told to fail") != std::string::npos, said.text.str());
        CHECK_MESSAGE(said.text.str().find("going on without the plugin optimizer: ") != std::string::npos, said.text.str());
        // Each is told of, on the bus and in the list that the status shows.
        std::vector<std::string> told;
        for (const auto& event : (*without)->journal().events()) {
            if (event.topic == bus::Topic::kPluginFault) {
                Reader in(event.payload.view());
                const auto alias = in.text(64);
                told.push_back(alias + " " + in.text(64));
                CHECK_FALSE(in.text(4096).empty());
                CHECK(in.done());
            }
        }
        CHECK(told == std::vector<std::string>{"checkpoint load", "optimizer load", "ears start"});
        const auto faults = (*without)->faults().list();
        REQUIRE(faults.size() == 3);
        CHECK(faults[2].alias == "ears");
        CHECK(faults[2].reason.starts_with("told to fail"));
        // Nobody is left to hear it, and nothing may try.
        CHECK((*without)->bus().publish(bus::Topic::kHeadChanged, head(1), Instant{1}));
        auto stopped = start(folder, listener(config));
        REQUIRE(!stopped);
        CHECK(stopped.error().where == "ears");
        CHECK(stopped.error().message.starts_with("told to fail"));
    }
    const auto typo = start(folder, listener(", config: {fial: 1}, on_failure: continue"));
    REQUIRE(!typo);
    CHECK(typo.error().code.starts_with("config."));
}

TEST_CASE("the manifest's budget reaches the instance") {
    if (!built()) {
        return;
    }
    const Folder folder;
    auto runtime = start(folder, listener(", budget: 5ms"));
    REQUIRE(runtime);
    CHECK((*runtime)->registry().find("ears")->budget() == std::chrono::milliseconds(5));
    CHECK((*runtime)->registry().find("validation")->budget() == Duration::zero());
}

TEST_CASE("work posted for an instance runs as its worker; states and tasks that are left don't hurt") {
    if (!built()) {
        return;
    }
    const Folder folder;
    auto runtime = start(folder, listener());
    REQUIRE(runtime);
    auto& ears = *(*runtime)->registry().find("ears");
    std::promise<host::Role> role;
    (*runtime)->post(ears, [&] { role.set_value(host::thread_role); });
    CHECK(role.get_future().get() == host::Role::kWorker);

    pipeline::State state;
    (*runtime)->on_worker([&] { state = (*runtime)->consensus().genesis().value().state; });
    (*runtime)->loop().post([state] { CHECK(false); });  // never runs, but holds a state
    state.reset();
    auto& chain = *(*runtime)->registry().find("consensus");
    CHECK(chain.failures == 0);
    (*runtime).reset();
}

TEST_CASE("a node's status is on the page under its names") {
    app::NodeStatus status;
    status.sync.state = sync::State::synced;
    status.sync.head.height = 90;
    status.sync.percentage_total = 45;
    status.sync.blocks_per_s = 12.5;
    status.final_height = 60;
    status.health.score = 0.75;
    status.peers.resize(3);
    status.peers[1].connected = true;
    host::MetricPage page;
    app::status_metrics(status, page);
    CHECK(page.text().find("synod_sync_target_height") == std::string::npos);
    status.sync.target = 200;
    status.sync.gate.open = true;
    host::MetricPage second;
    app::status_metrics(status, second);
    for (const char* line : {"\nsynod_sync_state 5\n", "\nsynod_sync_current_height 90\n",
                             "\nsynod_sync_target_height 200\n", "\nsynod_sync_percentage_ratio 0.45\n",
                             "\nsynod_sync_blocks_per_second 12.5\n", "\nsynod_sync_gate_open 1\n",
                             "\nsynod_peers_connected 1\n", "\nsynod_sync_final_height 60\n",
                             "\nsynod_health_ratio 0.75\n"}) {
        CHECK_MESSAGE(second.text().find(line) != std::string::npos, line);
    }
    CHECK(second.text().find(" 5 " + std::string(sync::name(sync::State::synced))) != std::string::npos);
}
