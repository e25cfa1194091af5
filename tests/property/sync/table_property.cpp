// SPDX-License-Identifier: Apache-2.0
//! The machine against its own table: every (state, event) pair is stepped, with random contents,
//! and its outcome must be the one that the table gives. A pair that no run reached fails the test.
#include <doctest/doctest.h>

#include <array>
#include <random>

#include "core/sync/state_table.hpp"
#include "tests/unit/sync/fake_net.hpp"

using namespace synod;
using namespace synod::sync;
using namespace synod::sync::test;

namespace {

constexpr Height kTip = 2'000;
constexpr int kRounds = 24;  // different contents of each pair

template <typename T>
const T* only(const std::vector<Action>& actions) {
    const T* hit = nullptr;
    for (const Action& a : actions) {
        if (const T* one = std::get_if<T>(&a)) {
            CHECK(hit == nullptr);  // at most one
            hit = one;
        }
    }
    return hit;
}

//! A network whose machine is in the state, come to by an honest way.
std::unique_ptr<FakeNet> in_state(State wanted, std::uint64_t seed) {
    SyncConfig config;
    config.seed = seed;
    auto net = std::make_unique<FakeNet>(seed, kTip, config);
    const auto run = [&](State to) { CHECK(net->run_until(to, 300s)); };
    const auto meet = [&] {
        net->peer(1, {});
        net->peer(2, {});
        net->feed(EvidenceVerified{1, kTip, hash_of(kTip), kTip});
    };
    switch (wanted) {
        case State::idle: break;
        case State::discovering: net->feed(Start{}); break;
        case State::downloading_headers:
        case State::downloading_blocks:
        case State::catching_up:
        case State::synced:
            meet();
            net->feed(Start{});
            run(wanted);
            break;
        case State::paused:
            meet();
            net->feed(Start{});
            run(State::downloading_blocks);
            net->feed(Pause{"by hand"});
            break;
        case State::recovering:
        case State::failed:
            meet();
            net->feed(Start{});
            run(State::downloading_blocks);
            net->feed(StoreFault{"disk"});
            if (wanted == State::recovering) {
                for (int i = 0; i < 200 && net->machine.state() != State::recovering; ++i) {
                    net->now += 1s;
                    (void)net->machine.step(Tick{}, net->now);
                }
            }
            break;
        case State::emergency:
            meet();
            net->feed(Start{});
            net->feed(EmergencyEntered{"alarm"});
            break;
    }
    return net;
}

Event event_of(EventKind what, std::mt19937_64& random) {
    const auto x = random() % 8;
    const Height h = random() % (2 * kTip);
    const RequestId request = random() % 60;
    switch (what) {
        case EventKind::start: return Start{static_cast<Mode>(x % 5), {}, {}};
        case EventKind::pause: return Pause{"p"};
        case EventKind::resume: return Resume{};
        case EventKind::stop: return Stop{x % 2 == 0, "s"};
        case EventKind::tick: return Tick{};
        case EventKind::slot_tick: return SlotTick{h};
        case EventKind::peer_up: return PeerUp{x, x % 2 == 0, x};
        case EventKind::peer_down: return PeerDown{x};
        case EventKind::peer_claim: return PeerClaim{x, h};
        case EventKind::peer_scores: return PeerScores{{{x, static_cast<double>(x) - 2}}};
        case EventKind::evidence_verified: return EvidenceVerified{x, h, hash_of(h), h};
        case EventKind::headers_received:
            return HeadersReceived{request, static_cast<ReplyResult>(x % 4),
                                   static_cast<std::uint32_t>(h), h};
        case EventKind::headers_checked:
            return HeadersChecked{request, x % 2 == 0, static_cast<std::uint32_t>(h), h, hash_of(h), h,
                                  anchors(1, h + 1), "rule", h, x % 3 == 0};
        case EventKind::blocks_received:
            return BlocksReceived{request, static_cast<ReplyResult>(x % 4),
                                  static_cast<std::uint32_t>(h), h, hash_of(h)};
        case EventKind::request_failed:
            return RequestFailed{request, static_cast<RequestFailure>(x % 5), 100};
        case EventKind::range_checked: return RangeChecked{h % 30, x};
        case EventKind::range_failed: return RangeFailed{h % 30, x, "rule", h, x % 2 == 0};
        case EventKind::range_committed: return RangeCommitted{h % 30, h, hash_of(h)};
        case EventKind::head_changed: return HeadChanged{h, hash_of(h, x % 2), h};
        case EventKind::committed_changed: return CommittedChanged{h, hash_of(h)};
        case EventKind::store_fault: return StoreFault{"disk"};
        case EventKind::chain_fault: return ChainFault{"fork"};
        case EventKind::recovery_done: return RecoveryDone{h, hash_of(h), h};
        case EventKind::recovery_failed: return RecoveryFailed{"no"};
        case EventKind::emergency_entered: return EmergencyEntered{"alarm"};
        case EventKind::emergency_cleared: return EmergencyCleared{};
        case EventKind::gate_inputs: return GateInputs{};
        case EventKind::tune: return Tune{static_cast<std::uint32_t>(h), {}, {}, h, {}};
    }
    return Tick{};
}

//! One step against the table's cell.
void check_pair(Machine& machine, EventKind what, const Event& event, Instant now) {
    const State before = machine.state();
    const Cell wanted = cell(before, what);
    const auto actions = machine.step(event, now);
    const auto* refused = only<Refused>(actions);
    const auto* accepted = only<Accepted>(actions);
    const bool command = what <= EventKind::stop;
    State now_in = before;
    for (const Action& a : actions) {
        if (const auto* moved = std::get_if<StateChanged>(&a)) {
            CHECK(moved->from == now_in);
            CHECK(may_move(moved->from, moved->to));
            now_in = moved->to;
        }
    }
    CHECK(machine.state() == now_in);
    if (wanted.outcome == Outcome::refuse) {
        REQUIRE(refused != nullptr);
        CHECK(refused->state == before);
        CHECK(machine.state() == before);
        CHECK(actions.size() == 1);
        return;
    }
    // A table that lets a command through may still refuse it for what it asks; it says so.
    CHECK((accepted != nullptr || refused != nullptr) == command);
    CHECK((accepted == nullptr || refused == nullptr));
    if (wanted.outcome == Outcome::ignore) {
        CHECK(machine.state() == before);
        CHECK(only<Failed>(actions) == nullptr);
        CHECK(only<Recover>(actions) == nullptr);
    }
}

}  // namespace

