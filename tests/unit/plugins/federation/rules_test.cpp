// SPDX-License-Identifier: Apache-2.0
//! Blocks through the plugin's table: a chain that holds, and every rule that refuses one that does not.
#include <doctest/doctest.h>

#include "plugins/consensus/federation/chain.hpp"
#include "tests/support/federation_chain.hpp"

using namespace synod::testing;
namespace fed = synod::federation;

namespace {

struct World {
    FederationChain chain{4, R"(,"genesis_time_ms":200000)"};
    synod_state* state = chain.fork(chain.genesis);
    ~World() { chain.release(state); }
    ByteVector next(uint64_t skip = 1, const std::vector<ByteVector>& tx = {}) {
        return chain.block(state, chain.weigh(state).slot + skip, chain.certificate(state), tx);
    }
    std::string refused(const ByteVector& block, uint64_t max_slot = UINT64_MAX) {
        synod_state* fork = chain.fork(state);
        const synod_status status = chain.apply(fork, block, 0, max_slot);
        chain.release(fork);
        if (status == SYNOD_REFUSED) {
            return chain.refused_rule();
        }
        const uint32_t failed = status == SYNOD_OK ? chain.checks.first_failure() : 0;
        return status < 0 ? "corrupt" : failed != 0 ? chain.api->rule_name(chain.self(), failed) : "";
    }
};

} // namespace

TEST_CASE("a chain holds, and full mode asks for one author's and a quorum's signatures a block") {
    World w;
    w.chain.extend(w.state, 5, {{1, 2, 3}, {}});
    const ByteVector block = w.next(1, {{9}});
    REQUIRE(w.chain.apply(w.state, block) == SYNOD_OK);
    CHECK(w.chain.checks.signatures.size() == 1 + w.chain.quorum);
    CHECK(w.chain.checks.merkles.size() == 1);
    CHECK(w.chain.checks.first_failure() == 0);
    const synod_weight weight = w.chain.weigh(w.state);
    CHECK(weight.height == 6);
    CHECK(weight.slot == 106);
    CHECK(weight.certified_slot == 105);
    CHECK(weight.committed_height == 3);
    CHECK(w.chain.apply(w.state, w.next(), 1) == SYNOD_OK);
    CHECK(w.chain.checks.signatures.empty());
}

TEST_CASE("each rule refuses by its name") {
    World w;
    w.chain.extend(w.state, 3);
    const ByteVector good = w.next();
    CHECK(w.refused(good) == "");
    const auto with = [&](size_t at, uint8_t flip) {
        ByteVector b = good;
        b[at] ^= flip;
        return w.refused(b);
    };
    CHECK(with(0, 1) == "corrupt");
    CHECK(with(1, 1) == "author");
    CHECK(with(3, 1) == "authority-set");
    CHECK(with(7, 1) == "height");
    CHECK(with(15, 64) == "slot-order");
    CHECK(with(23, 1) == "parent-link");
    CHECK(with(55, 1) == "body-root");
    CHECK(with(87, 1) == "state-root");
    CHECK(with(119, 1) == "author-signature");
    CHECK(w.refused(good, 103) == "slot-future");
    // The certificate's bytes are committed by the body root, in vouched runs as well.
    CHECK(with(119 + 64 + 8, 1) == "body-root");
}

TEST_CASE("a certificate must be exactly a quorum of real approvals") {
    World w;
    w.chain.extend(w.state, 3);
    ByteVector forged = w.chain.certificate(w.state);
    forged[20] ^= 1;
    CHECK(w.refused(w.chain.block(w.state, 104, forged)) == "certificate-signature");
    ByteVector few = w.chain.certificate(w.state);
    few[0] = 3;
    few.resize(8 + 128);
    CHECK_THROWS(w.chain.block(w.state, 104, few));
    CHECK(w.chain.api->accept_certificate(w.chain.self(), w.state, synod::to_bytes(std::span(few)),
                                          w.chain.checks.writer(), &w.chain.refusal, nullptr) == SYNOD_REFUSED);
    CHECK(w.chain.refused_rule() == "certificate-shape");
}

