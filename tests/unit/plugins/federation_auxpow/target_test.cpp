// SPDX-License-Identifier: Apache-2.0
//! Compact targets and ASERT: Bitcoin's rules, the specification's properties, exact values from an
//! independent computation with unbounded integers.
#include "plugins/consensus/federation/auxpow/asert.hpp"
#include "tests/unit/plugins/federation_auxpow/support.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace synod::federation;
using namespace synod::federation::test;

namespace {

U256 number(std::string_view hex) { return U256::from_hash(from_display_hex(hex).value()); }

U256 target(uint32_t bits) {
    const auto out = target_from_bits(bits);
    REQUIRE(out);
    return *out;
}

std::string fault_of(uint32_t bits) {
    const auto out = target_from_bits(bits);
    return out ? "" : out.fault().code;
}

AsertParams params(uint32_t easiest = 0x1d00ffff) { return {.easiest = target(easiest)}; }

struct Row {
    const char* anchor;
    int64_t time_diff, record_diff;
    const char* next;
};

} // namespace

TEST_CASE("compact targets follow Bitcoin's rules") {
    CHECK(target(0x1d00ffff).hex() ==
          "00000000ffff0000000000000000000000000000000000000000000000000000");
    CHECK(target(0x207fffff).hex() ==
          "7fffff0000000000000000000000000000000000000000000000000000000000");
    CHECK(target(0x01120000) == U256::of(0x12));
    CHECK(target(0x02008000) == U256::of(0x80));
    CHECK(target(0x05009234) == U256::of(0x92340000));
    CHECK(target(0x04123456) == U256::of(0x12345600));
    for (const uint32_t bits :
         {0x00000000u, 0x00123456u, 0x01003456u, 0x02000056u, 0x03000000u, 0x04000000u, 0x00923456u,
          0x01803456u, 0x02800056u, 0x03800000u, 0x04800000u}) {
        CAPTURE(bits);
        CHECK(fault_of(bits) == "bits.zero");
    }
    CHECK(fault_of(0x01fedcba) == "bits.negative");
    CHECK(fault_of(0x04923456) == "bits.negative");
    CHECK(fault_of(0xff123456) == "bits.overflow");
    CHECK(fault_of(0x23000001) == "bits.overflow");
    CHECK(fault_of(0x22000100) == "bits.overflow");
    CHECK(fault_of(0x21010000) == "bits.overflow");
    CHECK(fault_of(0x2100ffff).empty());
    CHECK(fault_of(0x220000ff).empty());
    CHECK(target(0x220000ff) == U256::of(0xff) << 248);
}

TEST_CASE("bits survive the way through a target") {
    Rng rng(7);
    for (int i = 0; i < 20000; ++i) {
        const auto size = static_cast<uint32_t>(3 + rng.below(30));
        const uint32_t word = static_cast<uint32_t>(0x8000 + rng.below(0x7f8000));
        const uint32_t bits = size << 24 | word;
        if (fault_of(bits).empty()) {
            REQUIRE(bits_from_target(target(bits)) == bits);
        }
    }
    CHECK(bits_from_target(U256::of(0x80)) == 0x02008000u);
    CHECK(bits_from_target(U256::of(0x12)) == 0x01120000u);
    CHECK(bits_from_target(U256{}) == 0u);
    CHECK(bits_from_target(number(std::string(64, 'f'))) == 0x2100ffffu);
}

TEST_CASE("real proofs carry canonical bits") {
    const auto proofs = real_proofs();
    if (proofs.empty()) {
        MESSAGE("skipped: vectors are not there");
        return;
    }
    for (const auto& real : proofs) {
        CHECK(bits_from_target(target(real.bits)) == real.bits);
    }
}

TEST_CASE("wide numbers shift and multiply") {
    const U256 one = U256::of(1);
    for (uint32_t n = 0; n < 256; ++n) {
        REQUIRE((one << n).width() == n + 1);
        REQUIRE(((one << n) >> n) == one);
    }
    CHECK((one << 256).is_zero());
    uint32_t carry = 0;
    const U256 top = number(std::string(64, 'f'));
    CHECK(top.times(0xffffffffu, carry).hex() == std::string(56, 'f') + "00000001");
    CHECK(carry == 0xfffffffeu);
    CHECK(U256::of(5) < (one << 64));
    CHECK((one << 200) > (one << 199));
}

