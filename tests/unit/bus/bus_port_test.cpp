// SPDX-License-Identifier: Apache-2.0
#include "core/app/bus_port.hpp"

#include <doctest/doctest.h>
#include <synod/scoring.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "core/base/codec.hpp"

using namespace synod;
using app::BusPort;

namespace {

constexpr auto kAlert = static_cast<std::uint32_t>(bus::Topic::kAlert);
constexpr auto kHealth = static_cast<std::uint32_t>(bus::Topic::kHealth);

//! What the plugin below was told, and how it shall behave.
struct Seen {
    std::vector<std::size_t> batches;
    std::vector<std::uint64_t> seqs;
    std::vector<Bytes> payloads;
    std::uint64_t mono_ns = 0;
    std::uint32_t queue = 8, overflow = SYNOD_OVERFLOW_DROP_OLDEST;
    synod_status subscribed = SYNOD_OK, again = SYNOD_OK;
    bool echo = false, throws = false;
    const synod_host* host = nullptr;
} seen;

synod_status create(const synod_host* host, synod_bytes, synod_instance** out, synod_error*) {
    seen.host = host;
    const auto topic = host->events->topic(host, {"alert/1", 7});
    seen.subscribed = host->events->subscribe(host, topic, seen.queue, seen.overflow);
    seen.again = host->events->subscribe(host, topic, seen.queue, seen.overflow);
    *out = reinterpret_cast<synod_instance*>(&seen);
    return SYNOD_OK;
}
synod_status ok(synod_instance*, synod_error*) { return SYNOD_OK; }
synod_status drain(synod_instance*, std::uint64_t, synod_error*) { return SYNOD_OK; }
void destroy(synod_instance*) {}
void on_event(synod_instance* self, const synod_event* events, std::uint32_t n) {
    auto& to = *reinterpret_cast<Seen*>(self);
    to.batches.push_back(n);
    for (std::uint32_t i = 0; i < n; ++i) {
        to.seqs.push_back(events[i].seq);
        to.payloads.emplace_back(events[i].payload.p, events[i].payload.p + events[i].payload.n);
        to.mono_ns = events[i].mono_ns;
    }
    if (to.throws) {
        throw std::runtime_error("not allowed");
    }
    if (to.echo) {
        to.echo = false;
        to.host->events->publish(to.host, kAlert, {to.payloads.back().data(), to.payloads.back().size()});
    }
}
synod_status score(synod_instance*, std::uint32_t, const std::int64_t* const*, std::uint64_t,
                   std::int64_t*, synod_error*) {
    return SYNOD_OK;
}
const synod_scoring_api kScoring{sizeof kScoring, 0, nullptr, 0, score, nullptr};
const void* query(synod_instance*, const char* id) {
    return std::string_view(id) == SYNOD_KIND_SCORING ? &kScoring : nullptr;
}
const synod_plugin_api kApi{sizeof kApi, 0,       create,  ok,      drain,    ok,   destroy,
                            nullptr,     nullptr, nullptr, on_event, query};
const char* const kNone[] = {nullptr};
const synod_descriptor kDescriptor{
    sizeof kDescriptor, 0,     0,     0,     "synod.scoring.listener", "listener", "1", "test", "Apache-2.0",
    "",                 SYNOD_KIND_SCORING, kNone, kNone, kNone, "{}", &kApi};
const synod_descriptor* const kPlugins[] = {&kDescriptor};
const synod_entry kEntry{{'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'}, sizeof kEntry, 1, 0, 0, "test", kPlugins, 1};

struct TestClock final : host::Clock {
    Instant mono() override { return Instant{77}; }
    UnixMs unix_ms() override { return 0; }
};

//! A port, an instance and a strand that runs only when told to.
struct Bench {
    bus::Bus bus;
    TestClock clock;
    std::vector<std::function<void()>> strand;
    BusPort port{bus, clock, [this](host::Instance& who, std::function<void()> task) {
                     CHECK(&who == instance);
                     strand.push_back(std::move(task));
                 }};
    std::unique_ptr<host::Registry> registry;
    host::Instance* instance = nullptr;

