// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A driver, a pipeline and a handful of peers under virtual time, for tests of the sync machine.
//! Deterministic: one seed, one run.

#include <map>
#include <random>
#include <set>

#include "core/sync/machine.hpp"

namespace synod::sync::test {

using namespace std::chrono_literals;

inline Hash hash_of(Height height, std::uint64_t fork = 0) {
    Hash out;
    std::uint64_t z = height * 0x9e3779b97f4a7c15ULL + fork * 0x12345;
    for (std::size_t i = 0; i < 32; ++i) {
        z ^= z >> 27;
        z *= 0x94d049bb133111ebULL;
        out.data[i] = static_cast<std::uint8_t>(z >> 56);
    }
    return out;
}

inline BlockRef block(Height height, std::uint64_t fork = 0) {
    return {height, hash_of(height, fork)};
}

inline std::vector<Anchor> anchors(Height from, Height last, std::uint64_t fork = 0) {
    std::vector<Anchor> out;
    for (Height h = (from + kAnchorStride - 1) / kAnchorStride * kAnchorStride; h < last;
         h += kAnchorStride) {
        out.push_back(block(h, fork));
    }
    out.push_back(block(last, fork));
    return out;
}

//! `inventing` claims authorities that there aren't.
enum class Manner { honest, slow, silent, dropping, lying, corrupt, empty, busy, inventing };

struct FakePeer {
    Manner manner = Manner::honest;
    Duration latency = 20ms;
    double speed = 5e6;  // bytes/s
    Instant line_free{};
};

class FakeNet {
  public:
    static constexpr std::uint64_t kBlockBytes = 600;
    static constexpr std::uint64_t kHeaderBytes = 120;

    FakeNet(std::uint64_t seed, Height tip, SyncConfig config = {})
        : tip_(tip), random_(seed), config_(seeded(config, seed)),
          machine(config_, block(0), 0, block(0)) {}

    void peer(PeerId id, FakePeer p, std::uint64_t group = 0) {
        peers_[id] = p;
        feed(PeerUp{id, false, group == 0 ? id : group});
        feed(PeerClaim{id, p.manner == Manner::empty ? tip_ * 2 : tip_});
    }

    //! From now on, in bytes/s.
    void line(PeerId id, double speed) { peers_.at(id).speed = speed; }
    void manner(PeerId id, Manner manner) { peers_.at(id).manner = manner; }

    void feed(const Event& event) {
        for (Action& action : machine.step(event, now)) {
            std::visit([this](auto& a) { act(a); }, action);
        }
    }

    //! Until the state, or the virtual time is over.
    bool run_until(State wanted, Duration limit) {
        const Instant end = now + limit;
        Instant tick = now;
        Slot slot = slot_;
        while (now < end && machine.state() != wanted) {
            if (!queue_.empty() && queue_.begin()->first <= tick) {
                auto item = queue_.extract(queue_.begin());
                now = std::max(now, item.key());
                if (item.mapped().generation == 0 || item.mapped().generation == generation_) {
                    if (std::holds_alternative<RangeFailed>(item.mapped().event)) {
                        ++generation_;
                    }
                    feed(item.mapped().event);
                    after(item.mapped().event);
                }
                continue;
            }
            now = std::max(now, tick);
            feed(Tick{});
            if (static_cast<Slot>(now / 2s) > slot) {
                slot = static_cast<Slot>(now / 2s);
                slot_ = slot;
                feed(SlotTick{slot});
            }
            tick += 100ms;
        }
        return machine.state() == wanted;
    }

    Instant now{};
    std::vector<Penalise> penalised;
    std::size_t suspicions = 0;  // of our own fault
    std::vector<Disconnect> disconnected;
    std::vector<CoolDown> cooled;
    std::vector<std::string> faults;  // the driver's own complaints about the machine
    std::vector<Stalled> stalled;
    std::vector<State> states;
    Height head = 0;
    std::uint64_t delivered = 0;  // blocks in all replies
    Duration block_cost = 15us;   // to validate one
    Height header_seam = 0;       // no reply has headers from both sides of it
    std::vector<Height> changes;  // the last heights of sets of authorities: what follows needs the blocks up to there

  private:
    struct Item {
        Event event;
        std::uint64_t generation = 0;  // of range results; 0: always delivered
    };

    static SyncConfig seeded(SyncConfig config, std::uint64_t seed) {
        config.seed = seed;
        return config;
    }
    bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }
    void later(Duration after, Event event, std::uint64_t generation = 0) {
        queue_.emplace(now + after, Item{std::move(event), generation});
    }
    void after(const Event& event) {
        if (const auto* done = std::get_if<RangeCommitted>(&event)) {
            head = done->height;
            feed(HeadChanged{head, done->hash, head});
        }
    }