TEST_CASE("every event in every state has the outcome that the table gives") {
    std::mt19937_64 random(3);
    std::array<std::array<int, kEventKinds>, kStateCount> seen{};
    for (std::size_t s = 0; s < kStateCount; ++s) {
        for (std::size_t e = 0; e < kEventKinds; ++e) {
            const auto what = static_cast<EventKind>(e);
            for (int round = 0; round < kRounds; ++round) {
                auto net = in_state(static_cast<State>(s), static_cast<std::uint64_t>(round) + 1);
                CAPTURE(s);
                CAPTURE(e);
                REQUIRE(net->machine.state() == static_cast<State>(s));
                const Event event = event_of(what, random);
                REQUIRE(kind(event) == what);
                check_pair(net->machine, what, event, net->now + std::chrono::milliseconds(round));
                ++seen[s][e];
                // And whatever follows: the machine must come through its next ticks.
                for (int tick = 0; tick < 30; ++tick) {
                    net->now += 500ms;
                    for (const Action& a : net->machine.step(Tick{}, net->now)) {
                        if (const auto* moved = std::get_if<StateChanged>(&a)) {
                            CHECK(may_move(moved->from, moved->to));
                        }
                    }
                }
            }
        }
    }
    for (const auto& row : seen) {
        for (const int times : row) {
            CHECK(times == kRounds);
        }
    }
}