TEST_CASE("ASERT on schedule keeps the target, a half-life late doubles it, early halves it") {
    const U256 anchor = target(0x1b00b269);
    for (const int64_t records : {0, 1, 5, 1000, 100000}) {
        const int64_t due = kAsertAimS * (records + 1);
        CHECK(asert_target(anchor, due, records, params()) == anchor);
        for (uint32_t k = 1; k < 17; ++k) { // 2^17 would pass the limit
            CHECK(asert_target(anchor, due + kAsertHalfLifeS * k, records, params()) == anchor
                                                                                            << k);
            CHECK(asert_target(anchor, due - kAsertHalfLifeS * static_cast<int64_t>(k), records,
                               params()) == anchor >> k);
        }
    }
}

TEST_CASE("ASERT is monotone in time and falls with the number of records") {
    const U256 anchor = target(0x1b00b269);
    U256 last = asert_target(anchor, -20001, 3, params());
    for (int64_t t = -20000; t < 20000; ++t) {
        const U256 next = asert_target(anchor, t, 3, params());
        REQUIRE(next >= last);
        last = next;
    }
    for (int64_t n = 0; n < 500; ++n) {
        REQUIRE(asert_target(anchor, 7000, n, params()) >=
                asert_target(anchor, 7000, n + 1, params()));
    }
}

TEST_CASE("ASERT stays within 0.013 % of the exact power") {
    const U256 anchor = U256::of(1) << 100;
    for (int64_t t = 0; t < kAsertHalfLifeS; ++t) {
        const U256 next = asert_target(anchor, t + kAsertAimS, 0, params()) >> 60;
        const double got = std::ldexp(static_cast<double>(next.limb[0]), -40);
        const double exact =
            std::exp2(static_cast<double>(t) / static_cast<double>(kAsertHalfLifeS));
        REQUIRE(std::fabs(got / exact - 1) <
                0.00016); // 0.013 % and the step of the 16-bit exponent
    }
}

TEST_CASE("ASERT never leaves its limits") {
    AsertParams p = params();
    p.hardest = target(0x18000fff);
    for (const int64_t t :
         {INT64_MIN, int64_t{-1000000000}, int64_t{0}, int64_t{1000000000}, INT64_MAX}) {
        for (const int64_t n : {INT64_MIN, int64_t{0}, int64_t{1000}, INT64_MAX}) {
            for (const U256& anchor :
                 {U256::of(1), p.hardest, p.easiest, number(std::string(64, 'f'))}) {
                const U256 next = asert_target(anchor, t, n, p);
                REQUIRE(next >= p.hardest);
                REQUIRE(next <= p.easiest);
            }
        }
    }
    CHECK(asert_target(p.easiest, 1000000000, 0, p) == p.easiest);
    CHECK(asert_target(p.easiest, -1000000000, 0, p) == p.hardest);
    CHECK(asert_target(p.easiest, 61, 0, p) == p.easiest);
}