    explicit Bench(Seen how = {}) {
        seen = std::move(how);
        host::HostServices services;
        services.clock = &clock;
        services.events = &port;
        services.log = [](auto...) {};
        registry = std::make_unique<host::Registry>(std::move(services));
        instance = registry->add(*registry->register_static(&kEntry).value().front(), "l").value();
    }
    ~Bench() { port.close(); }
    void start() { REQUIRE(registry->start()); }
    std::size_t run() {
        std::size_t n = 0;
        while (!strand.empty()) {
            const auto task = std::move(strand.front());
            strand.erase(strand.begin());
            task();
            ++n;
        }
        return n;
    }
};

Bytes alert(std::string_view name) { return Writer().text(name).text("message").take(); }
Seen with_queue(std::uint32_t n) {
    Seen out;
    out.queue = n;
    return out;
}

}  // namespace

TEST_CASE("port.topics_are_the_catalogues") {
    Bench bench;
    CHECK(bench.port.topic("alert/1") == kAlert);
    CHECK(bench.port.topic("alert/2") == 0);
    CHECK(bench.port.topic("") == 0);
}

TEST_CASE("port.delivers_on_the_strand_and_nowhere_else") {
    Bench bench;
    bench.start();
    CHECK(seen.subscribed == SYNOD_OK);
    CHECK(seen.again == SYNOD_E_INVALID);
    CHECK(bench.bus.publish(bus::Topic::kHealth, {1}, {}));
    CHECK(bench.strand.empty());
    CHECK(bench.bus.publish(bus::Topic::kAlert, alert("a"), Instant{5}));
    CHECK(bench.bus.publish(bus::Topic::kAlert, alert("b"), Instant{6}));
    CHECK(seen.batches.empty());
    CHECK(bench.run() == 1);
    CHECK(seen.batches == std::vector<std::size_t>{2});
    CHECK(seen.seqs == std::vector<std::uint64_t>{1, 2});
    CHECK(seen.payloads == std::vector<Bytes>{alert("a"), alert("b")});
    CHECK(seen.mono_ns == 6);
}

