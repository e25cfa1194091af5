// SPDX-License-Identifier: Apache-2.0
//! The state table row by row, and single behaviours of the machine, its gate and its progress.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/sync/progress.hpp"
#include "core/sync/state_table.hpp"
#include "tests/unit/sync/fake_net.hpp"

using namespace synod;
using namespace synod::sync;
using namespace synod::sync::test;

namespace {

template <typename T>
const T* first(const std::vector<Action>& actions) {
    for (const Action& a : actions) {
        if (const T* hit = std::get_if<T>(&a)) {
            return hit;
        }
    }
    return nullptr;
}

GateInputs good() {
    GateInputs in;
    in.network_health = 0.9;
    in.authorities_seen = 3;
    in.quorum = 3;
    in.clock_samples = 3;
    in.last_commit_durable = true;
    in.disk_free_bytes = 2ULL << 30;
    in.last_signed_slot = 1;
    return in;
}

GateView level(Slot slot) {
    return GateView{true, 1.0, 0, true, slot, slot};
}

bool met(const GateStatus& status, const std::string& name) {
    for (const GateCondition& c : status.conditions) {
        if (c.name == name) {
            return c.met;
        }
    }
    FAIL("no condition " << name);
    return false;
}

}  // namespace

TEST_CASE("every command in every state is honoured or refused with a reason") {
    for (std::size_t s = 0; s < kStateCount; ++s) {
        for (std::size_t e = 0; e < kEventKinds; ++e) {
            const Cell c = cell(static_cast<State>(s), static_cast<EventKind>(e));
            CHECK((c.outcome == Outcome::refuse) == !c.reason.empty());
        }
        const auto state = static_cast<State>(s);
        const bool may_start =
            state == State::idle || state == State::synced || state == State::failed;
        CHECK((cell(state, EventKind::start).outcome == Outcome::handle) == may_start);
        CHECK((cell(state, EventKind::pause).outcome == Outcome::handle) == active(state));
    }
    Machine machine({}, block(0), 0, block(0));
    const auto refused = machine.step(Resume{}, 0s);
    REQUIRE(first<Refused>(refused) != nullptr);
    CHECK(first<Refused>(refused)->reason == "not started");
}

TEST_CASE("thirty attempts without a peer fail; five recoveries later it stays failed") {
    Machine machine({}, block(0), 0, block(0));
    machine.step(Start{}, 0s);
    Instant now{};
    int recoveries = 0;
    bool last = false;
    for (int i = 0; i < 4000 && !last; ++i) {
        now += 100ms;
        for (const Action& a : machine.step(Tick{}, now)) {
            if (const auto* f = std::get_if<Failed>(&a)) {
                CHECK(f->reason == "no peers");
                last = f->final;
            }
            if (std::holds_alternative<Recover>(a)) {
                ++recoveries;
                machine.step(RecoveryDone{0, hash_of(0), 0}, now);
            }
        }
    }
    CHECK(last);
    CHECK(recoveries == 5);
    CHECK(machine.state() == State::failed);
}

TEST_CASE("short and empty replies and bare claims never make it synced") {
    Machine machine({}, block(0), 0, block(0));
    machine.step(Start{}, 0s);
    auto actions = machine.step(PeerUp{1, false, 1}, 0s);
    machine.step(PeerClaim{1, 1'000'000}, 0s);
    Instant now{};
    int lies = 0;
    for (Slot i = 1; i < 200; ++i) {
        if (const auto* h = first<RequestHeaders>(actions)) {
            actions = machine.step(HeadersReceived{h->request, ReplyResult::ok, 0, 0}, now);
            lies += first<Penalise>(actions) != nullptr ? 1 : 0;
        }
        now += 1s;
        actions = machine.step(Tick{}, now);
        machine.step(SlotTick{i}, now);
        CHECK(machine.state() != State::synced);
    }
    CHECK(lies == 1);  // the claim was never backed
    CHECK_FALSE(machine.snapshot(now).target.has_value());
}

