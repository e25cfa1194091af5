// SPDX-License-Identifier: Apache-2.0
#include "core/peers/misbehaviour.hpp"

#include <doctest/doctest.h>

using namespace synod;
using namespace synod::peers;
using std::chrono::seconds;

namespace {

PublicKey key(std::uint8_t n) {
    PublicKey out;
    out.data.fill(n);
    return out;
}
Offence offence(UnixMs at = 1'000) { return {"invalid_block", "author-signature", 7, at}; }

}  // namespace

TEST_CASE("ledger.a_fatal_offence_bans_for_a_day_and_keeps_the_reason") {
    Misbehaviour ledger;
    CHECK(ledger.report(key(1), Severity::kFatal, offence(), Instant{}) == Verdict::kBan);
    CHECK(ledger.banned(key(1), 1'000 + kBanMs - 1));
    CHECK(!ledger.banned(key(1), 1'000 + kBanMs));
    CHECK(!ledger.banned(key(2), 1'000));
    const auto standing = ledger.standing(key(1), Instant{}, 1'000);
    REQUIRE(standing.offences.size() == 1);
    CHECK(standing.offences[0].rule == "author-signature");
    CHECK(standing.banned_until == 1'000 + kBanMs);
}

TEST_CASE("ledger.small_offences_add_up_and_fade") {
    Misbehaviour ledger;
    CHECK(ledger.report(key(1), Severity::kMedium, offence(), Instant{}) == Verdict::kNone);
    CHECK(ledger.report(key(1), Severity::kMedium, offence(), Instant{}) == Verdict::kDisconnect);
    CHECK(ledger.standing(key(1), kHalfLife, 0).points == doctest::Approx(10));
    CHECK(ledger.report(key(1), Severity::kMedium, offence(), 10 * kHalfLife) == Verdict::kNone);
}

TEST_CASE("ledger.is_bounded_and_forgets_the_least_guilty_first") {
    Misbehaviour ledger;
    ledger.report(key(255), Severity::kFatal, offence(), Instant{});
    for (std::uint32_t i = 0; i < kMaxLedgerEntries + 10; ++i) {
        PublicKey k;
        std::memcpy(k.data.data(), &i, sizeof i);
        ledger.report(k, Severity::kSlight, offence(), Instant{});
    }
    CHECK(ledger.banned(key(255), 1'000));
}

TEST_CASE("ledger.bans_survive_through_restore") {
    Misbehaviour first;
    first.report(key(1), Severity::kFatal, offence(), Instant{});
    Misbehaviour second;
    for (const auto& ban : first.bans(2'000)) {
        second.restore(ban, Instant{});
    }
    CHECK(second.banned(key(1), 2'000));
    CHECK(second.standing(key(1), Instant{}, 2'000).offences[0].reason == "invalid_block");
    second.pardon(key(1));
    CHECK(!second.banned(key(1), 2'000));
}
