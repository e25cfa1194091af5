// SPDX-License-Identifier: Apache-2.0
//! Building proofs, and the encodings of bundle header and finality record.
#include "plugins/consensus/federation/auxpow/bundle.hpp"
#include "tests/unit/plugins/federation_auxpow/support.hpp"

#include <doctest/doctest.h>

using namespace synod::federation;
using namespace synod::federation::test;

namespace {

BundleHeader sample() {
    BundleHeader out;
    out.chain_id = 0x5359;
    out.range_start = 1;
    out.range_end = 300;
    out.bits = 0x207fffff;
    out.blocks_root.fill(0xab);
    out.payout.assign(20, 0xcd);
    out.governance_sequence = 9;
    return out;
}

FinalityRecord sample_record() {
    const Hasher hash = sodium_hasher();
    FinalityRecord out{sample(), {}};
    BuildInput input;
    input.aux_hash = *bundle_hash(out.bundle, hash);
    input.chain_id = out.bundle.chain_id;
    input.target = *target_from_bits(out.bundle.bits);
    out.proof = *build_auxpow(input, hash);
    return out;
}

} // namespace

TEST_CASE("a built proof passes every rule, through the wire too") {
    const Hasher hash = sodium_hasher();
    Rng rng(11);
    for (int i = 0; i < 50; ++i) {
        BuildInput input;
        for (auto& b : input.aux_hash) {
            b = static_cast<uint8_t>(rng());
        }
        input.chain_id = i == 0 ? 0 : static_cast<uint32_t>(rng.below(0x10000));
        if (i == 1) {
            input.chain_id = 1;
        }
        input.target = *target_from_bits(0x1f7fffff); // 1 hash in 512
        input.parent_time = static_cast<uint32_t>(rng());
        input.first_nonce = i % 2 == 0 ? 0xfffffff0u : static_cast<uint32_t>(rng());
        const auto proof = build_auxpow(input, hash);
        REQUIRE(proof);
        const auto again = parse_auxpow(encode_auxpow(*proof));
        REQUIRE(again);
        const auto report =
            check_auxpow(*again, input.aux_hash, input.chain_id, input.target, hash);
        for (const Rule& rule : report.rules) {
            CAPTURE(rule.code);
            CHECK(rule.verdict == Verdict::holds);
        }
        CHECK(encode_auxpow(*build_auxpow(input, hash)) ==
              encode_auxpow(*proof)); // same input, same proof
    }
}

TEST_CASE("building gives up after its bound") {
    BuildInput input;
    input.target = U256::of(1);
    input.max_tries = 100;
    const auto out = build_auxpow(input, sodium_hasher());
    REQUIRE_FALSE(out);
    CHECK(std::string_view(out.fault().code) == "auxpow.exhausted");
}

TEST_CASE("the slot is Namecoin's") {
    CHECK(expected_slot(0, 1, 0) == 0);
    for (uint32_t height = 0; height <= 30; ++height) {
        for (const uint32_t nonce : {0u, 1u, 7u, 0xffffffffu, 0x12345678u}) {
            for (const uint32_t id : {1u, 98u, 0xffffu}) {
                const uint64_t m =
                    uint64_t{1}
                    << height; // with a reduction at each step, as the old client did it
                uint64_t r = nonce;
                r = (r * 1103515245 + 12345) % m;
                r = (r + id) % m;
                r = (r * 1103515245 + 12345) % m;
                CHECK(expected_slot(nonce, id, height) == r);
            }
        }
    }
}

