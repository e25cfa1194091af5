// SPDX-License-Identifier: Apache-2.0
//! Bytes as a sequence of events for the sync machine, each with values of any size, and answers to
//! what it asks, true or false. It must take any of them in any state, keep within its bounds, move
//! only along its table's edges, and end every request by itself.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <set>

#include "core/sync/machine.hpp"
#include "core/sync/state_table.hpp"
#include "tests/unit/sync/fake_net.hpp"

namespace {

using namespace synod;
using namespace synod::sync;
using namespace synod::sync::test;

constexpr PeerId kPeers = 12;           // that may be linked; the driver bounds them in life
constexpr std::size_t kSteps = 4'000;   // of one input
constexpr std::size_t kAsked = 64;      // of the newest actions, those that an event may answer
constexpr std::size_t kDumpBytes = 64U << 10U;

void must(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}
    [[nodiscard]] bool empty() const { return left_.empty(); }
    std::uint8_t byte() {
        const std::uint8_t out = left_.empty() ? 0 : left_.front();
        left_ = left_.subspan(left_.empty() ? 0 : 1);
        return out;
    }
    //! Mostly small; sometimes near a whole power of two, where sums overflow.
    std::uint64_t number() {
        const auto first = byte();
        if (first < 200) {
            return first;
        }
        if (first < 245) {
            return first * 256ULL + byte();
        }
        return (std::uint64_t{1} << (byte() % 64)) + byte() - 128;
    }

  private:
    ByteView left_;
};

class Run {
  public:
    Run(const SyncConfig& config) : config_(config), machine_(config, block(0), 0, block(0)) {
        take(machine_.step(Start{}, now_));
    }

