// SPDX-License-Identifier: Apache-2.0
//! Hostile bytes: typed faults, never a crash, canonical forms only.
#include "plugins/consensus/federation/auxpow/bundle.hpp"
#include "plugins/consensus/federation/auxpow/check_json.hpp"
#include "tests/unit/plugins/federation_auxpow/support.hpp"

#include <doctest/doctest.h>

using namespace synod::federation;
using namespace synod::federation::test;

namespace {

Bytes built() {
    BuildInput input;
    input.aux_hash.fill(0x5a);
    input.chain_id = 7;
    input.target = *target_from_bits(0x207fffff);
    const auto proof = build_auxpow(input, sodium_hasher());
    REQUIRE(proof);
    return encode_auxpow(*proof);
}

std::string code_of(ByteView bytes) {
    const auto out = parse_auxpow(bytes);
    return out ? "" : out.fault().code;
}

/// The built proof with its coinbase replaced.
Bytes with_coinbase(const Bytes& coinbase) {
    const Bytes whole = built();
    const size_t old = parse_auxpow(whole)->coinbase.base.size();
    return Writer{}.bytes(coinbase).bytes(ByteView(whole).subspan(old)).take();
}

Bytes transaction(std::string_view hex) { return from_hex(hex).value(); }

const std::string kInput = std::string(64, '0') + "ffffffff" + "00" + "ffffffff";

} // namespace

TEST_CASE("every cut of a proof is refused as truncated, bytes after it as trailing") {
    const Bytes whole = built();
    CHECK(code_of(whole).empty());
    for (size_t n = 0; n < whole.size(); ++n) {
        CAPTURE(n);
        CHECK(code_of(ByteView(whole).first(n)) == "auxpow.truncated");
    }
    Bytes more = whole;
    more.push_back(0);
    CHECK(code_of(more) == "auxpow.trailing");
    CHECK(code_of(Bytes(kMaxAuxPowBytes + 1)) == "auxpow.too_large");
}

TEST_CASE("a transaction has one form") {
    const std::string v = "01000000", lock = "00000000";
    CHECK(code_of(with_coinbase(transaction(v + "01" + kInput + "00" + lock))).empty());
    CHECK(code_of(with_coinbase(transaction(v + "fd0100" + kInput + "00" + lock))) ==
          "auxpow.compact_size");
    CHECK(code_of(with_coinbase(transaction(v + "fe01000000" + kInput + "00" + lock))) ==
          "auxpow.compact_size");
    CHECK(code_of(with_coinbase(transaction(v + "ff0100000000000000" + kInput + "00" + lock))) ==
          "auxpow.compact_size");
    CHECK(code_of(with_coinbase(transaction(v + "0000" + lock))) == "auxpow.tx_no_inputs");
    CHECK(code_of(with_coinbase(transaction(v + "000100" + "00" + lock))) == "auxpow.tx_no_inputs");
    CHECK(code_of(with_coinbase(transaction(v + "0002" + "01" + kInput + "00" + "0101aa" +
                                            lock))) == "auxpow.tx_witness_flag");
    CHECK(code_of(with_coinbase(transaction(v + "0001" + "01" + kInput + "00" + "00" + lock))) ==
          "auxpow.tx_witness_empty");
    CHECK(code_of(with_coinbase(transaction(v + "ffffffffffffffffff" + kInput))) ==
          "auxpow.truncated");
}

TEST_CASE("the transaction id leaves the witness out") {
    const Bytes plain = transaction("0100000001" + kInput + "0000000000");
    const Bytes witness = transaction("01000000000101" + kInput + "00" + "0101aa" + "00000000");
    const Hasher hash = sodium_hasher();
    Reader a(plain), b(witness);
    const BitcoinTx x = read_transaction(a, plain), y = read_transaction(b, witness);
    REQUIRE(a.ok());
    REQUIRE(b.ok());
    CHECK(b.left() == 0);
    CHECK(y.base == plain);
    CHECK(x.txid(hash) == y.txid(hash));
    CHECK(Bytes(y.wire().begin(), y.wire().end()) == witness);
    CHECK(x.is_coinbase());
}

TEST_CASE("two inputs are no coinbase") {
    const auto proof =
        parse_auxpow(with_coinbase(transaction("0100000002" + kInput + kInput + "0000000000")));
    REQUIRE(proof);
    CHECK_FALSE(proof->coinbase.is_coinbase());
}