TEST_CASE("ASERT gives the exact values of a computation with unbounded integers") {
    const Row limited[] = {
        {"000000000000000000000000000000000000000000000000116a536997b75093", 3660, 100,
         "0000000000000000000000000000000000000000000000000af87eb39076965d"},
        {"00000000000000000000000000000000026c224810c67fd994b2b8fda02f34a7", 36000, 1,
         "0000000000000000000000000000000977fce000d265add3a3b7e8202984a6e5"},
        {"0000000010bde686ed038db4de38378426d0b944a2863a7f3b5f3d86268ecc46", 0, 10000,
         "0000000000000000000000000000000000000000000000000029b3833d044d61"},
        {"00000000000000260af438d297524d6af51e8722c21b609228ce6f2410645d52", 61, 5,
         "0000000000000023eafc97bc181d9516f9409c1f799ae01bcee5f35fe137fa39"},
        {"000000000000000000000000016da261633a50eee0f9e038eb8f624fb804d821", 7260, 10000,
         "0000000000000000000000000000000000000000000000000000000000000001"},
        {"0000000000001764e0fd67dd2257989fef829c88f6ced90a71d2af7293b05a05", 0, 0,
         "00000000000017204bbfd0f8248e6ad2fea2f4210f474ba328b3ff4b3a4a6185"},
        {"0000000000000000000000000000000056057271f729b4c8420b0ebe378c74dd", 814697, 1,
         "00000000ffff0000000000000000000000000000000000000000000000000000"},
        {"000000000000000000000000000000000000092f62c82185d55ec1a581daad11", -5000, 100,
         "0000000000000000000000000000000000000117989f3f65f09a76d742c2393a"},
        {"000000000000000000000f6f538e504edc52bdcab2d87d5e29c0e596b2109308", 118262, 0,
         "0000000000001b83e846d9bfa5196c20013497f54594c407d4ec35eba9e80000"},
        {"000000000000000000000000000000000110d7c2ccf3d0b35815a3d516a91f3a", 59, 0,
         "000000000000000000000000000000000110ca7043f0cecba753d6c696c183f7"},
    };
    for (const Row& row : limited) {
        CAPTURE(row.anchor);
        CHECK(asert_target(number(row.anchor), row.time_diff, row.record_diff, params()).hex() ==
              row.next);
    }
    const Row wide[] = {
        {"8000000000000000000000000000000000000000000000000000000000000000", 60, 0,
         "8000000000000000000000000000000000000000000000000000000000000000"},
        {"8000000000000000000000000000000000000000000000000000000000000005", 3000, 0,
         "e179000000000000000000000000000000000000000000000000000000000008"},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", -40000, 0,
         "001d4a7fffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    };
    AsertParams p;
    p.easiest = number(std::string(64, 'f'));
    for (const Row& row : wide) {
        CAPTURE(row.anchor);
        CHECK(asert_target(number(row.anchor), row.time_diff, row.record_diff, p).hex() ==
              row.next);
    }
}

TEST_CASE("the next bits are a function of the parent record") {
    const AsertParams p = params();
    const auto next = [&](uint32_t bits, uint64_t time, uint64_t previous) {
        const auto out = next_bits({bits, time, previous}, p);
        REQUIRE(out);
        return *out;
    };
    CHECK(next(0x1c0fffff, 1060, 1000) == 0x1c0fffffu);
    CHECK(next(0x1c0fffff, 4660, 1000) == 0x1c1ffffeu);
    CHECK(next(0x1d00ffff, 999999999, 0) == 0x1d00ffffu);
    CHECK(next(0x1d00ffff, 1000, 1000) < 0x1d00ffffu);
    CHECK(next(0x1c0fffff, 1000, 1060) <
          next(0x1c0fffff, 1000, 1000)); // times that go back count as early
    CHECK(next(0x1c0fffff, UINT64_MAX, 0) == 0x1d00ffffu);
    CHECK_FALSE(next_bits({0x01fedcba, 1, 0}, p));
}

TEST_CASE("steady work settles at the aim") {
    // A miner whose hash rate suddenly is a quarter: the target must grow fourfold, and then stay.
    const AsertParams p = params();
    uint32_t bits = 0x1b00b269;
    const double rate = std::ldexp(static_cast<double>((target(bits) >> 160).limb[0]), 0);
    uint64_t time = 1000000;
    for (int i = 0; i < 600; ++i) {
        const double wait = 60.0 * 4 * rate / static_cast<double>((target(bits) >> 160).limb[0]);
        const uint64_t previous = time;
        time += static_cast<uint64_t>(std::lround(wait));
        bits = *next_bits({bits, time, previous}, p);
    }
    const double grown = static_cast<double>((target(bits) >> 160).limb[0]) / rate;
    CHECK(grown > 3.9);
    CHECK(grown < 4.1);
}
