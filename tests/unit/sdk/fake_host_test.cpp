// SPDX-License-Identifier: Apache-2.0
#include <synod/plugin.hpp>
#include <synod/testing.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace synod::testing;

namespace {
std::string hex(const synod::Digest32& d) {
    std::string out;
    for (const uint8_t b : d) {
        constexpr char kDigits[] = "0123456789abcdef";
        out += kDigits[b >> 4];
        out += kDigits[b & 15];
    }
    return out;
}
std::span<const uint8_t> bytes(std::string_view s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

struct Trace {
    FakeHost* host;
    std::vector<uint64_t> times;
};
} // namespace

TEST_CASE("SHA-256 gives FIPS 180-4's examples") {
    CHECK(hex(synod::sha256(bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hex(synod::sha256(bytes(""))) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex(synod::sha256(bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(hex(synod::sha256d(bytes("hello"))) == "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50");
}

TEST_CASE("tasks run in order of time and only when the test says so") {
    FakeHost host;
    Trace trace{&host, {}};
    const auto fn = [](void* ctx) {
        auto& t = *static_cast<Trace*>(ctx);
        t.times.push_back(t.host->now_ns);
    };
    const uint64_t start = host.now_ns;
    const synod::Host view(host.raw());
    view.post(fn, &trace, 300);
    view.post(fn, &trace, 100);
    view.post(fn, &trace);
    CHECK(trace.times.empty());
    CHECK(host.run_due() == 1);
    host.advance(200);
    CHECK(trace.times == std::vector<uint64_t>{start, start + 100});
    CHECK(host.now_ns == start + 200);
    CHECK(host.tasks_waiting() == 1);
    host.advance(100);
    CHECK(trace.times.back() == start + 300);
    CHECK(view.mono_ns() == start + 300);
}

TEST_CASE("equal seeds give equal random bytes, other seeds others") {
    FakeHost a(7), b(7), c(8);
    const uint64_t first = synod::Host(a.raw()).random_u64();
    CHECK(first == synod::Host(b.raw()).random_u64());
    CHECK(first != synod::Host(c.raw()).random_u64());
    CHECK(first != synod::Host(a.raw()).random_u64());
}

TEST_CASE("what plugins report is recorded") {
    FakeHost host;
    const synod::Host view(host.raw());
    const uint64_t metric = view.metric("x_total", SYNOD_METRIC_COUNTER, "", "help");
    view.metric_add(metric, 2);
    view.metric_add(metric, 3);
    REQUIRE(host.metric("x_total") != nullptr);
    CHECK(host.metric("x_total")->value == 5);
    const uint32_t topic = host.add_topic("peer.banned/1");
    CHECK(view.topic("peer.banned/1") == topic);
    CHECK_THROWS_AS(view.topic("peer.banned/2"), synod::Failure);
    view.subscribe(topic, 8, SYNOD_OVERFLOW_DROP_OLDEST);
    view.publish(topic, bytes("payload"));
    CHECK(host.subscriptions.at(0).queue_len == 8);
    CHECK(host.published.at(0).payload.size() == 7);
    view.complete(42, SYNOD_OK);
    CHECK(host.completions[42] == std::vector<synod_status>{SYNOD_OK});
    view.log().info("line", {{"k", "v"}});
    CHECK(host.lines.at(0).fields.at(0).first == "k");
    CHECK(reinterpret_cast<uintptr_t>(view.scratch(100)) % 64 == 0);
}

TEST_CASE("a withheld service is named, silent or replaced") {
    FakeHost host;
    host.table().clock = nullptr;
    host.table().log = nullptr;
    host.table().metrics = nullptr;
    host.table().hash = nullptr;
    host.table().exec = nullptr;
    const synod::Host view(host.raw());
    try {
        view.mono_ns();
        FAIL("a clock from nowhere");
    } catch (const synod::Failure& f) {
        CHECK(f.status() == SYNOD_E_UNSUPPORTED);
        CHECK(f.message().find("clock") != std::string::npos);
    }
    view.log().error("nobody hears this");
    CHECK(host.lines.empty());
    CHECK(view.metric("x", SYNOD_METRIC_GAUGE, "", "") == 0);
    view.metric_add(0, 1);
    CHECK(view.sha256d(bytes("hello")) == synod::sha256d(bytes("hello")));
    int calls = 0;
    view.parallel(3, [&](uint32_t) { ++calls; });
    CHECK(calls == 3);
}