TEST_CASE("every mutated byte is refused or makes another block") {
    World w;
    w.chain.extend(w.state, 2);
    const ByteVector good = w.next(1, {{1, 2, 3, 4}});
    size_t refused = 0;
    for (size_t at = 0; at < good.size(); ++at) {
        for (const uint8_t flip : {0x01, 0x80, 0xff}) {
            ByteVector b = good;
            b[at] = static_cast<uint8_t>(b[at] ^ flip);
            refused += w.refused(b) != "";
        }
        if (at > 0) {
            CHECK(w.refused(ByteVector(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at))) == "corrupt");
        }
    }
    CHECK(refused == 3 * good.size());
}

TEST_CASE("three consecutive certified blocks commit the first; a gap does not") {
    World w;
    w.chain.extend(w.state, 2);
    REQUIRE(w.chain.apply(w.state, w.next(2), 1) == SYNOD_OK); // slots 101, 102, 104
    w.chain.extend(w.state, 1);                                // 105 certifies 104
    CHECK(w.chain.weigh(w.state).committed_height == 0);
    w.chain.extend(w.state, 1); // 106 certifies 105: only 104, 105 are consecutive
    CHECK(w.chain.weigh(w.state).committed_height == 0);
    const ByteVector certificate = w.chain.certificate(w.state);
    REQUIRE(w.chain.api->accept_certificate(w.chain.self(), w.state, synod::to_bytes(std::span(certificate)),
                                            w.chain.checks.writer(), &w.chain.refusal, nullptr) == SYNOD_OK);
    CHECK(w.chain.weigh(w.state).committed_height == 3);
    CHECK(w.chain.weigh(w.state).certified_slot == 106);
}

TEST_CASE("finality records move the final height and are refused when free bytes or ranges differ") {
    World w;
    w.chain.extend(w.state, 6);
    const auto field = [](const std::string& json, const std::string& key) {
        const size_t at = json.find("\"" + key + "\":\"") + key.size() + 4;
        return json.substr(at, json.find('"', at) - at);
    };
    const std::string bundle = field(w.chain.call(w.state, "bundle.next", "{}"), "bundle");
    const std::string hex = field(w.chain.call(w.state, "record.mine", R"({"bundle":")" + bundle + R"(","seed":1})"), "record");
    const auto record = fed::from_hex(hex);
    REQUIRE(record);
    const ByteVector block = w.chain.block(w.state, 107, w.chain.certificate(w.state), {}, {*record});
    REQUIRE(w.refused(block) == "");
    CHECK(w.chain.checks.targets.size() == 1);
    synod_state* before = w.chain.fork(w.state);
    REQUIRE(w.chain.apply(w.state, block, 1) == SYNOD_OK);
    CHECK(w.chain.views[0].flags == SYNOD_VIEW_HAS_PROOF_RECORD);
    CHECK(w.chain.weigh(w.state).final_height == 3);
    CHECK(w.chain.weigh(w.state).blocks_without_pow == 4);
    // The same record again does not follow; propose leaves it out instead of failing.
    const ByteVector after = w.chain.block(w.state, 108, w.chain.certificate(w.state), {}, {*record});
    CHECK(w.refused(after) == "");
    CHECK(after.size() < block.size());
    fed::RecordEffect effect;
    const auto hash = fed::Hasher{[](void*, const synod_bytes* s, uint64_t n, uint8_t* out) {
                                      for (uint64_t i = 0; i < n; ++i) {
                                          const auto d = synod::sha256d(synod::view(s[i]));
                                          std::copy(d.begin(), d.end(), out + 32 * i);
                                      }
                                  }, nullptr};
    CHECK(fed::check_record(*w.state, 108, *record, hash, effect).rule == fed::RuleId::kRecordRange);
    const auto rule = [&](size_t at) {
        ByteVector r = *record;
        r[at] ^= 1;
        return fed::check_record(*before, 107, r, hash, effect).rule;
    };
    CHECK(rule(4) == fed::RuleId::kRecordChain);
    CHECK(rule(17) == fed::RuleId::kRecordRange);
    CHECK(rule(24) == fed::RuleId::kRecordBits);
    CHECK(rule(28) == fed::RuleId::kRecordRoot);
    CHECK(rule(record->size() - 40) == fed::RuleId::kRecordProof);
    w.chain.release(before);
}

TEST_CASE("a block too far above the last proof of work is refused") {
    FederationChain chain(4, R"(,"max_blocks_without_pow":5)");
    synod_state* state = chain.fork(chain.genesis);
    chain.extend(state, 5);
    CHECK_THROWS(chain.extend(state, 1));
    chain.release(state);
}
