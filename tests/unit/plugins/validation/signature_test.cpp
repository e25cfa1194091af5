// SPDX-License-Identifier: Apache-2.0
//! The signature rule on published vectors and on the cases where verifiers disagree.
//!
//! Where the rule and libsodium's crypto_sign_verify_detached differ:
//!
//!   case                                             libsodium   the rule
//!   A of mixed order (speccheck 3)                   holds       fails: A must be of prime order
//!   A = P + (0, -1), which is_valid_point of 1.0.18
//!   lets pass (CVE-2025-69277)                       if h is even fails: the same
//!   R off by a point of small order                  fails       holds: [8] clears it
//!   R of small order, s = h * a                      fails       holds: the same
//!
//! Both refuse: s >= L (speccheck 6, 7), non-canonical R (8, 9) or A (10, 11), A of small order (0, 1). All twelve
//! speccheck cases fail by the rule, since each has such an s or an A that isn't of prime order.

#include "tests/unit/plugins/validation/backend.hpp"

#include <synod/extra/ed25519_rule.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace synod::validation_test;
namespace json = boost::json;
namespace rule = synod::ed25519;

//! Points of order 2, 4 and 8 in their canonical encodings.
constexpr const char* kOrder2 = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
constexpr const char* kOrder4 = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr const char* kOrder8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";

Bytes unhex(const std::string& text) {
    Bytes out(text.size() / 2);
    if (out.empty()) {
        return out;
    }
    REQUIRE(sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, nullptr, nullptr) == 0);
    return out;
}

template <std::size_t N>
std::array<std::uint8_t, N> fixed(const Bytes& bytes) {
    REQUIRE(bytes.size() == N);
    std::array<std::uint8_t, N> out;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

Digest point(const char* text) { return fixed<32>(unhex(text)); }

//! A file of the vectors, or null with a message when it isn't there.
json::value vectors(const char* name) {
    const std::filesystem::path path = std::filesystem::path(SYNOD_VECTORS_DIR) / name;
    if (!std::filesystem::exists(path)) {
        MESSAGE("skipped: no vectors at ", path.string());
        return nullptr;
    }
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return json::parse(text.str());
}

std::string text_of(const json::value& v, const char* key) { return std::string(v.at(key).as_string()); }

//! Verdicts of every backend, which must be the same; those of the reference are returned.
Bytes verdicts(const Checks& checks) {
    Backend reference("reference");
    const Verdicts expected = judge(reference, checks);
    Backend simd("simd");
    CHECK(judge(simd, checks) == expected);
    for (const std::string& config : batch_configs()) {
        CAPTURE(config);
        Backend batch("batch", config);
        CHECK(judge(batch, checks) == expected);
    }
    return expected.signatures;
}

bool holds(const SignatureCheck& check) {
    return verdicts({.signatures = {check}, .digests = {}, .merkles = {}, .targets = {}})[0] ==
           SYNOD_VERDICT_HOLDS;
}

struct Signer {
    Digest scalar{};  // a, reduced
    Digest key{};
    Digest nonce{};
};

Digest base(const Digest& scalar) {
    Digest out = point("0100000000000000000000000000000000000000000000000000000000000000");
    if (sodium_is_zero(scalar.data(), 32) == 0) {
        REQUIRE(crypto_scalarmult_ed25519_base_noclamp(out.data(), scalar.data()) == 0);
    }
    return out;
}

Digest add(const Digest& a, const Digest& b) {
    Digest out;
    REQUIRE(crypto_core_ed25519_add(out.data(), a.data(), b.data()) == 0);
    return out;
}

Signer signer() {
    Signer s;
    crypto_core_ed25519_scalar_random(s.scalar.data());
    crypto_core_ed25519_scalar_random(s.nonce.data());
    s.key = base(s.scalar);
    return s;
}

//! Signs with R = [nonce]B + torsion under `key`, which may carry torsion as well.
SignatureCheck sign(const Signer& s, const Digest& key, const Digest* torsion, const Bytes& message) {
    SignatureCheck check{key, {}, message};
    Digest r = base(s.nonce);
    if (torsion != nullptr) {
        r = add(r, *torsion);
    }
    std::copy(r.begin(), r.end(), check.signature.begin());
    Digest h;
    rule::challenge(key.data(), check.signature.data(), {message.data(), message.size()}, h.data());
    Digest ha;
    crypto_core_ed25519_scalar_mul(ha.data(), h.data(), s.scalar.data());
    crypto_core_ed25519_scalar_add(check.signature.data() + 32, ha.data(), s.nonce.data());
    return check;
}

bool libsodium_holds(const SignatureCheck& c) {
    return crypto_sign_verify_detached(c.signature.data(), c.message.data(), c.message.size(), c.key.data()) == 0;
}

const Bytes kMessage = {1, 2, 3};

}  // namespace

