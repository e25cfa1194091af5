// SPDX-License-Identifier: Apache-2.0
//! Evidence of equivocation through the plugin's table: two signed statements of one slot convict, nothing else does.
#include <doctest/doctest.h>

#include "plugins/consensus/federation/evidence.hpp"
#include "tests/support/federation_chain.hpp"

using namespace synod::testing;
namespace fed = synod::federation;

namespace {

struct World {
    FederationChain chain{4, R"(,"genesis_time_ms":200000,"chain_id":7)"};
    synod_state* state = chain.fork(chain.genesis);
    ByteVector left, right, later; ///< two blocks of one slot and author, and the author's next
    uint64_t slot = 0;

    World() {
        chain.extend(state, 3);
        slot = chain.weigh(state).slot + 1;
        left = chain.block(state, slot, chain.certificate(state));
        right = chain.block(state, slot, chain.certificate(state), {{1, 2, 3}});
        later = chain.block(state, slot + 4, chain.certificate(state));
    }
    ~World() { chain.release(state); }

    ByteVector approval(const ByteVector& block, uint32_t author) {
        fed::Attestation out;
        fed::Prefix prefix;
        REQUIRE(fed::read_prefix(block.data(), prefix));
        out.purpose = SYNOD_SIGN_APPROVE;
        out.author = static_cast<uint16_t>(author);
        out.height = prefix.height;
        out.slot = prefix.slot;
        const auto hash = synod::sha256d(std::span(block).first(fed::kPrefixBytes));
        std::copy(hash.begin(), hash.end(), out.hash.begin());
        std::array<uint8_t, 64> message{};
        const auto length = fed::sign_message(SYNOD_SIGN_APPROVE, out.hash.data(), 0, message.data());
        crypto_sign_ed25519_detached(out.signature.data(), nullptr, message.data(), length,
                                     chain.authorities[author].secret.data());
        const auto bytes = out.encode();
        return {bytes.begin(), bytes.end()};
    }
    std::string testify(const ByteVector& block, const ByteVector& attestation, ByteVector& out) {
        MemorySink sink;
        chain.refusal = {sizeof(synod_refusal), 0, 0, 0, {}};
        const auto status =
            chain.api->testify(chain.self(), synod::to_bytes(std::span(block)), synod::to_bytes(std::span(attestation)),
                               sink.raw(), &chain.refusal, chain.driver.fresh());
        out = sink.bytes;
        return outcome(status);
    }
    ByteVector testimony(const ByteVector& block, const ByteVector& attestation = {}) {
        ByteVector out;
        REQUIRE(testify(block, attestation, out).empty());
        return out;
    }
    std::string accuse(const ByteVector& a, const ByteVector& b, ByteVector& out) {
        MemorySink sink;
        chain.refusal = {sizeof(synod_refusal), 0, 0, 0, {}};
        const auto status = chain.api->accuse(chain.self(), state, synod::to_bytes(std::span(a)),
                                              synod::to_bytes(std::span(b)), sink.raw(), &chain.refusal,
                                              chain.driver.fresh());
        out = sink.bytes;
        return outcome(status);
    }
    std::string judge(const ByteVector& evidence, synod_evidence* found = nullptr) {
        synod_evidence out{};
        out.size = sizeof(out);
        chain.refusal = {sizeof(synod_refusal), 0, 0, 0, {}};
        chain.checks.clear();
        const auto status =
            chain.api->check_evidence(chain.self(), state, synod::to_bytes(std::span(evidence)), &out,
                                      chain.checks.writer(), &chain.refusal, chain.driver.fresh());
        if (status != SYNOD_OK) {
            return outcome(status);
        }
        CHECK(chain.checks.signatures.size() == 2);
        if (found != nullptr) {
            *found = out;
        }
        const uint32_t failed = chain.checks.first_failure();
        return failed == 0 ? "" : chain.api->rule_name(chain.self(), failed);
    }
    std::string outcome(synod_status status) {
        return status == SYNOD_OK ? "" : status == SYNOD_REFUSED ? chain.refused_rule() : "error";
    }
};

} // namespace

