// SPDX-License-Identifier: Apache-2.0
//! Random event sequences over all states: the machine is total, bounded and always comes to rest.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

#include "core/sync/state_table.hpp"
#include "tests/unit/sync/fake_net.hpp"

using namespace synod;
using namespace synod::sync;
using namespace synod::sync::test;

namespace {

struct Ledger {
    std::map<RequestId, Instant> open;
    std::vector<RequestId> seen;
    std::vector<SubmitRange> submitted;

    void take(const std::vector<Action>& actions) {
        for (const Action& a : actions) {
            if (const auto* h = std::get_if<RequestHeaders>(&a)) {
                add(h->request, h->deadline);
            } else if (const auto* b = std::get_if<RequestBlocks>(&a)) {
                add(b->request, b->deadline);
            } else if (const auto* c = std::get_if<CancelRequest>(&a)) {
                open.erase(c->request);
            } else if (const auto* s = std::get_if<SubmitRange>(&a)) {
                submitted.push_back(*s);
            } else if (const auto* m = std::get_if<StateChanged>(&a)) {
                RC_ASSERT(may_move(m->from, m->to));
            }
        }
    }
    void add(RequestId id, Instant deadline) {
        const bool fresh = seen.empty() || id > seen.back();
        RC_ASSERT(fresh);
        seen.push_back(id);
        open[id] = deadline;
    }
    RequestId some(std::uint64_t pick) const {
        const std::size_t recent = std::min<std::size_t>(seen.size(), 6);
        return seen.empty() ? pick : seen[seen.size() - 1 - pick % recent];
    }
};

Event event_of(std::size_t what, std::uint64_t x, std::uint64_t y, const Ledger& ledger) {
    const RequestId request = ledger.some(x);
    const SubmitRange range = ledger.submitted.empty()
                                  ? SubmitRange{}
                                  : ledger.submitted[x % ledger.submitted.size()];
    const Height end = range.from + range.count - 1;
    switch (what) {
        case 0: return Start{static_cast<Mode>(x % 5), {}, {}};
        case 1: return Pause{};
        case 2: return Resume{};
        case 3: return Stop{x % 2 == 0, {}};
        case 5: return SlotTick{y};
        case 6: return PeerUp{x % 6, y % 3 == 0, x % 3};
        case 7: return PeerDown{x % 6};
        case 8: return PeerClaim{x % 6, y * 50};
        case 9: return PeerScores{{{x % 6, static_cast<double>(y) - 3}}};
        case 10: return EvidenceVerified{x % 6, y * 50, hash_of(y * 50, x % 3), y};
        case 11:
            return HeadersReceived{request, static_cast<ReplyResult>(y % 4),
                                   static_cast<std::uint32_t>(y), y * 100};
        case 12: {
            const auto from = y % 2 == 0 ? 1 : y;
            return HeadersChecked{request, x % 4 != 0, static_cast<std::uint32_t>(y),
                                  from + y - 1, hash_of(from + y - 1), y,
                                  anchors(from, from + y - 1), "rule", y, x % 3 == 0};
        }
        case 13:
            return BlocksReceived{request, static_cast<ReplyResult>(y % 4 == 3 ? 2 : 0),
                                  static_cast<std::uint32_t>(y), y * 100, hash_of(y)};
        case 14:
            return RequestFailed{request, static_cast<RequestFailure>(y % 5),
                                 static_cast<std::uint32_t>(x)};
        case 15: return RangeChecked{range.range, 0};
        case 16: return RangeFailed{range.range, 0, "rule", y, x % 2 == 0};
        case 17: return RangeCommitted{range.range, end, range.expected_end};
        case 18: return HeadChanged{y, hash_of(y, x % 5 == 0 ? 1 : 0), y};
        case 19: return CommittedChanged{y, hash_of(y)};
        case 20: return StoreFault{"disk"};
        case 21: return ChainFault{"fork"};
        case 22: return RecoveryDone{y, hash_of(y), y};
        case 23: return RecoveryFailed{"no"};
        case 24: return EmergencyEntered{"alarm"};
        case 25: return EmergencyCleared{};
        case 26: {
            GateInputs in;
            in.stall_statements = static_cast<std::uint32_t>(y % 4);
            in.quorum = 3;
            in.holds_quorum_alone = x % 7 == 0;
            return in;
        }
        case 27: return Tune{static_cast<std::uint32_t>(x), {}, {}, y, {}};
        default: return Tick{};
    }
}

// Follows the protocol where it can, so that the random walk also reaches deep states.
void serve(Machine& machine, Ledger& ledger, const std::vector<Action>& actions, Instant now) {
    for (const Action& a : actions) {
        if (const auto* h = std::get_if<RequestHeaders>(&a); h != nullptr && h->request % 3 != 0) {
            ledger.take(machine.step(HeadersReceived{h->request, ReplyResult::ok, h->count, 1}, now));
            const Height last = h->from + h->count - 1;
            ledger.take(machine.step(HeadersChecked{h->request, true, h->count, last, hash_of(last),
                                                    last, anchors(h->from, last), {}, 0, false},
                                     now));
        } else if (const auto* b = std::get_if<RequestBlocks>(&a);
                   b != nullptr && b->request % 5 != 0) {
            const Height last = b->from + b->count - 1;
            ledger.take(machine.step(
                BlocksReceived{b->request, ReplyResult::ok, b->count, b->count * 600ULL,
                               hash_of(last)},
                now));
        }
    }
}

}  // namespace