TEST_CASE("a false claim is found whatever else is proven, an uncertified newest block is no lie") {
    for (const Height claim : {51, 52, 5'000}) {
        CAPTURE(claim);
        Machine machine({}, block(50), 50, block(48));
        machine.step(Start{}, 0s);
        machine.step(PeerUp{1, false, 1}, 0s);
        Instant now{};
        int asked = 0, lies = 0;
        for (Slot i = 51; i < 150; ++i) {
            machine.step(PeerClaim{1, claim}, now);
            auto actions = machine.step(EvidenceVerified{1, 50, hash_of(50), 50}, now);
            now += 1s;
            if (first<RequestHeaders>(actions) == nullptr) {
                actions = machine.step(Tick{}, now);
            }
            if (const auto* h = first<RequestHeaders>(actions)) {
                ++asked;
                actions = machine.step(HeadersReceived{h->request, ReplyResult::ok, 0, 0}, now);
                lies += first<Penalise>(actions) != nullptr ? 1 : 0;
            }
            machine.step(SlotTick{i}, now);
        }
        CHECK(asked > 3);
        CHECK((lies > 0) == (claim > 51));
    }
}

TEST_CASE("a claim of what we have verified ourselves is no lie, though its sender didn't prove it yet") {
    for (const Height claim : {52, 53}) {
        CAPTURE(claim);
        Machine machine({}, block(51), 51, block(48));
        machine.step(Start{}, 0s);
        machine.step(PeerUp{1, false, 1}, 0s);
        machine.step(EvidenceVerified{1, 49, hash_of(49), 49}, 0s);  // the blocks after it were pushed
        Instant now{};
        int asked = 0, lies = 0;
        for (Slot i = 52; i < 150; ++i) {
            machine.step(PeerClaim{1, claim}, now);
            now += 1s;
            auto actions = machine.step(Tick{}, now);
            if (const auto* h = first<RequestHeaders>(actions)) {
                ++asked;
                actions = machine.step(HeadersReceived{h->request, ReplyResult::ok, 0, 0}, now);
                lies += first<Penalise>(actions) != nullptr ? 1 : 0;
            }
            machine.step(SlotTick{i}, now);
        }
        CHECK(asked > 3);
        CHECK((lies > 0) == (claim > 52));
    }
}

TEST_CASE("newest blocks that are asked for before they can be shown make no liar, however often in a long life") {
    Machine machine({}, block(50), 50, block(48));
    machine.step(Start{}, 0s);
    machine.step(PeerUp{1, false, 1}, 0s);
    machine.step(EvidenceVerified{1, 50, hash_of(50), 50}, 0s);
    Instant now{};
    int asked = 0;
    for (Height tip = 51; tip < 90; ++tip) {
        // Two above what is here: pushed blocks overtook what proves them.
        now += 2s;
        auto actions = machine.step(PeerClaim{1, tip + 1}, now);
        if (first<RequestHeaders>(actions) == nullptr) {
            actions = machine.step(Tick{}, now);
        }
        if (const auto* h = first<RequestHeaders>(actions)) {
            ++asked;
            actions = machine.step(HeadersReceived{h->request, ReplyResult::ok, 0, 0}, now);
            CHECK(first<Penalise>(actions) == nullptr);
        }
        machine.step(EvidenceVerified{1, tip, hash_of(tip), tip}, now);
        machine.step(HeadChanged{tip, hash_of(tip), tip}, now);
        machine.step(SlotTick{tip + 1}, now);
    }
    CHECK(asked > 3);
}

TEST_CASE("a peer that refuses our head and twice our committed block is on another chain") {
    Machine machine({}, block(10), 10, block(5));
    machine.step(Start{}, 0s);
    machine.step(EvidenceVerified{0, 50, hash_of(50), 50}, 0s);
    auto actions = machine.step(PeerUp{1, false, 1}, 0s);
    const auto* ask = first<RequestHeaders>(actions);
    REQUIRE(ask != nullptr);
    CHECK(ask->parent == hash_of(10));
    actions = machine.step(HeadersReceived{ask->request, ReplyResult::other_fork, 0, 0}, 1ms);
    ask = first<RequestHeaders>(actions);
    REQUIRE(ask != nullptr);
    CHECK(ask->from == 6);
    CHECK(ask->parent == hash_of(5));
    actions = machine.step(HeadersReceived{ask->request, ReplyResult::other_fork, 0, 0}, 2ms);
    ask = first<RequestHeaders>(actions);
    REQUIRE(ask != nullptr);
    actions = machine.step(HeadersReceived{ask->request, ReplyResult::other_fork, 0, 0}, 3ms);
    CHECK(first<PeerOnOtherChain>(actions) != nullptr);
    CHECK(first<RequestHeaders>(actions) == nullptr);
}

TEST_CASE("peers whose newest block is another one are no liars: their chain is looked at, and taken when it is further") {
    Machine machine({}, block(50), 50, block(48));
    machine.step(Start{}, 0s);
    Instant now{};
    std::vector<Action> actions;
    std::optional<RequestHeaders> walk, fork;
    std::optional<RequestBlocks> blocks;
    const auto look = [&] {
        for (const Action& a : actions) {
            CHECK_FALSE(std::holds_alternative<Penalise>(a));
            CHECK_FALSE(std::holds_alternative<Failed>(a));
            if (const auto* h = std::get_if<RequestHeaders>(&a)) {
                (h->from == 49 ? fork : walk) = *h;
            } else if (const auto* b = std::get_if<RequestBlocks>(&a)) {
                blocks = *b;
            }
        }
    };
    const auto step = [&](const Event& event) {
        actions = machine.step(event, now += 10ms);
        look();
    };
    for (PeerId peer = 1; peer <= 8; ++peer) {
        step(PeerUp{peer, false, peer});
        step(PeerClaim{peer, 51});
    }
    step(EvidenceVerified{1, 51, hash_of(51), 51});
    for (int i = 0; i < 30 && !walk; ++i) {
        step(Tick{});
    }
    REQUIRE(walk);
    step(HeadersReceived{walk->request, ReplyResult::ok, 1, 100});
    step(HeadersChecked{walk->request, true, 1, 51, hash_of(51), 51, anchors(51, 51), {}, 0, false});
    int strayed = 0;
    for (int i = 0; i < 200 && strayed < 6; ++i) {
        now += 100ms;
        step(Tick{});
        if (const auto asked = std::exchange(blocks, std::nullopt)) {
            ++strayed;
            step(BlocksReceived{asked->request, ReplyResult::ok, 1, 600, hash_of(51, 7)});
        }
        if (fork && strayed < 6) {  // nothing further yet
            const auto asked = *std::exchange(fork, std::nullopt);
            step(HeadersReceived{asked.request, ReplyResult::ok, 0, 0});
        }
    }
    CHECK(strayed == 6);
    for (int i = 0; i < 100 && !fork; ++i) {
        now += 100ms;
        step(Tick{});
        if (const auto asked = std::exchange(blocks, std::nullopt)) {
            step(BlocksReceived{asked->request, ReplyResult::ok, 1, 600, hash_of(51, 7)});
        }
    }
    REQUIRE(fork);
    step(HeadersReceived{fork->request, ReplyResult::ok, 4, 400});
    step(HeadersChecked{fork->request, true, 4, 52, hash_of(52, 7), 53, anchors(49, 52, 7), {}, 0, false});
    for (int i = 0; i < 100 && !blocks; ++i) {
        now += 100ms;
        step(Tick{});
    }
    REQUIRE(blocks);
    CHECK(blocks->from == 49);
}

TEST_CASE("headers of a branch that everybody left are given up when two peers bring other blocks, far below the tip too") {
    Machine machine({}, block(0), 0, block(0));
    machine.step(Start{}, 0s);
    Instant now{};
    std::optional<RequestHeaders> walk;
    std::vector<RequestBlocks> blocks;
    bool forked = false;
    const auto step = [&](const Event& event) {
        for (const Action& a : machine.step(event, now += 10ms)) {
            CHECK_FALSE(std::holds_alternative<Penalise>(a));
            CHECK_FALSE(std::holds_alternative<Failed>(a));
            CHECK_FALSE(std::holds_alternative<SelfFaultSuspected>(a));
            if (const auto* h = std::get_if<RequestHeaders>(&a)) {
                walk = *h;
            } else if (const auto* c = std::get_if<CheckHeaders>(&a)) {
                forked = c->fork;
            } else if (const auto* b = std::get_if<RequestBlocks>(&a)) {
                blocks.push_back(*b);
            }
        }
    };
    for (PeerId peer = 1; peer <= 4; ++peer) {
        step(PeerUp{peer, false, peer});
        step(PeerClaim{peer, 20});
    }
    step(EvidenceVerified{1, 20, hash_of(20), 20});
    for (int i = 0; i < 60 && !walk; ++i) {
        now += 100ms;
        step(Tick{});
    }
    const auto answer = [&](Height tip, std::uint64_t fork) {
        if (const auto h = std::exchange(walk, std::nullopt); h && h->from <= tip) {
            const auto count = static_cast<std::uint32_t>(std::min<Height>(h->count, tip - h->from + 1));
            const auto last = h->from + count - 1;
            step(HeadersReceived{h->request, ReplyResult::ok, count, 100ULL * count});
            step(HeadersChecked{h->request, true, count, last, hash_of(last, fork), last,
                                anchors(h->from, last, fork), {}, 0, false});
        }
    };
    for (int i = 0; i < 30 && blocks.empty(); ++i) {
        now += 100ms;
        step(Tick{});
        answer(20, 0);
    }
    REQUIRE_FALSE(blocks.empty());
    CHECK(blocks.back().from + blocks.back().count == 21);
    // Everybody goes on upon another block 20.
    for (PeerId peer = 1; peer <= 4; ++peer) {
        step(EvidenceVerified{peer, 60, hash_of(60, 7), 60});
    }
    for (int i = 0; i < 100 && !forked; ++i) {
        now += 100ms;
        step(Tick{});
        for (const auto& b : std::exchange(blocks, {})) {
            step(BlocksReceived{b.request, ReplyResult::ok, b.count, b.count * 600ULL, hash_of(b.from + b.count - 1, 7)});
        }
        if (walk && walk->from <= 20) {
            answer(60, 7);
        }
        walk.reset();  // what would come after our 20 is on its way
    }
    CHECK(forked);
    CHECK(machine.state() == State::downloading_blocks);
    blocks.clear();
    for (int i = 0; i < 100 && blocks.empty(); ++i) {
        now += 100ms;
        step(Tick{});
    }
    REQUIRE_FALSE(blocks.empty());
    CHECK(blocks.front().from == 1);
    CHECK(blocks.front().count == 60);
}

TEST_CASE("a range that pushed blocks overtook is no fault of ours: it goes on above them") {
    Machine machine({}, block(10), 10, block(8));
    machine.step(Start{}, 0s);
    Instant now{};
    std::optional<RequestHeaders> walk;
    std::optional<RequestBlocks> blocks;
    std::optional<SubmitRange> submitted;
    const auto step = [&](const Event& event) {
        for (const Action& a : machine.step(event, now += 10ms)) {
            CHECK_FALSE(std::holds_alternative<Failed>(a));
            CHECK_FALSE(std::holds_alternative<SelfFaultSuspected>(a));
            if (const auto* h = std::get_if<RequestHeaders>(&a)) {
                walk = *h;
            } else if (const auto* b = std::get_if<RequestBlocks>(&a)) {
                blocks = *b;
            } else if (const auto* s = std::get_if<SubmitRange>(&a)) {
                submitted = *s;
            }
        }
    };
    const auto go_on = [&] {
        now += 100ms;
        step(Tick{});
        if (const auto h = std::exchange(walk, std::nullopt)) {
            const auto count = static_cast<std::uint32_t>(30 - h->from + 1);
            step(HeadersReceived{h->request, ReplyResult::ok, count, 100ULL * count});
            step(HeadersChecked{h->request, true, count, 30, hash_of(30), 30, anchors(h->from, 30), {}, 0, false});
        }
        if (const auto b = std::exchange(blocks, std::nullopt)) {
            step(BlocksReceived{b->request, ReplyResult::ok, b->count, b->count * 600ULL, hash_of(b->from + b->count - 1)});
        }
    };
    step(EvidenceVerified{1, 30, hash_of(30), 30});
    step(PeerUp{1, false, 1});
    step(PeerClaim{1, 30});
    for (int i = 0; i < 60 && !submitted; ++i) {
        go_on();
    }
    REQUIRE(submitted);
    CHECK(submitted->from == 11);
    // Pushed blocks: what block 10 left is kept no longer.
    step(CommittedChanged{15, hash_of(15)});
    step(HeadChanged{17, hash_of(17), 17});
    for (int times = 0; times < 4 && submitted->from == 11; ++times) {
        const auto range = *std::exchange(submitted, std::nullopt);
        step(RangeFailed{range.range, range.submission, "superseded", range.from, true});
        for (int i = 0; i < 60 && !submitted; ++i) {
            go_on();
        }
        REQUIRE(submitted);
    }
    CHECK(submitted->from == 18);
}

TEST_CASE("pause keeps the window and asks for nothing; resume goes on") {
    FakeNet net(5, 50'000);
    net.peer(1, {Manner::honest, 20ms, 200e3, {}});
    net.feed(EvidenceVerified{1, 50'000, hash_of(50'000), 1});
    net.feed(Start{});
    REQUIRE(net.run_until(State::downloading_blocks, 60s));
    net.run_until(State::synced, 3s);
    const auto before = net.machine.snapshot(net.now);
    REQUIRE(before.ranges > 0);
    net.feed(Pause{});
    CHECK(net.machine.snapshot(net.now).ranges == before.ranges);
    CHECK(first<RequestBlocks>(net.machine.step(Tick{}, net.now)) == nullptr);
    net.feed(Resume{});
    CHECK(net.machine.state() == before.state);
    CHECK(net.run_until(State::synced, 600s));
}

TEST_CASE("an emergency asks authorities alone; one in which nothing can be proven asks nobody") {
    constexpr PeerId kStranger = 1, kAuthority = 2;
    for (const bool late : {false, true}) {  // it must stand still from the beginning, or learns it meanwhile
        CAPTURE(late);
        Machine machine({}, block(0), 0, block(0));
        Instant now{};
        std::set<PeerId> asked;
        const auto feed = [&](const Event& event) {
            for (const Action& action : machine.step(event, now)) {
                if (const auto* headers = std::get_if<RequestHeaders>(&action)) {
                    asked.insert(headers->peer);
                }
            }
        };
        //! Whom it asks within a minute in which nobody answers.
        const auto asks = [&] {
            asked.clear();
            for (int i = 0; i < 600; ++i) {
                now += 100ms;
                feed(Tick{});
            }
            return asked;
        };
        for (const PeerId id : {kStranger, kAuthority}) {
            feed(PeerUp{id, id == kAuthority, id});
            feed(PeerClaim{id, 1'000});
        }
        feed(Start{});
        CHECK(asks() == std::set{kStranger, kAuthority});
        if (late) {
            feed(EmergencyEntered{"mining"});
            CHECK(asks() == std::set{kAuthority});
        }
        feed(EmergencyEntered{"backends", true});
        CHECK(machine.state() == State::emergency);
        CHECK(machine.snapshot(now).reason == "backends");
        CHECK(asks().empty());
        feed(EmergencyEntered{"another reason as well"});
        CHECK(asks().empty());
        feed(EmergencyCleared{});
        CHECK(asks() == std::set{kStranger, kAuthority});
        feed(EmergencyEntered{"mining"});  // the next one is a new one
        CHECK(asks() == std::set{kAuthority});
    }
}

TEST_CASE("gate: three slots open, two misses shut, each condition alone shuts") {
    Gate gate{SyncConfig{}};
    gate.set_inputs(good());
    CHECK_FALSE(gate.slot(level(10)));
    CHECK_FALSE(gate.slot(level(11)));
    CHECK(gate.slot(level(12)));
    CHECK(gate.open());
    GateView bad = level(13);
    bad.behind = 11;
    CHECK_FALSE(gate.slot(bad));
    bad.now_slot = 14;
    CHECK(gate.slot(bad));
    CHECK_FALSE(gate.open());

    const auto only = [](auto change, const char* name) {
        Gate g{SyncConfig{}};
        GateInputs in = good();
        GateView view = level(20);
        change(in, view);
        g.set_inputs(in);
        CHECK_FALSE(met(g.status(view), name));
        CHECK_FALSE(g.status(view).all_met);
    };
    only([](GateInputs&, GateView& v) { v.percentage = 0.9949; }, "percentage");
    only([](GateInputs&, GateView& v) { v.behind = 11; }, "blocks_behind");
    only([](GateInputs&, GateView& v) { v.head_slot = 16; }, "slot_lag");
    only([](GateInputs&, GateView& v) { v.evidence = false; }, "target_evidence");
    only([](GateInputs&, GateView& v) { v.running = false; }, "running");
    only([](GateInputs& i, GateView&) { i.network_health = 0.7; }, "network_health");
    only([](GateInputs& i, GateView&) { i.authorities_seen = 2; }, "federation");
    only([](GateInputs& i, GateView&) { i.blocks_since_pow = 10'000; }, "proof_of_work");
    only([](GateInputs& i, GateView&) { i.clock_offset_ms = -500; }, "clock");
    only([](GateInputs& i, GateView&) { i.clock_samples = 2; }, "clock");
    only([](GateInputs& i, GateView&) { i.last_commit_durable = false; }, "commit_durable");
    only([](GateInputs& i, GateView&) { i.disk_free_bytes = 5; }, "disk");
    only([](GateInputs& i, GateView&) { i.emergency = true; }, "no_emergency");
    only([](GateInputs& i, GateView&) { i.last_signed_slot = 20; }, "last_signed_slot");
}

TEST_CASE("gate: the escape rule stands in for the tip and for nothing of our own") {
    Gate gate{SyncConfig{}};
    GateInputs in = good();
    in.stall_statements = 3;
    gate.set_inputs(in);
    GateView view = level(100);
    view.head_slot = 10;
    view.evidence = false;
    view.percentage = 0;
    CHECK(gate.status(view).all_met);
    in.last_signed_slot = 100;
    gate.set_inputs(in);
    CHECK_FALSE(gate.status(view).all_met);
    in = good();
    in.stall_statements = 2;
    gate.set_inputs(in);
    CHECK_FALSE(gate.status(view).all_met);
}

TEST_CASE("the time left is a range or unknown, and 100 % is for synced alone") {
    Progress progress;
    progress.begin(0, 0s);
    CHECK_FALSE(progress.eta(0, 1000, 0s).has_value());
    for (int i = 1; i <= 20; ++i) {
        progress.record(static_cast<Height>(i) * 10, 1000, std::chrono::seconds(i));
    }
    const auto eta = progress.eta(200, 1000, 20s);
    REQUIRE(eta.has_value());
    CHECK(eta->low_s <= 80.0);
    CHECK(eta->high_s >= 79.9);
    CHECK_FALSE(progress.eta(200, std::nullopt, 20s).has_value());
    Progress wild;
    wild.begin(0, 0s);
    for (int i = 1; i <= 6; ++i) {
        wild.record(i < 6 ? 0 : 500, 1000, std::chrono::seconds(i));
    }
    CHECK_FALSE(wild.eta(500, 1000, 6s).has_value());
    CHECK(progress.of_run(1000, 1000, false) < 100.0);
    CHECK(progress.of_run(1000, 1000, true) == 100.0);
}

TEST_CASE("headers of a branch that are cut at our height are asked for on, when their sender proved more") {
    Machine machine({}, block(10), 10, block(8));
    machine.step(Start{}, 0s);
    Instant now{};
    std::optional<RequestHeaders> ask;
    const auto step = [&](const Event& event) {
        for (const Action& a : machine.step(event, now += 10ms)) {
            CHECK_FALSE(std::holds_alternative<Penalise>(a));
            if (const auto* h = std::get_if<RequestHeaders>(&a)) {
                ask = *h;
            }
        }
    };
    const auto wait = [&] {
        for (int i = 0; i < 60 && !ask; ++i) {
            now += 100ms;
            step(Tick{});
        }
        REQUIRE(ask);
        return *std::exchange(ask, std::nullopt);
    };
    step(PeerUp{1, false, 1});
    step(PeerClaim{1, 13});
    step(EvidenceVerified{1, 12, hash_of(12, 7), 12});
    const auto onward = wait();
    CHECK(onward.from == 11);
    step(HeadersReceived{onward.request, ReplyResult::other_fork, 0, 0});
    const auto back = wait();
    CHECK(back.from == 9);
    // Two of four: the sender has committed up to 10.
    step(HeadersReceived{back.request, ReplyResult::ok, 2, 200});
    step(HeadersChecked{back.request, true, 2, 10, hash_of(10, 7), 9, anchors(9, 10, 7), {}, 0, false});
    const auto rest = wait();
    CHECK(rest.from == 11);
    CHECK(rest.parent == hash_of(10, 7));
}