    void one(Input& in) {
        const auto what = in.byte();
        now_ += std::chrono::milliseconds(what % 4 == 0 ? in.number() % 100'000 : what % 7);
        take(machine_.step(what >= 128 ? answer(in) : event(what % 32, in), now_));
        check();
    }

    //! Alone and paused, everything that was asked for ends by itself.
    void end() {
        must(machine_.dump(now_).size() <= kDumpBytes, "a dump within 64 KiB");
        (void)machine_.gate();
        take(machine_.step(Pause{}, now_));
        for (PeerId peer = 0; peer < kPeers; ++peer) {
            take(machine_.step(PeerDown{peer}, now_));
        }
        for (int second = 0; second < 90; ++second) {
            now_ += std::chrono::seconds(1);
            take(machine_.step(Tick{}, now_));
        }
        must(machine_.snapshot(now_).open_requests == 0, "every request ends");
    }

  private:
    using Asked = std::variant<RequestHeaders, RequestBlocks, CheckHeaders, SubmitRange, Recover>;

    void take(const std::vector<Action>& actions) {
        for (const auto& action : actions) {
            if (const auto* moved = std::get_if<StateChanged>(&action)) {
                must(may_move(moved->from, moved->to), "an edge of the table");
            } else if (const auto* h = std::get_if<RequestHeaders>(&action)) {
                asked(h->request, h->count, h->deadline, *h);
                must(h->count <= config_.headers_max, "headers within their limit");
            } else if (const auto* b = std::get_if<RequestBlocks>(&action)) {
                asked(b->request, b->count, b->deadline, *b);
            } else if (const auto* c = std::get_if<CheckHeaders>(&action)) {
                remember(*c);
            } else if (const auto* s = std::get_if<SubmitRange>(&action)) {
                must(s->count > 0 && !s->requests.empty(), "a range with something in it");
                remember(*s);
            } else if (const auto* r = std::get_if<Recover>(&action)) {
                must(r->attempt >= 1 && r->attempt <= config_.recoveries_max, "recoveries within their limit");
                remember(*r);
            }
        }
    }

    template <typename Request>
    void asked(RequestId id, std::uint32_t count, Instant deadline, const Request& request) {
        must(id > last_request_, "a request's number is new");
        must(count > 0, "a request for something");
        must(deadline > now_, "a deadline ahead");
        last_request_ = id;
        remember(request);
    }

    void remember(Asked what) {
        asked_.push_back(std::move(what));
        if (asked_.size() > kAsked) {
            asked_.pop_front();
        }
    }

    void check() {
        const auto shot = machine_.snapshot(now_);
        must(shot.processing <= 2 * 256, "ranges in processing within their limit");
        must(shot.ranges <= config_.window_blocks, "a window within its limit");
        must(shot.open_requests <= 1 + 256 + shot.ranges, "open requests within their limit");
        must(shot.anchors <= config_.anchors_max + 64, "anchors within their limit");
        must(shot.peers <= kPeers, "peers that came and did not go");
        must(shot.percentage >= 0 && shot.percentage <= 100, "a percentage");
        must((shot.percentage == 100) == (shot.state == State::synced && shot.behind == 0),
             "100 % is Synced and nothing else");
    }

    static Hash hash(Input& in, Height height) { return hash_of(height, in.byte() % 16 == 0 ? 1 : 0); }

    //! To one of the things that were asked last; true, shortened, wrong or a refusal.
    Event answer(Input& in) {
        if (asked_.empty()) {
            return Tick{};
        }
        const auto at = asked_.size() - 1 - in.byte() % asked_.size();
        const auto how = in.byte();
        const bool honest = how < 192;
        if (const auto* h = std::get_if<RequestHeaders>(&asked_[at])) {
            if (how >= 250) {
                return RequestFailed{h->request, static_cast<RequestFailure>(how % 5),
                                     static_cast<std::uint32_t>(in.number())};
            }
            return HeadersReceived{h->request, static_cast<ReplyResult>(honest ? 0 : how % 4),
                                   honest ? h->count : static_cast<std::uint32_t>(in.number()), in.number()};
        }
        if (const auto* b = std::get_if<RequestBlocks>(&asked_[at])) {
            if (how >= 250) {
                return RequestFailed{b->request, static_cast<RequestFailure>(how % 5),
                                     static_cast<std::uint32_t>(in.number())};
            }
            const auto count = honest && how < 128 ? b->count : static_cast<std::uint32_t>(in.number());
            const Height last = b->from + count - 1;
            return BlocksReceived{b->request, static_cast<ReplyResult>(honest ? 0 : how % 4), count, in.number(),
                                  hash(in, last)};
        }
        if (const auto* c = std::get_if<CheckHeaders>(&asked_[at])) {
            // What the driver read from the wire: at most a request's worth, ascending.
            const auto count = static_cast<std::uint32_t>(1 + in.number() % config_.headers_max);
            const Height first = c->parent.height + 1;
            const Height last = first + count - 1;
            const std::uint64_t fork = in.byte() % 16 == 0 ? 1 : 0;
            if (!honest) {
                return HeadersChecked{c->request, false, 0, 0, {}, 0, {}, "rule", in.number(), how % 2 == 0};
            }
            const bool overflows = last > (Height{1} << 63U);
            auto between = overflows ? std::vector<Anchor>{} : anchors(first, last, fork);
            return HeadersChecked{c->request, true, count, last, hash_of(last, fork), last, std::move(between),
                                  {},         0,    false};
        }
        if (const auto* s = std::get_if<SubmitRange>(&asked_[at])) {
            const Height last = s->from + s->count - 1;
            switch (how % 4) {
                case 0: return RangeChecked{s->range, s->submission};
                case 1: return RangeFailed{s->range, s->submission, "rule", in.number(), how % 8 == 1};
                default: return RangeCommitted{s->range, last, honest ? s->expected_end : hash(in, last)};
            }
        }
        const auto height = in.number();
        return honest ? Event{RecoveryDone{height, hash(in, height), height}} : Event{RecoveryFailed{"no"}};
    }

    //! Anything, asked for or not.
    Event event(unsigned what, Input& in) {
        const PeerId peer = in.byte() % kPeers;
        const auto number = in.number();
        const auto small = static_cast<std::uint32_t>(number);
        switch (what) {
            case 0: {
                Start start{static_cast<Mode>(number % 5), {}, {}};
                start.target = in.byte() % 4 == 0 ? std::optional(in.number()) : std::nullopt;
                start.from = in.byte() % 4 == 0 ? std::optional(in.number()) : std::nullopt;
                return start;
            }
            case 1: return Pause{"why"};
            case 2: return Resume{};
            case 3: return Stop{number % 2 == 0, "why"};
            case 4: return SlotTick{number};
            case 5:
            case 6: return PeerUp{peer, number % 3 == 0, number % 4};
            case 7: return PeerDown{peer};
            case 8: return PeerClaim{peer, number};
            case 9: {
                const auto score = static_cast<double>(number);
                return PeerScores{{{peer, score - 3}, {peer + 1, 1e300 * score}}};
            }
            case 10:
            case 11: return EvidenceVerified{peer, number, hash(in, number), in.number()};
            case 12: return HeadersReceived{in.number(), static_cast<ReplyResult>(peer % 4), small, in.number()};
            case 13: {
                const auto request = in.number();
                return HeadersChecked{request, peer % 2 == 0, small,  number, hash(in, number),
                                      number,  {},            "rule", number, false};
            }
            case 14: {
                const auto request = in.number();
                const auto bytes = in.number();
                return BlocksReceived{request, static_cast<ReplyResult>(peer % 4), small, bytes, hash(in, number)};
            }
            case 15: return RequestFailed{in.number(), static_cast<RequestFailure>(peer % 5), small};
            case 16: return RangeChecked{number, in.number()};
            case 17: return RangeFailed{number, in.number(), "rule", in.number(), peer % 2 == 0};
            case 18: return RangeCommitted{number, in.number(), hash(in, number)};
            case 19: return HeadChanged{number, hash(in, number), in.number()};
            case 20: return CommittedChanged{number, hash(in, number)};
            case 21: return StoreFault{"disk"};
            case 22: return ChainFault{"fork"};
            case 23: return RecoveryDone{number, hash(in, number), in.number()};
            case 24: return RecoveryFailed{"no"};
            case 25: return EmergencyEntered{"alarm"};
            case 26: return EmergencyCleared{};
            case 27: {
                GateInputs inputs;
                inputs.network_health = static_cast<double>(number) / 100;
                inputs.authorities_seen = small;
                inputs.quorum = in.byte() % 8;
                inputs.stall_statements = in.byte() % 8;
                inputs.blocks_since_pow = in.number();
                inputs.clock_offset_ms = static_cast<std::int64_t>(in.number());
                inputs.disk_free_bytes = in.number();
                inputs.holds_quorum_alone = number % 7 == 0;
                return inputs;
            }
            case 28: {
                const auto requests = static_cast<std::uint32_t>(in.number());
                const auto downloads = static_cast<std::uint32_t>(in.number());
                const auto window = in.number();
                return Tune{small, requests, downloads, window, static_cast<std::uint32_t>(in.number())};
            }
            default: return Tick{};
        }
    }

    SyncConfig config_;
    Machine machine_;
    Instant now_{};
    RequestId last_request_ = 0;
    std::deque<Asked> asked_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in(data, size);
    SyncConfig config;
    config.seed = in.byte();
    Run run(config);
    for (std::size_t i = 0; i < kSteps && !in.empty(); ++i) {
        run.one(in);
    }
    run.end();
    return 0;
}
