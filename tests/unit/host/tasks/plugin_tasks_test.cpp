// SPDX-License-Identifier: Apache-2.0
//! What a plugin posts and fans out: bounded, fenced, never twice at once, never after its drain.
#include "core/app/plugin_tasks.hpp"

#include <doctest/doctest.h>
#include <synod/scoring.h>

#include <csignal>
#include <future>
#include <stdexcept>

#include "tests/support/child.hpp"

using namespace synod;
using app::PluginTasks;

namespace {

const synod_host* given = nullptr;
std::atomic<int> ran{0};
std::atomic<bool> posted_in_drain{false};

void count(void*) { ++ran; }
void throws(void*) { throw std::runtime_error("not allowed"); }

synod_status create(const synod_host* host, synod_bytes, synod_instance** out, synod_error*) {
    given = host;
    *out = reinterpret_cast<synod_instance*>(&ran);
    return SYNOD_OK;
}
synod_status ok(synod_instance*, synod_error*) { return SYNOD_OK; }
synod_status drain(synod_instance*, std::uint64_t, synod_error*) {
    posted_in_drain = given->exec->post(given, count, nullptr, 0) == SYNOD_OK;
    return SYNOD_OK;
}
std::atomic<int> ran_at_destroy{0};
void destroy(synod_instance*) { ran_at_destroy = ran.load(); }
const synod_scoring_api kScoring{sizeof kScoring, 0, nullptr, 0, nullptr, nullptr};
const void* query(synod_instance*, const char*) { return &kScoring; }
const synod_plugin_api kApi{sizeof kApi, 0,       create,  ok,      drain,   ok,   destroy,
                            nullptr,     nullptr, nullptr, nullptr, query};
const char* const kNone[] = {nullptr};
const synod_descriptor kDescriptor{sizeof kDescriptor, 0, 0, 0, "test.tasks", "tasks", "1", "", "", "",
                                   SYNOD_KIND_SCORING, kNone, kNone, kNone, "{}", &kApi};
const synod_descriptor* const kPlugins[] = {&kDescriptor};
const synod_entry kEntry{{'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'}, sizeof kEntry, 1, 0, 0, "test", kPlugins, 1};

struct Bench {
    pipeline::WorkerPool pool{2, host::become_worker};
    std::vector<std::pair<Duration, std::function<void()>>> delayed;
    PluginTasks tasks{pool, [this](Duration after, std::function<void()> task) {
                          delayed.emplace_back(after, std::move(task));
                      }};
    host::Registry registry{services()};
    host::Instance* who = nullptr;

    Bench() {
        ran = 0;
        who = registry.add(*registry.register_static(&kEntry).value().front(), "busy").value();
        REQUIRE(registry.start());
    }
    host::HostServices services() {
        host::HostServices out;
        out.executor = &tasks;
        return out;
    }
    synod_status post(synod_task_fn fn, std::uint64_t delay = 0) { return given->exec->post(given, fn, nullptr, delay); }
};

//! Keeps the strand busy until it goes.
struct Stopper {
    std::promise<void> go;
    explicit Stopper(Bench& bench) {
        bench.tasks.strand(*bench.who)->post([until = go.get_future().share()] { until.wait(); });
    }
    ~Stopper() { go.set_value(); }
};

}  // namespace

TEST_CASE("tasks run on the instance's strand, are bounded, and an exception ends in one") {
    Bench bench;
    {
        const Stopper stop(bench);
        for (std::uint32_t i = 0; i < app::kMaxPluginTasks; ++i) {
            REQUIRE(bench.post(i == 0 ? throws : count) == SYNOD_OK);
        }
        CHECK(bench.post(count) == SYNOD_E_BUSY);
        CHECK(bench.post(count, 5) == SYNOD_E_BUSY);
        CHECK(bench.post(nullptr) == SYNOD_E_INVALID);
        CHECK(ran == 0);
    }
    bench.tasks.settle(*bench.who);
    CHECK(ran == static_cast<int>(app::kMaxPluginTasks) - 1);
    CHECK(bench.who->failures == 1);
    CHECK(bench.post(count) == SYNOD_OK);
}