TEST_CASE("port.large_backlogs_come_in_bounded_batches_until_nothing_is_left") {
    Bench bench(with_queue(1'000));
    bench.start();
    for (int i = 0; i < 600; ++i) {
        CHECK(bench.bus.publish(bus::Topic::kAlert, alert("a"), {}));
    }
    bench.run();
    CHECK(seen.batches == std::vector<std::size_t>{256, 256, 88});
    CHECK(seen.seqs.back() == 600);
}

TEST_CASE("port.overflow_is_the_subscribers_choice") {
    auto how = with_queue(2);
    SUBCASE("oldest") { how.overflow = SYNOD_OVERFLOW_DROP_OLDEST; }
    SUBCASE("newest") { how.overflow = SYNOD_OVERFLOW_DROP_NEWEST; }
    SUBCASE("coalesce") { how.overflow = SYNOD_OVERFLOW_COALESCE; }
    const auto policy = how.overflow;
    Bench bench(std::move(how));
    bench.start();
    for (int i = 0; i < 4; ++i) {
        CHECK(bench.bus.publish(bus::Topic::kAlert, alert("a"), {}));
    }
    bench.run();
    const std::vector<std::uint64_t> want[] = {{3, 4}, {1, 2}, {4}};
    CHECK(seen.seqs == want[policy - 1]);
}

TEST_CASE("port.what_came_before_the_instance_was_active_is_not_lost") {
    Bench bench;
    CHECK(bench.port.subscribe(*bench.instance, kHealth, 4, SYNOD_OVERFLOW_DROP_OLDEST) == SYNOD_OK);
    CHECK(bench.bus.publish(bus::Topic::kHealth, {9}, {}));
    CHECK(bench.run() == 1);
    CHECK(seen.batches.empty());
    bench.start();
    bench.port.deliver_waiting();
    bench.run();
    CHECK(seen.payloads == std::vector<Bytes>{{9}});
}

TEST_CASE("port.refuses_subscriptions_that_break_the_contract") {
    Bench bench;
    const auto ask = [&](std::uint32_t topic, std::uint32_t queue, std::uint32_t overflow) {
        return bench.port.subscribe(*bench.instance, topic, queue, overflow);
    };
    CHECK(ask(0, 1, 1) == SYNOD_E_INVALID);
    CHECK(ask(9'999, 1, 1) == SYNOD_E_INVALID);
    CHECK(ask(kHealth, 0, 1) == SYNOD_E_INVALID);
    CHECK(ask(kHealth, app::kMaxPluginQueueEvents + 1, 1) == SYNOD_E_INVALID);
    CHECK(ask(kHealth, 1, 0) == SYNOD_E_INVALID);
    CHECK(ask(kHealth, 1, 4) == SYNOD_E_INVALID);
    bench.start();
    CHECK(ask(kHealth, 1, 1) == SYNOD_E_INVALID);  // active: too late
}

TEST_CASE("port.plugins_publish_alerts_and_nothing_the_core_decides") {
    Bench bench;
    bench.start();
    auto sub = bench.bus.subscribe({bus::Topic::kAlert}, 8, bus::Overflow::kDropOldest).value();
    const auto publish = [&](std::uint32_t topic, const Bytes& payload) {
        return bench.port.publish(*bench.instance, topic, payload);
    };
    for (const auto& row : bus::kCatalogue) {
        if (row.topic != bus::Topic::kAlert) {
            CHECK(publish(static_cast<std::uint32_t>(row.topic), alert("a")) == SYNOD_E_INVALID);
        }
    }
    CHECK(publish(0, alert("a")) == SYNOD_E_INVALID);
    CHECK(publish(kAlert, {}) == SYNOD_E_INVALID);
    CHECK(publish(kAlert, alert("")) == SYNOD_E_INVALID);
    auto longer = alert("a");
    longer.push_back(0);
    CHECK(publish(kAlert, longer) == SYNOD_E_INVALID);
    CHECK(publish(kAlert, alert(std::string(app::kMaxPluginPayloadBytes, 'x'))) == SYNOD_E_INVALID);
    CHECK(sub->take().empty());
    CHECK(publish(kAlert, alert("a")) == SYNOD_OK);
    const auto got = sub->take();
    REQUIRE(got.size() == 1);
    CHECK(got[0].payload.bytes() == alert("a"));
    CHECK(got[0].at == Instant{77});
}

TEST_CASE("port.a_plugin_may_publish_what_it_listens_to") {
    Seen how;
    how.echo = true;
    Bench bench(std::move(how));
    bench.start();
    CHECK(bench.bus.publish(bus::Topic::kAlert, alert("a"), {}));
    CHECK(bench.run() == 2);
    CHECK(seen.seqs == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("port.an_exception_stays_inside_and_is_counted") {
    Seen how;
    how.throws = true;
    Bench bench(std::move(how));
    bench.start();
    CHECK(bench.bus.publish(bus::Topic::kAlert, alert("a"), {}));
    bench.run();
    CHECK(bench.instance->failures == 1);
    CHECK(bench.bus.publish(bus::Topic::kAlert, alert("b"), {}));
    bench.run();
    CHECK(seen.seqs == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("port.nothing_arrives_after_forget_even_from_queued_tasks") {
    Bench bench;
    bench.start();
    CHECK(bench.bus.publish(bus::Topic::kAlert, alert("a"), {}));
    REQUIRE(bench.strand.size() == 1);
    bench.port.forget(*bench.instance);
    CHECK(bench.bus.publish(bus::Topic::kAlert, alert("b"), {}));
    CHECK(bench.run() == 1);
    CHECK(seen.batches.empty());
}

TEST_CASE("port.close_while_others_publish_leaves_nothing_running") {
    bus::Bus bus;
    TestClock clock;
    std::mutex mutex;
    std::vector<std::function<void()>> tasks;
    auto port = std::make_unique<BusPort>(bus, clock, [&](host::Instance&, std::function<void()> task) {
        const std::scoped_lock lock(mutex);
        tasks.push_back(std::move(task));
    });
    seen = with_queue(64);
    host::HostServices services;
    services.clock = &clock;
    services.events = port.get();
    host::Registry registry(std::move(services));
    REQUIRE(registry.add(*registry.register_static(&kEntry).value().front(), "l"));
    REQUIRE(registry.start());
    std::atomic<bool> stop{false};
    std::jthread publisher([&] {
        while (!stop && bus.publish(bus::Topic::kAlert, alert("a"), {})) {
        }
    });
    std::jthread strand([&] {
        while (!stop) {
            std::vector<std::function<void()>> mine;
            {
                const std::scoped_lock lock(mutex);
                mine.swap(tasks);
            }
            for (const auto& task : mine) {
                task();
            }
        }
    });
    while (seen.host == nullptr || bus.publish(bus::Topic::kAlert, alert("b"), {}).value() < 2'000) {
    }
    port->close();
    const auto after = seen.seqs.size();  // nobody writes it any more: close waited
    CHECK(bus.publish(bus::Topic::kAlert, alert("c"), {}));
    stop = true;
    strand.join();
    publisher.join();
    CHECK(seen.seqs.size() == after);
    port.reset();
    for (const auto& task : tasks) {
        task();  // late tasks find no subscription
    }
    CHECK(seen.seqs.size() == after);
}
