// SPDX-License-Identifier: Apache-2.0
//! Real and odd plugins through the registry: lifecycle, refusals, tables, the fence and a crash.
#include <doctest/doctest.h>

#include <dlfcn.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "core/host/guard.hpp"
#include "core/host/loader.hpp"
#include "tests/support/child.hpp"

using namespace synod;
using namespace synod::host;

namespace {

struct InlineExecutor final : Executor {
    synod_status post(Instance&, synod_task_fn, void*, Duration) override { return SYNOD_E_BUSY; }
    synod_status parallel(Instance&, void (*fn)(void*, std::uint32_t), void* ctx, std::uint32_t n) override {
        for (std::uint32_t i = 0; i < n; ++i) {
            fn(ctx, i);
        }
        return SYNOD_OK;
    }
    std::uint32_t workers() override { return 1; }
};

std::string odd(const std::string& name) { return std::string(HOST_PLUGINS) + name + ".so"; }

Error refusal(const std::string& file) {
    Registry registry{HostServices{}};
    auto loaded = registry.load(file);
    REQUIRE(!loaded);
    return loaded.error();
}

//! A registry with one running instance "odd" of one odd plugin.
struct Rig {
    InlineExecutor executor;
    Registry registry;
    Result<void> started;
    Instance* instance = nullptr;

    explicit Rig(const std::string& name, bool grant_executor = true) : registry(services(grant_executor)) {
        auto loaded = registry.load(odd(name));
        REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().text()));
        auto added = registry.add(*loaded->front(), "odd");
        REQUIRE(added);
        instance = *added;
        started = registry.start();
    }
    HostServices services(bool grant_executor) {
        HostServices out;
        out.executor = grant_executor ? &executor : nullptr;
        return out;
    }
    Result<synod_status> score(std::int64_t* out) {
        const std::int64_t* const* columns = nullptr;
        return call<&synod_scoring_api::score>(*instance, "score", SYNOD_NEED_BLOCKS, columns, std::uint64_t{2}, out);
    }
};

//! How many instances the odd library itself says are alive.
int alive(const std::string& name) {
    void* library = ::dlopen(odd(name).c_str(), RTLD_NOW | RTLD_NOLOAD);
    REQUIRE(library != nullptr);
    return *static_cast<int*>(::dlsym(library, "odd_alive"));
}

std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

//! What a child process says and dies of when it calls score of that odd plugin.
testing::Died crash_in(const std::string& name) {
    return testing::in_a_child([&] {
        install_crash_handler();
        Rig rig(name);
        std::int64_t out[2] = {};
        (void)rig.score(out);
    });
}

}  // namespace

TEST_CASE("every shipped plugin is created, activated, drained and destroyed") {
    InlineExecutor executor;
    HostServices services;
    services.executor = &executor;
    Registry registry(services);
    const std::string genesis = R"({"genesis":{"authorities":[
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"]}})";
    int found = 0;
    for (const std::string name : {"validation-reference", "validation-simd", "validation-batch", "scoring-weighted",
                                   "optimizer-aimd", "checkpoint-binary", "consensus-federation"}) {
        const std::string file = SYNOD_BINARY_DIR "/plugins/synod-" + name + ".so";
        if (!std::filesystem::exists(file)) {
            MESSAGE("not built: " << name);
            continue;
        }
        ++found;
        auto loaded = registry.load(file);
        REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().text()));
        std::string id = "synod." + name;
        id[id.find('-')] = '.';
        CHECK(loaded->front()->id == id);
        CHECK(registry.add(*loaded->front(), name, name == "consensus-federation" ? genesis : "{}"));
    }
    CHECK(found > 0);
    auto started = registry.start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().text()));
    for (const auto& one : registry.instances()) {
        CHECK(one->state() == State::kActive);
        CHECK(one->handle() != nullptr);
        CHECK(registry.of_kind(one->plugin().kind) != nullptr);
    }
    registry.stop(Duration::zero());
    for (const auto& one : registry.instances()) {
        CHECK(one->state() == State::kDestroyed);
        CHECK(one->failures == 0);
    }
}