TEST_CASE("a delayed task waits for its time and is refused once the loop is gone") {
    Bench bench;
    CHECK(bench.post(count, 5) == SYNOD_OK);
    bench.tasks.settle(*bench.who);
    CHECK(ran == 0);
    REQUIRE(bench.delayed.size() == 1);
    CHECK(bench.delayed[0].first == Duration(5));
    bench.delayed[0].second();
    bench.tasks.settle(*bench.who);
    CHECK(ran == 1);
    bench.tasks.no_more_delays();
    CHECK(bench.post(count, 5) == SYNOD_E_CANCELLED);
    CHECK(bench.post(count) == SYNOD_OK);
}

TEST_CASE("no task runs after the drain") {
    Bench bench;
    CHECK(bench.post(count, 5) == SYNOD_OK);
    std::thread stopper;
    {
        const Stopper stop(bench);
        REQUIRE(bench.post(count) == SYNOD_OK);
        stopper = std::thread([&] { bench.registry.stop(Duration::zero()); });
        while (bench.who->takes_tasks()) {
            std::this_thread::yield();
        }
        CHECK(posted_in_drain);
        CHECK(bench.who->state() == host::State::kActive);  // waits for the strand
    }
    stopper.join();
    CHECK(bench.who->state() == host::State::kDestroyed);
    CHECK(ran == 0);
    CHECK(bench.post(count) == SYNOD_E_CANCELLED);
    bench.delayed[0].second();
    bench.tasks.settle(*bench.who);
    CHECK(ran == 0);
}

TEST_CASE("a fan-out runs every part, and an exception in one is its failure") {
    Bench bench;
    std::atomic<int> parts{0};
    const auto add = [](void* to, std::uint32_t) { ++*static_cast<std::atomic<int>*>(to); };
    CHECK(given->exec->parallel(given, add, &parts, 100) == SYNOD_OK);
    CHECK(parts == 100);
    const auto bad = [](void* to, std::uint32_t i) {
        ++*static_cast<std::atomic<int>*>(to);
        if (i == 7) {
            throw 1;
        }
    };
    CHECK(given->exec->parallel(given, bad, &parts, 100) == SYNOD_E_INTERNAL);
    CHECK(parts == 200);
    CHECK(bench.who->failures == 1);
    CHECK(given->exec->parallel(given, nullptr, nullptr, 1) == SYNOD_E_INVALID);
    CHECK(given->exec->workers(given) == 2);
}

TEST_CASE("shared instances run on one strand") {
    Bench bench;
    auto* other = bench.registry.add(bench.who->plugin(), "other").value();
    bench.tasks.share(*bench.who, *other);
    CHECK(bench.tasks.strand(*other) == bench.tasks.strand(*bench.who));
}

TEST_CASE("a crash in a part of a call that fans out names the call") {
    const auto [signal, said] = testing::in_a_child([] {
        host::install_crash_handler();
        Bench bench;
        // Whichever thread takes the part: the caller waits in the first until another crashed.
        const auto crash = [](void*, std::uint32_t) {
            static std::atomic<int> in{0};
            if (++in == 1) {
                while (in < 2) {
                    std::this_thread::yield();
                }
            }
            *reinterpret_cast<volatile int*>(8) = 1;
        };
        (void)host::guarded(*bench.who, host::Terms{"validate"}, 12, [&](synod_error*) {
            return given->exec->parallel(given, crash, nullptr, 3);
        });
    });
    CHECK(signal == SIGSEGV);
    CHECK_MESSAGE(said.find("crashed in plugin busy, call validate, batch 12") != std::string::npos, said);
    CHECK_MESSAGE(said.find("outside any plugin") == std::string::npos, said);
}