TEST_CASE("RFC 8032's signatures hold (section 7.1), and not for another message") {
    const struct {
        const char *key, *message, *signature;
    } vectors_7_1[] = {
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
        {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
        {"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
         "454d4423643ce80e2a9ac94fa54ca49f",
         "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
         "3dca179c138ac17ad9bef1177331a704"}};
    Checks checks;
    for (const auto& v : vectors_7_1) {
        checks.signatures.push_back({point(v.key), fixed<64>(unhex(v.signature)), unhex(v.message)});
    }
    CHECK(verdicts(checks) == Bytes(checks.signatures.size(), SYNOD_VERDICT_HOLDS));
    for (SignatureCheck& c : checks.signatures) {
        c.message.push_back(0);
    }
    CHECK(verdicts(checks) == Bytes(checks.signatures.size(), SYNOD_VERDICT_FAILS));
}

TEST_CASE("Wycheproof's verdicts are the rule's") {
    const json::value file = vectors("wycheproof-ed25519.json");
    if (file.is_null()) {
        return;
    }
    Checks checks;
    Bytes expected;
    std::size_t wrong_length = 0;
    for (const json::value& group : file.at("testGroups").as_array()) {
        for (const json::value& test : group.at("tests").as_array()) {
            const Bytes signature = unhex(text_of(test, "sig"));
            if (signature.size() != 64) {
                // A check always has 64 bytes: such a signature never gets this far.
                CHECK(text_of(test, "result") == "invalid");
                ++wrong_length;
                continue;
            }
            checks.signatures.push_back({fixed<32>(unhex(text_of(group.at("publicKey"), "pk"))),
                                         fixed<64>(signature), unhex(text_of(test, "msg"))});
            expected.push_back(text_of(test, "result") == "valid" ? SYNOD_VERDICT_HOLDS : SYNOD_VERDICT_FAILS);
        }
    }
    CHECK(expected.size() + wrong_length == 151);
    CHECK(verdicts(checks) == expected);
}

TEST_CASE("all twelve speccheck cases fail") {
    const json::value file = vectors("ed25519-speccheck.json");
    if (file.is_null()) {
        return;
    }
    Checks checks;
    for (const json::value& test : file.as_array()) {
        checks.signatures.push_back({fixed<32>(unhex(text_of(test, "pub_key"))),
                                     fixed<64>(unhex(text_of(test, "signature"))), unhex(text_of(test, "message"))});
    }
    REQUIRE(checks.signatures.size() == 12);
    CHECK(verdicts(checks) == Bytes(12, SYNOD_VERDICT_FAILS));
    CHECK(libsodium_holds(checks.signatures[3]));  // the difference is real
}

TEST_CASE("a small-order part of R doesn't matter, of A it does") {
    for (const char* text : {kOrder2, kOrder4, kOrder8}) {
        CAPTURE(text);
        const Digest torsion = point(text);
        const Signer s = signer();
        CHECK(holds(sign(s, s.key, nullptr, kMessage)));

        const SignatureCheck mixed_r = sign(s, s.key, &torsion, kMessage);
        CHECK_FALSE(libsodium_holds(mixed_r));
        CHECK(holds(mixed_r));

        Signer zero_nonce = s;
        zero_nonce.nonce.fill(0);
        const SignatureCheck small_r = sign(zero_nonce, s.key, &torsion, kMessage);
        CHECK_FALSE(libsodium_holds(small_r));
        CHECK(holds(small_r));
        CHECK(holds(sign(zero_nonce, s.key, nullptr, kMessage)));  // R = O

        const Digest mixed_key = add(s.key, torsion);
        CHECK_FALSE(rule::key_is_valid(mixed_key.data()));
        CHECK_FALSE(rule::key_is_valid(torsion.data()));
        for (const Digest& t : {point(kOrder2), point(kOrder4), point(kOrder8)}) {
            CHECK_FALSE(holds(sign(s, mixed_key, &t, kMessage)));
        }
        CHECK_FALSE(holds(sign(s, mixed_key, nullptr, kMessage)));
    }
}

TEST_CASE("s at and above L fails, so do non-canonical points") {
    const Signer s = signer();
    const SignatureCheck good = sign(s, s.key, nullptr, kMessage);
    SignatureCheck bad = good;
    unsigned carry = 0;
    for (int i = 0; i < 32; ++i) {
        carry += bad.signature[32 + i] + rule::kOrder[i];
        bad.signature[32 + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    CHECK_FALSE(holds(bad));

    // R = O three ways: canonical; with the sign bit, x being 0; as y = p + 1.
    Signer zero = s;
    zero.nonce.fill(0);
    SignatureCheck identity = sign(zero, s.key, nullptr, kMessage);
    for (const char* r : {"0100000000000000000000000000000000000000000000000000000000000080",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        const Digest encoded = point(r);
        std::copy(encoded.begin(), encoded.end(), identity.signature.begin());
        Digest h;
        rule::challenge(s.key.data(), identity.signature.data(), {kMessage.data(), kMessage.size()}, h.data());
        crypto_core_ed25519_scalar_mul(identity.signature.data() + 32, h.data(), s.scalar.data());
        CHECK_FALSE(holds(identity));
        CHECK_FALSE(rule::key_is_valid(encoded.data()));
    }
    // No key: the identity, y = 2 (not on the curve), y = p + 3 for a point's y.
    CHECK_FALSE(rule::key_is_valid(point("0100000000000000000000000000000000000000000000000000000000000000").data()));
    CHECK_FALSE(rule::key_is_valid(point("0200000000000000000000000000000000000000000000000000000000000000").data()));
    CHECK_FALSE(rule::key_is_valid(point("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f").data()));
    CHECK(rule::key_is_valid(s.key.data()));
}

TEST_CASE("the equation takes s = 0 and h = 0") {
    const Signer s = signer();
    const Digest zero{};
    std::array<std::uint8_t, 64> signature{};
    signature[0] = 1;  // R = O, s = 0: O - O - h * A
    CHECK(rule::equation_holds(s.key.data(), signature.data(), zero.data()));
    CHECK_FALSE(rule::equation_holds(s.key.data(), signature.data(), s.scalar.data()));
    const Digest r = base(s.nonce);
    std::copy(r.begin(), r.end(), signature.begin());
    CHECK_FALSE(rule::equation_holds(s.key.data(), signature.data(), zero.data()));
    std::copy(s.nonce.begin(), s.nonce.end(), signature.begin() + 32);
    CHECK(rule::equation_holds(s.key.data(), signature.data(), zero.data()));
    // s = 0 with R = -hA holds.
    Digest minus_h;
    crypto_core_ed25519_scalar_negate(minus_h.data(), s.nonce.data());
    Digest r2;
    REQUIRE(crypto_scalarmult_ed25519_noclamp(r2.data(), minus_h.data(), s.key.data()) == 0);
    std::array<std::uint8_t, 64> third{};
    std::copy(r2.begin(), r2.end(), third.begin());
    CHECK(rule::equation_holds(s.key.data(), third.data(), s.nonce.data()));
}