TEST_CASE("any events in any order: no assertion, bounded, every request ends") {
    const bool held = rc::check("total machine", [] {
        SyncConfig config;
        config.seed = *rc::gen::arbitrary<std::uint64_t>();
        Machine machine(config, block(0), 0, block(0));
        Ledger ledger;
        Instant now{};
        const auto script = *rc::gen::container<std::vector<std::tuple<std::uint64_t, std::uint64_t>>>(
            rc::gen::tuple(rc::gen::arbitrary<std::uint64_t>(),
                           rc::gen::inRange<std::uint64_t>(1, 400)));
        ledger.take(machine.step(Start{}, now));
        for (const auto& [x, y] : script) {
            const std::size_t what = x % 40;
            now += std::chrono::milliseconds(what >= 28 ? 100 + y * 5 : y % 3);
            const auto actions = machine.step(event_of(what, x >> 8, y, ledger), now);
            ledger.take(actions);
            if ((x >> 4) % 2 == 0) {
                serve(machine, ledger, actions, now);
            }
            const Snapshot shot = machine.snapshot(now);
            RC_ASSERT(shot.processing <= 2 * 256U);
            RC_ASSERT(shot.open_requests <= 1 + 256U + shot.ranges);
            RC_ASSERT(shot.ranges <= config.window_blocks);
            RC_ASSERT(shot.anchors <= config.anchors_max + 64);
            RC_ASSERT(shot.percentage >= 0.0 && shot.percentage <= 100.0);
            const bool synced = shot.state == State::synced && shot.behind == 0;
            RC_ASSERT((shot.percentage == 100.0) == synced);
        }
        // Alone and paused, everything that was asked for ends by itself.
        ledger.take(machine.step(Pause{}, now));
        for (PeerId peer = 0; peer < 6; ++peer) {
            ledger.take(machine.step(PeerDown{peer}, now));
        }
        for (int i = 0; i < 90; ++i) {
            now += std::chrono::seconds(1);
            ledger.take(machine.step(Tick{}, now));
        }
        RC_ASSERT(machine.snapshot(now).open_requests == 0U);
    });
    CHECK(held);
}

TEST_CASE("random networks: ranges are committed in order and the end is reached") {
    const bool held = rc::check("random networks", [] {
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        const auto tip = *rc::gen::inRange<Height>(1, 6000);
        const auto manners = *rc::gen::container<std::vector<int>>(4, rc::gen::inRange(0, 8));
        FakeNet net(seed, tip);
        net.peer(1, {});
        net.peer(2, {});
        PeerId id = 3;
        for (const int manner : manners) {
            net.peer(id++, {static_cast<Manner>(manner), 25ms, 3e6, {}});
        }
        net.feed(EvidenceVerified{1, tip, hash_of(tip), tip});
        net.feed(Start{});
        RC_ASSERT(net.run_until(State::synced, 900s));
        RC_ASSERT(net.head == tip);
        RC_ASSERT(net.faults.empty());
    });
    CHECK(held);
}
