// SPDX-License-Identifier: Apache-2.0
//! Evidence that a removal carries: it convicts whom it names, or no block may carry the event.
#include "plugins/consensus/federation/evidence.hpp"
#include "tests/unit/plugins/federation/governed_chain.hpp"

using namespace synod::testing;

namespace {

fed::Hash32 hash_of(std::span<const uint8_t> bytes) {
    const auto digest = synod::sha256d(bytes);
    fed::Hash32 out{};
    std::copy(digest.begin(), digest.end(), out.begin());
    return out;
}

void sign(fed::Statement& what, const TestAuthority& who, uint8_t purpose) {
    std::array<uint8_t, 64> message{};
    const uint32_t length = fed::sign_message(purpose, hash_of(what.prefix).data(), 0, message.data());
    crypto_sign_ed25519_detached(what.signature.data(), nullptr, message.data(), length, who.secret.data());
}

/// Two blocks of the next slot that differ in what they say the state is, both signed by `who`.
fed::Evidence against(GovernedChain& w, uint32_t who, uint8_t purpose = SYNOD_SIGN_PROPOSE) {
    fed::Evidence out;
    out.purpose = purpose;
    out.key = w.people[who].key;
    const auto block = w.block();
    std::copy_n(block.begin(), fed::kPrefixBytes, out.first.prefix.begin());
    out.second.prefix = out.first.prefix;
    out.second.prefix.back() ^= 1;
    if (hash_of(out.second.prefix) < hash_of(out.first.prefix)) {
        std::swap(out.first, out.second);
    }
    sign(out.first, w.people[who], purpose);
    sign(out.second, w.people[who], purpose);
    return out;
}

fed::Event removal(GovernedChain& w, uint32_t who, synod::federation::Bytes evidence) {
    auto out = w.event(fed::EventKind::kRemoveAuthority, w.state->height + 1 + kNotice);
    out.change.key = w.people[who].key;
    out.evidence = std::move(evidence);
    return out;
}

std::string hex(std::span<const uint8_t> bytes) { return fed::to_hex({bytes.data(), bytes.size()}); }

} // namespace

TEST_CASE("a removal carries the proof of two blocks or of two approvals, and every block of it is checked") {
    for (const uint8_t purpose : {SYNOD_SIGN_PROPOSE, SYNOD_SIGN_APPROVE}) {
        CAPTURE(purpose);
        GovernedChain w;
        w.extend_to(2);
        const auto event = w.signed_by(removal(w, 3, against(w, 3, purpose).encode()), {0, 1, 2});
        CHECK(w.judged(event) == "");
        CHECK(w.chain.checks.signatures.size() == 3 + 2);
        // Whoever vouches for the block: the signatures of events and of their evidence are proven.
        REQUIRE(w.take(w.block({event}), 1) == "");
        CHECK(w.chain.checks.signatures.size() == 3 + 2);
        w.extend_to(w.state->height + kNotice);
        CHECK(w.info(w.state).authorities == 3);
    }
}

TEST_CASE("evidence that doesn't convict the one who is removed spoils the event, in a block as well") {
    GovernedChain w;
    w.extend_to(2);
    const auto good = against(w, 3);
    const auto judged = [&](const fed::Evidence& e) {
        return w.judged(w.signed_by(removal(w, 3, e.encode()), {0, 1, 2}));
    };
    REQUIRE(judged(good) == "");
    // Without any it is a removal like any other.
    CHECK(w.judged(w.signed_by(removal(w, 3, {}), {0, 1, 2})) == "");

    // Another's: right in itself, but it says nothing about who goes.
    CHECK(judged(against(w, 1)) == "event-evidence");
    auto bad = good;
    bad.key = w.people[1].key;
    CHECK(judged(bad) == "event-evidence");
    // Two signatures of somebody else under the name of who goes.
    bad = against(w, 1);
    bad.key = w.people[3].key;
    CHECK(judged(bad) == "event-evidence");
    // One block twice, the same in another order, blocks of two slots.
    bad = good;
    bad.second = bad.first;
    CHECK(judged(bad) == "event-evidence");
    bad = good;
    std::swap(bad.first, bad.second);
    CHECK(judged(bad) == "event-evidence");
    bad = good;
    constexpr size_t kSlotAt = 1 + 2 + 4 + 8;
    bad.second.prefix[kSlotAt] ^= 1;
    sign(bad.second, w.people[3], SYNOD_SIGN_PROPOSE);
    if (hash_of(bad.second.prefix) < hash_of(bad.first.prefix)) {
        std::swap(bad.first, bad.second);
    }
    CHECK(judged(bad) == "event-evidence");
    // Approvals called blocks, and either signature changed.
    bad = good;
    bad.purpose = SYNOD_SIGN_APPROVE;
    CHECK(judged(bad) == "event-evidence");
    for (auto statement : {&fed::Evidence::first, &fed::Evidence::second}) {
        bad = good;
        (bad.*statement).signature[5] ^= 1;
        CHECK(judged(bad) == "event-evidence");
    }
    // Cut, longer, or no evidence at all.
    const auto bytes = good.encode();
    for (const size_t n : {size_t{1}, bytes.size() - 1, bytes.size() + 1}) {
        auto cut = bytes;
        cut.resize(n);
        CHECK(w.judged(w.signed_by(removal(w, 3, cut), {0, 1, 2})) == "event-evidence");
    }

    // A proposer leaves out what bytes and hashes show to be wrong. One that carries a forged signature is refused,
    // whoever vouches for its block.
    const ByteVector without = w.block({w.signed_by(removal(w, 3, against(w, 1).encode()), {0, 1, 2})});
    fed::BlockParts parts;
    const char* why = "";
    REQUIRE(fed::read_block(without, parts, &why));
    CHECK(parts.events == 0);
    bad = good;
    bad.second.signature[0] ^= 1;
    CHECK(w.take(w.block({w.signed_by(removal(w, 3, bad.encode()), {0, 1, 2})}), 1) == "event-evidence");
    CHECK(w.take(w.block({w.signed_by(removal(w, 3, bytes), {0, 1, 2})}), 1) == "");
}