TEST_CASE("a half-written library is refused at every 64 bytes") {
    const auto whole = bytes_of(odd("good"));
    REQUIRE(whole.size() > 4096);
    const auto file = std::filesystem::temp_directory_path() / ("synod-cut-" + std::to_string(::getpid()) + ".so");
    for (std::size_t size = 0; size < whole.size(); size += 64) {
        std::ofstream(file, std::ios::binary | std::ios::trunc).write(whole.data(), static_cast<std::streamsize>(size));
        auto checked = precheck_library(file);
        CAPTURE(size);
        REQUIRE(!checked);
        const bool by_name = checked.error().code == (size < 4 ? "plugin.not_a_library" : "plugin.truncated");
        REQUIRE_MESSAGE(by_name, checked.error().text());
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc).write(whole.data(), static_cast<std::streamsize>(whole.size()));
    CHECK(precheck_library(file));
    std::filesystem::remove(file);
}

TEST_CASE("each refusal has the path, both versions and what to do") {
    CHECK(refusal(odd("no_entry")).code == "plugin.no_entry");
    CHECK(refusal(SYNOD_SOURCE_DIR "/CMakeLists.txt").code == "plugin.not_a_library");
    CHECK(refusal(odd("bad_kind")).text().find("synod.weather/1") != std::string::npos);
    const auto says = [](const std::string& name, const char* plugins, const char* todo) {
        const auto error = refusal(odd(name));
        CHECK(error.code == "plugin.abi");
        CHECK(error.where == odd(name));
        CHECK_MESSAGE(error.message.find(plugins) != std::string::npos, error.text());
        CHECK_MESSAGE(error.hint.find(todo) != std::string::npos, error.text());
        return error.message;
    };
    const auto version = [](unsigned minor) { return "1." + std::to_string(minor); };
    const auto ours = version(SYNOD_ABI_MINOR);
    const auto needed = "needs ABI " + version(SYNOD_ABI_MINOR + 3);
    says("wrong_magic", "SYNODPLG", "rebuild");
    CHECK(says("older_major", "ABI major 0, which is older", "build the plugin again").ends_with(ours));
    CHECK(says("newer_major", "ABI major 2, which is newer", "update the node").ends_with(ours));
    CHECK(says("newer_minor", needed.c_str(), "update the node").ends_with(ours));
}

TEST_CASE("a larger table is read as far as it is known, a shorter one answers for the rest") {
    std::int64_t out[2] = {};
    Rig large("large");
    REQUIRE(large.started);
    CHECK(large.score(out));
    CHECK(out[1] == 7);
    CHECK(large.instance->table<synod_scoring_api>()->size == sizeof(synod_scoring_api));
    Rig shorter("short");
    REQUIRE(shorter.started);
    CHECK(!shorter.instance->has(offsetof(synod_scoring_api, score)));
    CHECK(shorter.score(out).error().code == "plugin.unsupported");
    Rig tiny("tiny");
    REQUIRE(!tiny.started);
    CHECK(tiny.started.error().code == "plugin.bad_descriptor");
    CHECK(alive("tiny") == 0);
}

TEST_CASE("a create that throws or fails late leaves nothing behind") {
    Rig throwing("throwing");
    REQUIRE(!throwing.started);
    CHECK(throwing.started.error().code == "plugin.threw");
    CHECK(throwing.started.error().where == "odd");
    CHECK(throwing.instance->state() == State::kFailed);
    Rig failed("failed_create");
    REQUIRE(!failed.started);
    CHECK(failed.started.error().code == "plugin.config");
    CHECK(alive("failed_create") == 0);
    Rig late("late_failure");
    REQUIRE(!late.started);
    CHECK(late.started.error().code == "plugin.no_memory");
    CHECK(late.instance->handle() == nullptr);
    CHECK(alive("late_failure") == 0);
    CHECK(late.instance->state() == State::kFailed);
}