TEST_CASE("two blocks of one slot convict their author, whichever is named first") {
    World w;
    ByteVector one, other;
    REQUIRE(w.accuse(w.testimony(w.left), w.testimony(w.right), one) == "");
    REQUIRE(w.accuse(w.testimony(w.right), w.testimony(w.left), other) == "");
    CHECK(one == other); // one valid encoding
    CHECK(one.size() == fed::kEvidenceBytes);
    synod_evidence found{};
    REQUIRE(w.judge(one, &found) == "");
    CHECK(found.purpose == SYNOD_SIGN_PROPOSE);
    CHECK(found.slot == w.slot);
    CHECK(found.author == w.slot % 4);
    CHECK(std::memcmp(found.key, w.chain.authorities[w.slot % 4].key.data(), 32) == 0);
    CHECK(std::memcmp(found.first, found.second, 32) < 0);
    CHECK(found.first_height == 4);
    CHECK(found.second_height == 4);
}

TEST_CASE("approvals of two blocks of one slot convict who gave them, not the author") {
    World w;
    const auto guilty = static_cast<uint32_t>((w.slot + 1) % 4);
    ByteVector evidence;
    REQUIRE(w.accuse(w.testimony(w.left, w.approval(w.left, guilty)), w.testimony(w.right, w.approval(w.right, guilty)),
                     evidence) == "");
    synod_evidence found{};
    REQUIRE(w.judge(evidence, &found) == "");
    CHECK(found.purpose == SYNOD_SIGN_APPROVE);
    CHECK(found.author == guilty);
}

TEST_CASE("what doesn't contradict is no accusation") {
    World w;
    ByteVector out;
    CHECK(w.accuse(w.testimony(w.left), w.testimony(w.left), out) == "evidence-agrees");
    CHECK(w.accuse(w.testimony(w.left), w.testimony(w.later), out) == "evidence-agrees"); // two slots
    CHECK(w.accuse(w.testimony(w.left), w.testimony(w.right, w.approval(w.right, 0)), out) == "evidence-agrees");
    CHECK(w.accuse(w.testimony(w.left, w.approval(w.left, 0)), w.testimony(w.right, w.approval(w.right, 1)), out) ==
          "evidence-agrees");
    CHECK(w.accuse({1, 2}, w.testimony(w.left), out) == "evidence-shape");
    CHECK(w.testify(w.left, w.approval(w.right, 0), out) == "attestation-block");
    CHECK(w.testify(w.left, {1, 2, 3}, out) == "attestation-shape");
    CHECK(w.testify({1, 2, 3}, {}, out) == "shape");
}

TEST_CASE("forged and malformed evidence is refused by name") {
    World w;
    ByteVector good;
    REQUIRE(w.accuse(w.testimony(w.left), w.testimony(w.right), good) == "");
    CHECK(w.judge({}) == "evidence-shape");
    for (const size_t n : {good.size() - 1, good.size() + 1}) {
        auto cut = good;
        cut.resize(n);
        CHECK(w.judge(cut) == "evidence-shape");
    }
    for (const size_t at : {size_t{0}, size_t{1}}) {
        auto other = good;
        other[at] = 9;
        CHECK(w.judge(other) == "evidence-shape");
    }
    auto evidence = *fed::read_evidence(good);
    CHECK(w.judge(evidence.encode()) == "");
    std::swap(evidence.first, evidence.second);
    CHECK(w.judge(evidence.encode()) == "evidence-shape"); // the same in another encoding
    evidence = *fed::read_evidence(good);
    evidence.second = evidence.first;
    CHECK(w.judge(evidence.encode()) == "evidence-agrees");
    evidence = *fed::read_evidence(good);
    evidence.key = w.chain.authorities[(w.slot + 1) % 4].key; // an innocent's
    CHECK(w.judge(evidence.encode()) == "evidence-signature");
    evidence.key = TestAuthority(77).key;
    CHECK(w.judge(evidence.encode()) == "evidence-author");
    for (const size_t at : {2 + 32 + fed::kPrefixBytes, fed::kEvidenceBytes - 1}) {
        auto forged = good;
        forged[at] ^= 1;
        CHECK(w.judge(forged) == "evidence-signature");
    }
    evidence = *fed::read_evidence(good);
    evidence.purpose = SYNOD_SIGN_APPROVE; // what was signed was something else
    CHECK(w.judge(evidence.encode()) == "evidence-signature");
    // Every bit counts: nothing that differs convicts.
    for (size_t at = 0; at < good.size(); ++at) {
        auto changed = good;
        changed[at] ^= 0x40;
        CHECK_MESSAGE(w.judge(changed) != "", at);
    }
}