TEST_CASE("a key that was rotated away convicts its successor of nothing") {
    GovernedChain w;
    w.extend_to(1);
    const auto old = against(w, 1);
    auto rotate = w.event(fed::EventKind::kRotateKey, w.state->height + 1 + kNotice);
    rotate.change.key = w.people[1].key;
    rotate.change.replacement = w.people[5].key;
    REQUIRE(w.take(w.block({w.signed_by(rotate, {0, 1, 2})})) == "");
    w.extend_to(rotate.change.effective);
    CHECK(w.judged(w.signed_by(removal(w, 5, old.encode()), {0, 2, 3})) == "event-evidence");
    CHECK(w.judged(w.signed_by(removal(w, 1, old.encode()), {0, 2, 3})) == "event-effect"); // it is nobody any more
}

TEST_CASE("operators see what evidence says, and can neither make nor sign an event whose evidence convicts nobody") {
    GovernedChain w;
    w.extend_to(2);
    const auto good = against(w, 3);
    const auto make = [&](uint32_t who, const std::string& evidence) {
        const auto e = removal(w, who, {});
        return w.chain.call(w.state, "governance.make",
                            R"({"kind":"remove-authority","sequence":1,"effective":99,"network":")" + hex(e.network) +
                                R"(","previous":")" + hex(e.previous) + R"(","key":")" + hex(w.people[who].key) +
                                R"(","evidence":")" + evidence + R"("})");
    };
    const auto text = make(3, hex(good.encode()));
    CHECK(text.find(R"("evidence":{"kind":"two_blocks","slot":)" + std::to_string(w.state->head().slot + 1)) !=
          std::string::npos);
    CHECK(text.find(R"("bytes":")" + hex(good.encode()) + "\"}") != std::string::npos);
    CHECK_THROWS(make(1, hex(good.encode())));
    CHECK_THROWS(make(3, "00"));

    const auto sign_it = [&](const fed::Event& e) {
        std::array<uint8_t, fed::kHashMessageBytes> message{};
        fed::event_message(w.hash(e), message.data());
        std::array<uint8_t, 64> signature{};
        crypto_sign_ed25519_detached(signature.data(), nullptr, message.data(), message.size(),
                                     w.people[0].secret.data());
        return w.chain.call(w.state, "governance.sign",
                            R"({"event":")" + hex(fed::encode_event(e)) + R"(","key":")" + hex(w.people[0].key) +
                                R"(","signature":")" + hex(signature) + R"("})");
    };
    CHECK(sign_it(removal(w, 3, good.encode())).find(R"("kind":"two_blocks")") != std::string::npos);
    CHECK_THROWS(sign_it(removal(w, 1, good.encode())));
    // Explained it may be all the same, without a word about what it proves.
    const auto wrong = w.chain.call(w.state, "governance.explain",
                                    R"({"event":")" + hex(fed::encode_event(removal(w, 1, good.encode()))) + R"("})");
    CHECK(wrong.find(R"("evidence":{"bytes":)") != std::string::npos);
}
