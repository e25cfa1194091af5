// SPDX-License-Identifier: Apache-2.0
//! The three ledgers in force: points and bans, cool-downs, and our own fault.
#include "core/app/node/judge.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::app;
using namespace std::chrono_literals;

namespace {

constexpr UnixMs kUnix = 1'700'000'000'000;
constexpr Instant kNow{1h};

PublicKey key(std::uint8_t n) {
    PublicKey out;
    out.data.fill(n);
    return out;
}

Charge fatal(std::optional<Hash> digest = {}) {
    return {peers::Severity::kFatal, "invalid_block", "author-signature", 7, digest};
}

Hash digest(std::uint8_t n) {
    Hash out;
    out.data.fill(n);
    return out;
}

struct Bench {
    std::vector<store::Commit> written;
    Judge judge{[this](store::Commit change) { written.push_back(std::move(change)); }};
};

}  // namespace

TEST_CASE("judge: a ban is stored, and a restart knows it") {
    Bench bench;
    CHECK(bench.judge.charge(key(1), 1, fatal(), false, kNow, kUnix) == Sentence::kBan);
    CHECK(bench.judge.banned(key(1), kUnix));
    CHECK_FALSE(bench.judge.banned(key(2), kUnix));
    REQUIRE(bench.written.size() == 1);

    Bench again;
    again.judge.restore(bench.written[0].put_records, kNow, kUnix + 1);
    CHECK(again.judge.banned(key(1), kUnix + 1));
    const auto standing = again.judge.standing(key(1), kNow, kUnix + 1);
    REQUIRE(standing.offences.size() == 1);
    CHECK(standing.offences[0].reason == "invalid_block");
    CHECK(standing.offences[0].rule == "author-signature");
    CHECK(standing.offences[0].height == 7);

    Bench later;
    later.judge.restore(bench.written[0].put_records, kNow, kUnix + peers::kBanMs + 1);
    CHECK_FALSE(later.judge.banned(key(1), kUnix + peers::kBanMs + 1));
}

TEST_CASE("judge: unreadable bans are left out") {
    Bench bench;
    bench.judge.restore({{"bans", Bytes(5, 1), Bytes(9, 2)}, {"bans", Bytes(32, 1), Bytes(3, 2)}},
                        kNow, kUnix);
    CHECK_FALSE(bench.judge.banned(key(1), kUnix));
}

TEST_CASE("judge: the last peers are never banned; they cool down and we suspect ourselves") {
    Bench bench;
    CHECK(bench.judge.charge(key(1), 1, fatal(), true, kNow, kUnix) == Sentence::kCoolDown);
    CHECK_FALSE(bench.judge.banned(key(1), kUnix));
    CHECK(bench.judge.cooling(key(1), kNow));
    CHECK(bench.judge.self_faults() == 1);
    CHECK(bench.written.empty());
    CHECK(bench.judge.standing(key(1), kNow, kUnix).offences.size() == 1);
}

TEST_CASE("judge: the same bytes from another network clear whoever was banned for them") {
    Bench bench;
    CHECK(bench.judge.charge(key(1), 1, fatal(digest(9)), false, kNow, kUnix) == Sentence::kBan);
    CHECK(bench.judge.charge(key(2), 1, fatal(digest(9)), false, kNow, kUnix) == Sentence::kBan);
    CHECK(bench.judge.charge(key(3), 2, fatal(digest(9)), false, kNow, kUnix) == Sentence::kSelfFault);
    CHECK_FALSE(bench.judge.banned(key(1), kUnix));
    CHECK_FALSE(bench.judge.banned(key(2), kUnix));
    CHECK_FALSE(bench.judge.banned(key(3), kUnix));
    CHECK(bench.judge.self_faults() == 1);
    // And a restart doesn't bring the ban back.
    Bench again;
    for (const auto& change : bench.written) {
        again.judge.restore(change.put_records, kNow, kUnix);
    }
    std::vector<store::Record> last{bench.written.back().put_records};
    Bench newest;
    newest.judge.restore(last, kNow, kUnix);
    CHECK_FALSE(newest.judge.banned(key(1), kUnix));
    // Other bytes are another matter.
    CHECK(bench.judge.charge(key(3), 2, fatal(digest(8)), false, kNow, kUnix) == Sentence::kBan);
}

TEST_CASE("judge: silence costs time and never points; an answer ends it") {
    Bench bench;
    for (int i = 0; i < 50; ++i) {
        bench.judge.unanswered(key(1), "stalls the window", kNow + i * 11min);
    }
    const auto now = kNow + 49 * 11min;
    CHECK(bench.judge.standing(key(1), now, kUnix).points == 0);
    CHECK_FALSE(bench.judge.banned(key(1), kUnix));
    REQUIRE(bench.judge.cool_down(key(1)));
    CHECK(bench.judge.cool_down(key(1))->reason == "stalls the window");
    CHECK(bench.judge.cool_down(key(1))->times == 50);
    CHECK(bench.judge.cool_down(key(1))->until == now + peers::kCoolDownMax);
    bench.judge.answered(key(1));
    CHECK_FALSE(bench.judge.cool_down(key(1)));
    CHECK_FALSE(bench.judge.cooling(key(1), now));
}