TEST_CASE("the bundle header's bytes are fixed") {
    const auto bytes = encode_bundle(sample());
    REQUIRE(bytes);
    CHECK(
        to_hex(*bytes) == "01000000"
                          "59530000"
                          "0100000000000000"
                          "2c01000000000000"
                          "ffff7f20" +
                              [] {
                                  std::string s;
                                  for (int i = 0; i < 32; ++i)
                                      s += "ab";
                                  return s;
                              }() +
                              "14" +
                              [] {
                                  std::string s;
                                  for (int i = 0; i < 20; ++i)
                                      s += "cd";
                                  return s;
                              }() +
                              "0900000000000000");
    CHECK(bytes->size() == 69 + 20);
    REQUIRE(decode_bundle(*bytes));
    CHECK(*decode_bundle(*bytes) == sample());
    const Hash32 id = *bundle_hash(sample(), sodium_hasher());
    CHECK(id == sodium_hasher()(*bytes));
    for (size_t bit = 0; bit < 8 * bytes->size();
         ++bit) { // every bit is bound by the hash, and has one encoding
        Bytes other = *bytes;
        other[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
        if (const auto header = decode_bundle(other)) {
            REQUIRE(*encode_bundle(*header) == other);
            REQUIRE(*bundle_hash(*header, sodium_hasher()) != id);
        }
    }
}

TEST_CASE("bundle headers that are none have their reason") {
    const auto code = [](auto change) {
        BundleHeader h = sample();
        change(h);
        const auto out = encode_bundle(h);
        return out ? std::string() : std::string(out.fault().code);
    };
    CHECK(code([](BundleHeader&) {}).empty());
    CHECK(code([](BundleHeader& h) { h.version = 2; }) == "bundle.version");
    CHECK(code([](BundleHeader& h) { h.range_start = 0; }) == "bundle.range");
    CHECK(code([](BundleHeader& h) { h.range_start = 301; }) == "bundle.range");
    CHECK(code([](BundleHeader& h) { h.payout.resize(19); }) == "bundle.payout");
    CHECK(code([](BundleHeader& h) { h.payout.resize(33); }) == "bundle.payout");
    CHECK(code([](BundleHeader& h) { h.payout.resize(32); }).empty());
    const Bytes bytes = *encode_bundle(sample());
    for (size_t n = 0; n < bytes.size(); ++n) {
        const auto cut = decode_bundle(ByteView(bytes).first(n));
        REQUIRE_FALSE(cut);
        CHECK(std::string_view(cut.fault().code) == "bundle.truncated");
    }
    Bytes more = bytes;
    more.push_back(0);
    CHECK(std::string_view(decode_bundle(more).fault().code) == "bundle.trailing");
}

TEST_CASE("the root of a range depends on every hash and on their order") {
    const Hasher hash = sodium_hasher();
    CHECK_FALSE(range_root({}, hash));
    Hash32 a{}, b{}, c{};
    a[0] = 1, b[0] = 2, c[0] = 3;
    CHECK(*range_root({a}, hash) == a);
    CHECK(*range_root({a, b}, hash) == hash.pair(a, b));
    CHECK(*range_root({a, b, c}, hash) == hash.pair(hash.pair(a, b), c));
    CHECK(*range_root({a, b, c, a, b}, hash) ==
          hash.pair(hash.pair(hash.pair(a, b), hash.pair(c, a)), b));
    CHECK(*range_root({a, b, c, c}, hash) !=
          *range_root({a, b, c}, hash)); // no duplicated last leaf
    CHECK(*range_root({b, a}, hash) != *range_root({a, b}, hash));
}

TEST_CASE("a finality record has one encoding") {
    const FinalityRecord record = sample_record();
    const auto bytes = encode_record(record);
    REQUIRE(bytes);
    const auto again = decode_record(*bytes);
    REQUIRE(again);
    CHECK(again->bundle == record.bundle);
    CHECK(*encode_record(*again) == *bytes);
    CHECK(check_auxpow(again->proof, *bundle_hash(again->bundle, sodium_hasher()),
                       again->bundle.chain_id, *target_from_bits(again->bundle.bits),
                       sodium_hasher())
              .ok());

    FinalityRecord loose = record;
    loose.proof.block_hash[0] = 1;
    CHECK(*encode_record(loose) == *bytes);
    const auto refused = [](Bytes b) {
        const auto out = decode_record(b);
        return out ? std::string() : std::string(out.fault().code);
    };
    const auto raw = [&](const AuxPow& proof) {
        return Writer{}.bytes(*encode_bundle(record.bundle)).bytes(encode_auxpow(proof)).take();
    };
    CHECK(refused(raw(record.proof)).empty());
    CHECK(refused(raw(loose.proof)) == "record.not_normal");
    loose = record;
    const auto& base = record.proof.coinbase.base;
    loose.proof.coinbase.witness_form = Writer{}
                                            .bytes(ByteView(base).first(4))
                                            .u8(0)
                                            .u8(1)
                                            .bytes(ByteView(base).subspan(4, base.size() - 8))
                                            .bytes(Bytes{1, 1, 0xaa})
                                            .bytes(ByteView(base).last(4))
                                            .take();
    CHECK(refused(raw(loose.proof)) == "record.not_normal");
    CHECK(*encode_record(loose) == *bytes);

    Bytes more = *bytes;
    more.push_back(0);
    CHECK(refused(more) == "record.trailing");
    CHECK(refused(Bytes(kMaxFinalityRecordBytes + 1)) == "record.too_large");
    for (size_t n = 0; n < bytes->size(); ++n) {
        const auto code = refused(Bytes(bytes->begin(), bytes->begin() + static_cast<long>(n)));
        REQUIRE(code == (n < 89 ? "bundle.truncated" : "auxpow.truncated"));
    }
    loose = record;
    loose.proof.chain_branch.siblings.resize(2100);
    REQUIRE_FALSE(encode_record(loose));
    CHECK(std::string_view(encode_record(loose).fault().code) == "record.too_large");
}

TEST_CASE("no bit of a finality record is free to be changed") {
    const Bytes bytes = *encode_record(sample_record());
    const Hasher hash = sodium_hasher();
    size_t other_work = 0;
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        Bytes other = bytes;
        other[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
        const auto record = decode_record(other);
        if (!record) {
            continue;
        }
        const bool ok = check_auxpow(record->proof, *bundle_hash(record->bundle, hash),
                                     record->bundle.chain_id, *target_from_bits(0x207fffff), hash)
                            .ok();
        // Only another parent header may pass, by work of its own: at this target every second one.
        CAPTURE(bit);
        const bool in_parent = bit / 8 >= bytes.size() - kBlockHeaderBytes;
        CHECK((!ok || in_parent));
        other_work += ok ? 1 : 0;
    }
    CHECK(other_work > 0);
}
