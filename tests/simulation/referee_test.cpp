// SPDX-License-Identifier: Apache-2.0
//! The referee sees what it is there for.
#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include "core/sim/simulation.hpp"

namespace synod::sim::test {

namespace {

struct Scene {
    Workshop workshop;
    Workshop::Tools* tools = nullptr;
    Events events;
    Trace trace;
    std::unique_ptr<Network> network;
    std::unique_ptr<Referee> referee;
    std::unique_ptr<Host> one, other;

    Scene() {
        spdlog::set_level(spdlog::level::off);
        Scenario scenario;
        scenario.blocks = 12;
        auto made = workshop.tools(scenario);
        REQUIRE_MESSAGE(made, (made ? "" : made.error().text()));
        tools = *made;
        network = std::make_unique<Network>(events, Random(1), trace);
        referee = std::make_unique<Referee>(events, *tools->check);
        one = host(0, "one");
        other = host(1, "other");
    }
    std::unique_ptr<Host> host(HostId id, const char* name) {
        HostPlan plan;
        plan.id = id;
        plan.name = name;
        plan.key = tools->foundation->authorities[id];
        plan.authority = plan.has_chain = true;
        plan.checkpoint_every = 0;
        plan.peers.push_back({address_of(1 - id), kPort, std::nullopt});
        auto out = std::make_unique<Host>(events, *network, *tools->foundation, plan, HostWatch{});
        referee->add(*out, true);
        const auto booted = out->boot();
        REQUIRE_MESSAGE(booted, (booted ? "" : booted.error().text()));
        return out;
    }
    [[nodiscard]] std::string broken() const {
        return referee->violations().empty() ? "" : referee->violations().front().rule;
    }
};

synod_sign_request request(std::uint32_t purpose, std::uint64_t slot, std::uint8_t first) {
    synod_sign_request out{};
    out.purpose = purpose;
    out.slot = slot;
    out.message[0] = first;
    out.message_length = 33;
    return out;
}

}  // namespace

TEST_CASE("referee: a second signature of one authority for one slot") {
    Scene scene;
    scene.referee->signed_by(0, request(SYNOD_SIGN_PROPOSE, 7, 1));
    scene.referee->signed_by(0, request(SYNOD_SIGN_APPROVE, 7, 2));
    scene.referee->signed_by(1, request(SYNOD_SIGN_PROPOSE, 7, 3));
    scene.referee->signed_by(0, request(SYNOD_SIGN_PROPOSE, 8, 4));
    CHECK(scene.broken().empty());
    scene.referee->signed_by(0, request(SYNOD_SIGN_APPROVE, 7, 5));
    CHECK(scene.broken() == "double_sign");
}

TEST_CASE("referee: a ban of an honest peer, and of a hostile one") {
    Scene scene;
    Host* one = scene.one.get();
    scene.referee->add(*scene.other, false);
    scene.referee->banned(*one, scene.other->plan().key->public_key(), "invalid_block");
    CHECK(scene.broken().empty());
    CHECK(scene.referee->bans().front().right);
    scene.referee->banned(*scene.one, scene.one->plan().key->public_key(), "invalid_block");
    CHECK(scene.broken() == "false_ban");
}

TEST_CASE("referee: what is held against an honest peer, and against a hostile one") {
    Scene scene;
    scene.referee->add(*scene.other, false);
    scene.referee->charged(*scene.one, scene.other->plan().key->public_key(), "flooding");
    CHECK(scene.broken().empty());
    scene.referee->charged(*scene.one, scene.one->plan().key->public_key(), "flooding");
    CHECK(scene.broken() == "false_charge");
}

TEST_CASE("lane: held it runs nothing, let go what is due in its order") {
    Events events;
    const auto lane = Lane::make(events);
    std::string ran;
    lane->post(std::chrono::seconds(1), [&] { ran += 'a'; });
    lane->post(std::chrono::seconds(2), [&] { ran += 'b'; });
    lane->later(std::chrono::milliseconds(1'500), [&] { ran += 't'; });
    lane->post(std::chrono::seconds(9), [&] { ran += 'c'; });
    const auto until = [&](std::chrono::seconds when) {
        while (events.step(Instant(when))) {
        }
    };
    lane->hold(true);
    until(std::chrono::seconds(5));
    CHECK(ran.empty());
    lane->hold(false);
    until(std::chrono::seconds(6));
    CHECK(ran == "atb");
    until(std::chrono::seconds(10));
    CHECK(ran == "atbc");
}

TEST_CASE("host: one that stands still does nothing, and then everything that was due") {
    Scene scene;
    const auto until = [&](std::chrono::seconds when) {
        while (scene.events.now() < Instant(when)) {
            scene.events.step(Instant(when));
        }
    };
    until(std::chrono::seconds(2));
    const auto before = scene.network->figures().frames;
    scene.one->pause(true);
    scene.other->pause(true);
    until(std::chrono::seconds(8));
    CHECK(scene.network->figures().frames <= before + 8);  // what was on its way
    const auto still = scene.network->figures().frames;
    scene.one->pause(false);
    scene.other->pause(false);
    until(std::chrono::seconds(12));
    CHECK(scene.network->figures().frames > still + 8);
}

TEST_CASE("referee: what is stored agrees, verifies, and is the same bytes") {
    Scene scene;
    const auto final = scene.tools->check->forged_final();
    REQUIRE(final >= 2);
    scene.referee->committed(*scene.one, 1, final);
    scene.referee->audit(*scene.other);
    CHECK(scene.broken().empty());

    auto rotten = scene.tools->foundation->blocks[final + 1];
    CHECK_FALSE(scene.tools->check->next(SharedBytes(rotten)));  // as it was forged it verifies
    scene.tools->check->begin();
    rotten[rotten.size() - 1] ^= 1;
    CHECK(scene.tools->check->next(SharedBytes(rotten)));
    // A store that holds something else at a height.
    store::Commit rewind;
    rewind.truncate_from = final;
    store::BlockRun run{final, SharedBytes(rotten), {static_cast<std::uint32_t>(rotten.size())}, {Hash{}}};
    rewind.runs.push_back(run);
    const auto written = scene.other->store()->commit(rewind);
    REQUIRE_MESSAGE(written, (written ? "" : written.error().text()));
    scene.referee->committed(*scene.other, final, final);
    CHECK(scene.broken() == "agreement");
}

TEST_CASE("host: a kill loses nothing, an orderly end neither, and it starts again") {
    Scene scene;
    for (const auto how : {End::kKilled, End::kOrderly, End::kPower}) {
        for (int i = 0; i < 200; ++i) {
            scene.events.step(scene.events.now() + std::chrono::seconds(1));
        }
        scene.one->end(how);
        CHECK_FALSE(scene.one->running());
        const auto booted = scene.one->boot();
        REQUIRE_MESSAGE(booted, (booted ? "" : booted.error().text()));
        CHECK(scene.one->status()->sync.head.height >= scene.tools->check->forged_final());
    }
}

}  // namespace synod::sim::test