TEST_CASE("a plugin that may fail is left out, and the others go on") {
    for (const auto& [name, code] : {std::pair{"throwing", "plugin.threw"}, std::pair{"failed_create", "plugin.config"},
                                     std::pair{"late_failure", "plugin.no_memory"},
                                     std::pair{"needs_service", "plugin.missing_service"}}) {
        CAPTURE(name);
        Registry registry{HostServices{}};
        auto* broken = registry.add(*registry.load(odd(name)).value().front(), "broken", "{}", {false}).value();
        CHECK(registry.of_kind(SYNOD_KIND_SCORING) == broken);
        REQUIRE(registry.start());
        CHECK(broken->state() == State::kFailed);
        REQUIRE(broken->why_failed());
        CHECK(broken->why_failed()->code == code);
        CHECK(broken->handle() == nullptr);
        CHECK(registry.of_kind(SYNOD_KIND_SCORING) == nullptr);
        CHECK((name == std::string("throwing") || alive(name) == 0));
        registry.stop(Duration::zero());
        CHECK(broken->state() == State::kFailed);
    }
    Registry registry{HostServices{}};
    registry.add(*registry.load(odd("failed_create")).value().front(), "broken", "{}", {false}).value();
    auto* good = registry.add(*registry.find_plugin("test.odd"), "needed", "{}").value();
    CHECK(!registry.start());
    CHECK(good->state() == State::kFailed);
}

TEST_CASE("a call in the wrong state, thread or kind is refused and says so") {
    std::int64_t out[2] = {};
    Rig rig("good");
    REQUIRE(rig.started);
    thread_role = Role::kMain;
    CHECK(rig.score(out).error().code == "plugin.wrong_thread");
    thread_role = Role::kUnset;
    CHECK(rig.score(out));
    const auto wrong = call<&synod_optimizer_api::feedback>(*rig.instance, "feedback", std::int64_t{}, std::int64_t{},
                                                            std::uint32_t{});
    CHECK(wrong.error().code == "plugin.wrong_kind");
    rig.registry.stop(Duration::zero());
    CHECK(alive("good") == 0);
    const auto late = rig.score(out).error();
    CHECK(late.code == "plugin.wrong_state");
    CHECK(late.message == "score needs the state active, the plugin is destroyed");
    CHECK(late.where == "odd");
}

TEST_CASE("a plugin runs only with the services that it requires") {
    Rig without("needs_service", false);
    REQUIRE(!without.started);
    CHECK(without.started.error().code == "plugin.missing_service");
    CHECK(without.started.error().message.find("synod.exec/1") != std::string::npos);
    CHECK(Rig("needs_service", true).started);
}

TEST_CASE("scratch blocks of one call are distinct, bounded and freed at its end") {
    Rig rig("scratch");
    REQUIRE(rig.started);
    std::int64_t out[2] = {};
    for (int i = 0; i < 2000; ++i) {
        auto scored = rig.score(out);
        REQUIRE_MESSAGE(scored, (scored ? "" : scored.error().text()));
    }
    CHECK(scratch_blocks.held.empty());
}

TEST_CASE("a plugin's configuration is checked against its own schema") {
    Registry registry{HostServices{}};
    auto loaded = registry.load(odd("good"));
    REQUIRE(loaded);
    const auto unknown = registry.add(*loaded->front(), "a", R"({"dept":3})").error();
    CHECK(unknown.code == "config.unknown_key");
    CHECK(unknown.message.find("did you mean `depth`?") != std::string::npos);
    CHECK(registry.add(*loaded->front(), "a", R"({"depth":10})").error().code == "config.range");
    CHECK(registry.add(*loaded->front(), "a", R"({"depth":9})"));
    CHECK(registry.add(*loaded->front(), "a", "{}").error().code == "plugin.duplicate_alias");
    CHECK(registry.load(odd("good")).error().code == "plugin.duplicate_id");
}

TEST_CASE("a crash names the plugin and the function, even on an overflowing stack") {
    for (const char* name : {"crashing", "overflowing"}) {
        const auto died = crash_in(name);
        CHECK(died.signal == SIGSEGV);
        CHECK_MESSAGE(died.said.find("crashed in plugin odd, call score, batch 0") != std::string::npos, died.said);
    }
}
