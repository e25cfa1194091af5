// SPDX-License-Identifier: Apache-2.0
//! Two real networks over loopback.
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "core/net/network.hpp"

using namespace synod;
using namespace synod::net;

namespace {

struct Log : NetworkHandler {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<PeerInfo> up;
    std::vector<std::string> down;
    std::vector<SharedBytes> frames;
    std::vector<Error> failed;
    std::vector<Error> refused;

    template <typename F>
    void note(F f) {
        const std::lock_guard lock(mutex);
        f();
        changed.notify_all();
    }
    void on_peer_up(const PeerInfo& p) override {
        note([&] { up.push_back(p); });
    }
    void on_peer_down(std::uint64_t, std::string code, std::string) override {
        note([&] { down.push_back(code); });
    }
    void on_frame(std::uint64_t, SharedBytes f) override {
        note([&] { frames.push_back(f); });
    }
    void on_dial_failed(std::string, std::uint16_t, Error e) override {
        note([&] { failed.push_back(e); });
    }
    void on_inbound_refused(std::string, Error e) override {
        note([&] { refused.push_back(e); });
    }
    template <typename F>
    bool wait(F f) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(20), f);
    }
};

NetworkConfig config(std::uint8_t genesis = 1) {
    NetworkConfig out;
    out.genesis.data.fill(genesis);
    return out;
}

}  // namespace

TEST_CASE("network: 8 MiB frames both ways, then an orderly close") {
    Log a;
    Log b;
    auto na = Network::start(config(), a);
    auto nb = Network::start(config(), b);
    REQUIRE(na);
    REQUIRE(nb);
    (*na)->dial("127.0.0.1", (*nb)->port());
    REQUIRE(a.wait([&] { return a.up.size() == 1; }));
    REQUIRE(b.wait([&] { return b.up.size() == 1; }));
    const Bytes big(8u << 20, 0x5a);
    CHECK((*na)->send(a.up[0].id, big) == SendResult::queued);
    CHECK((*nb)->send(b.up[0].id, big) == SendResult::queued);
    REQUIRE(a.wait([&] { return a.frames.size() == 1; }));
    REQUIRE(b.wait([&] { return b.frames.size() == 1; }));
    CHECK(std::equal(big.begin(), big.end(), b.frames[0].view.begin(), b.frames[0].view.end()));
    CHECK((*na)->send(99, Bytes{1}) == SendResult::unknown_peer);
    (*na)->close(a.up[0].id, "test.done");
    REQUIRE(b.wait([&] { return b.down.size() == 1; }));
    REQUIRE(a.wait([&] { return a.down.size() == 1; }));
    CHECK(a.down[0] == "test.done");
}

TEST_CASE("network: a port that is taken and an address that is none are errors") {
    Log a;
    auto first = Network::start(config(), a);
    REQUIRE(first);
    auto taken = config();
    taken.listen_port = (*first)->port();
    auto second = Network::start(taken, a);
    REQUIRE(!second);
    CHECK(second.error().code == "net.listen_failed");
    CHECK(second.error().message.starts_with("cannot listen on 127.0.0.1:" + std::to_string((*first)->port())));
    auto name = config();
    name.listen_address = "localhost";
    auto third = Network::start(name, a);
    REQUIRE(!third);
    CHECK(third.error().code == "net.listen_failed");
    CHECK(third.error().message == "localhost is not a numeric address");
}

TEST_CASE("network: another genesis is refused on both sides with both hashes") {
    Log a;
    Log b;
    auto na = Network::start(config(1), a);
    auto nb = Network::start(config(2), b);
    (*na)->dial("127.0.0.1", (*nb)->port());
    REQUIRE(a.wait([&] { return a.failed.size() == 1; }));
    REQUIRE(b.wait([&] { return b.refused.size() == 1; }));
    for (const auto& error : {a.failed[0], b.refused[0]}) {
        CHECK(error.code == "net.genesis_mismatch");
        CHECK(error.message.find(to_hex(Bytes(32, 1))) != std::string::npos);
        CHECK(error.message.find(to_hex(Bytes(32, 2))) != std::string::npos);
    }
    CHECK(a.up.empty());
    CHECK(b.up.empty());
}

TEST_CASE("network: an impostor, oneself and a second link are refused") {
    Log a;
    Log b;
    auto na = Network::start(config(), a);
    auto nb = Network::start(config(), b);
    (*na)->dial("127.0.0.1", (*nb)->port(), Identity::generate().public_key());
    REQUIRE(a.wait([&] { return a.failed.size() == 1; }));
    CHECK(a.failed[0].code == "net.identity_mismatch");
    (*na)->dial("127.0.0.1", (*na)->port());
    REQUIRE(a.wait([&] { return a.failed.size() == 2; }));
    CHECK(a.failed[1].code == "net.self_connection");
    (*na)->dial("127.0.0.1", (*nb)->port());
    (*na)->dial("127.0.0.1", (*nb)->port());
    REQUIRE(a.wait([&] { return a.failed.size() == 3; }));
    CHECK(a.failed[2].code == "net.duplicate");
    CHECK(a.up.size() == 1);
}