TEST_CASE("random damage never crashes and what parses re-encodes to itself") {
    std::vector<Bytes> seeds{built()};
    for (const auto& real : real_proofs()) {
        seeds.push_back(real.proof);
    }
    const Hasher hash = sodium_hasher();
    Rng rng(20260101);
    size_t parsed = 0, refused = 0;
    for (int round = 0; round < 20000; ++round) {
        Bytes bytes = seeds[rng.below(seeds.size())];
        const auto flips = rng.below(6);
        for (uint64_t i = 0; i < flips; ++i) {
            bytes[rng.below(bytes.size())] ^= static_cast<uint8_t>(1 + rng.below(255));
        }
        if (rng.below(4) == 0) {
            bytes.resize(rng.below(bytes.size() + 1));
        }
        const auto proof = parse_auxpow(bytes);
        if (proof) {
            ++parsed;
            REQUIRE(encode_auxpow(*proof) == bytes);
            REQUIRE(check_auxpow(*proof, {}, 7, std::nullopt, hash).rules.size() == kRuleCount);
        } else {
            ++refused;
            REQUIRE(std::string_view(proof.fault().code).starts_with("auxpow."));
        }
        const auto record = decode_record(bytes);
        REQUIRE((record || !std::string_view(record.fault().code).empty()));
    }
    CHECK(parsed > 1000);
    CHECK(refused > 1000);
}

TEST_CASE("the report lists every rule") {
    const Bytes bytes = built();
    Hash32 hash;
    hash.fill(0x5a);
    const std::string good =
        check_json(7, hash, target_from_bits(0x207fffff).operator*(), bytes, sodium_hasher());
    CHECK(good.starts_with("{\"ok\":true,\"parsed\":true,\"chain_id\":7,"));
    CHECK(good.find("\"holds\":false") == std::string::npos);
    const std::string open = check_json(7, hash, std::nullopt, bytes, sodium_hasher());
    CHECK(open.find("\"code\":\"auxpow.target\"") != std::string::npos);
    CHECK(open.find("\"holds\":false,\"checked\":false") != std::string::npos);
    hash[0] ^= 1;
    const std::string bad = check_json(7, hash, std::nullopt, bytes, sodium_hasher());
    CHECK(bad.starts_with("{\"ok\":false,\"parsed\":true"));
    CHECK(bad.find("\"reason\":\"auxpow.root_missing\"") != std::string::npos);
    const std::string cut =
        check_json(7, hash, std::nullopt, ByteView(bytes).first(50), sodium_hasher());
    CHECK(cut.find("\"parsed\":false") != std::string::npos);
    CHECK(cut.find("\"reason\":\"auxpow.truncated\"") != std::string::npos);
}

TEST_CASE("the RPC method reads its parameters strictly") {
    const Hasher hash = sodium_hasher();
    const std::string proof = to_hex(built());
    const auto call = [&](const std::string& text) { return check_call(text, hash); };
    std::string display;
    for (int i = 0; i < 32; ++i) {
        display += "5a";
    }
    const std::string base =
        "{\"chain_id\":7,\"hash\":\"" + display + "\",\"auxpow\":\"" + proof + "\"";
    REQUIRE(call(base + "}"));
    CHECK(call(base + ",\"bits\":\"207fffff\"}")->starts_with("{\"ok\":true"));
    CHECK(call(base + ",\"bits\":545259519}")->starts_with("{\"ok\":true"));
    CHECK(call(base + ",\"target\":\"" + std::string(63, '0') + "1\"}")
              ->starts_with("{\"ok\":false"));
    for (const std::string& bad :
         {std::string("{"), std::string("[]"), std::string("{}"), base + ",\"bits\":\"xyz\"}",
          base + ",\"bits\":4294967296}", base + ",\"bits\":1,\"bits\":2}",
          base + ",\"target\":\"00\"}",
          std::string("{\"chain_id\":-1,\"hash\":\"") + display + "\",\"auxpow\":\"\"}",
          std::string("{\"chain_id\":1,\"hash\":\"zz\",\"auxpow\":\"\"}"),
          std::string("{\"chain_id\":1,\"hash\":\"") + display + "\",\"auxpow\":\"0\"}"}) {
        CAPTURE(bad);
        const auto out = call(bad);
        REQUIRE_FALSE(out);
        CHECK(std::string_view(out.fault().code) == "rpc.params");
    }
    const auto zero = call(base + ",\"bits\":0}");
    REQUIRE_FALSE(zero);
    CHECK(std::string_view(zero.fault().code) == "bits.zero");
}