    void act(const RequestHeaders& r) {
        if (r.count > 4096 || r.parent != hash_of(r.from - 1)) {
            faults.push_back("bad header request");
        }
        FakePeer& p = peers_.at(r.peer);
        if (p.manner == Manner::silent || (p.manner == Manner::dropping && chance(0.4))) {
            return;
        }
        headers_[r.request] = {r.from, r.count, r.peer};
        if (p.manner == Manner::empty || r.from > tip_) {
            later(p.latency, HeadersReceived{r.request, ReplyResult::not_found, 0, 0});
            return;
        }
        auto end = r.from <= header_seam ? header_seam : tip_;
        for (const Height change : changes) {
            end = r.from <= change ? std::min(end, change) : end;
        }
        const auto count = static_cast<std::uint32_t>(std::min<Height>(r.count, end - r.from + 1));
        headers_[r.request].count = count;
        const std::uint64_t bytes = count * kHeaderBytes;
        later(flow(p, bytes), HeadersReceived{r.request, ReplyResult::ok, count, bytes});
    }
    //! Replies share a line, and one that nobody waits for any more takes it all the same. Answers when the last byte
    //! is here.
    Duration flow(FakePeer& p, std::uint64_t bytes) {
        const double speed = p.manner == Manner::slow ? 20e3 : p.speed;
        p.line_free = std::max(p.line_free, now) +
                      Duration(static_cast<std::int64_t>(static_cast<double>(bytes) / speed * 1e9));
        return p.line_free - now + p.latency;
    }
    void act(const CheckHeaders& c) {
        const auto asked = headers_.at(c.request);
        HeadersChecked out;
        out.request = c.request;
        out.ok = peers_.at(asked.peer).manner != Manner::lying;
        out.count = asked.count;
        out.last_height = asked.from + asked.count - 1;
        out.last_hash = hash_of(out.last_height);
        out.last_slot = out.last_height;
        out.anchors = anchors(asked.from, out.last_height);
        if (peers_.at(asked.peer).manner == Manner::inventing) {
            out.ok = false;
            out.later = head + 1 < asked.from;
        }
        for (const Height change : changes) {
            if (change < asked.from && head < change) {
                out.ok = false;
                out.later = true;
            }
        }
        out.rule = "header.signature";
        out.height = asked.from + asked.peer;
        later(1ms, out);
    }
    void act(const RequestBlocks& r) {
        FakePeer& p = peers_.at(r.peer);
        if (!open_.insert(r.request).second) {
            faults.push_back("request id used twice");
        }
        if (p.manner == Manner::silent || (p.manner == Manner::dropping && chance(0.2))) {
            return;
        }
        if (p.manner == Manner::busy && chance(0.5)) {
            later(p.latency, RequestFailed{r.request, RequestFailure::busy, 300});
            return;
        }
        if (p.manner == Manner::empty) {
            later(p.latency, BlocksReceived{r.request, ReplyResult::not_found, 0, 0, {}});
            return;
        }
        const auto fits = std::max<std::uint64_t>(1, r.soft_bytes / kBlockBytes);
        const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(r.count, fits));
        delivered += count;
        const bool lie = p.manner == Manner::lying && chance(0.5);
        corrupt_[r.request] = p.manner == Manner::corrupt && chance(0.5);
        later(flow(p, count * kBlockBytes),
              BlocksReceived{r.request, ReplyResult::ok, count, count * kBlockBytes,
                             hash_of(r.from + count - 1, lie ? 7 : 0)});
    }
    void act(const SubmitRange& s) {
        if (s.parent != hash_of(s.from - 1) || s.expected_end != hash_of(s.from + s.count - 1)) {
            faults.push_back("submitted range does not link");
        }
        bool bad = false;
        for (const RequestId id : s.requests) {
            bad = bad || corrupt_[id];
        }
        pipeline_free_ = std::max(pipeline_free_, now) + s.count * block_cost;
        const Height end = s.from + s.count - 1;
        if (bad) {
            later(pipeline_free_ - now,
                  RangeFailed{s.range, s.submission, "block.signature", s.from + s.peer, false},
                  generation_);
            return;
        }
        later(pipeline_free_ - now, RangeChecked{s.range, s.submission}, generation_);
        later(pipeline_free_ - now + 1ms, RangeCommitted{s.range, end, hash_of(end)}, generation_);
    }
    void act(const Penalise& p) { penalised.push_back(p); }
    void act(const SelfFaultSuspected&) { ++suspicions; }
    void act(const Disconnect& d) {
        disconnected.push_back(d);
        later(1ms, PeerDown{d.peer});
    }
    void act(const CoolDown& c) { cooled.push_back(c); }
    void act(const Stalled& s) { stalled.push_back(s); }
    void act(const StateChanged& s) { states.push_back(s.to); }
    void act(const Recover&) { later(10ms, RecoveryDone{head, hash_of(head), head}); }
    template <typename Other>
    void act(const Other&) {}

    struct Asked {
        Height from = 0;
        std::uint32_t count = 0;
        PeerId peer = 0;
    };
    Height tip_;
    std::mt19937_64 random_;
    SyncConfig config_;
    std::map<PeerId, FakePeer> peers_;
    std::multimap<Instant, Item> queue_;
    std::map<RequestId, Asked> headers_;
    std::map<RequestId, bool> corrupt_;
    std::set<RequestId> open_;
    Instant pipeline_free_{};
    std::uint64_t generation_ = 1;
    Slot slot_ = 0;

  public:
    Machine machine;  // last: it is built from config_
};

}  // namespace synod::sync::test
