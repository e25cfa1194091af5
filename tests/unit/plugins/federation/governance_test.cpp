// SPDX-License-Identifier: Apache-2.0
//! Governance in the chain: what an event may do and when, and what headers, votes and saved states make of it.
#include "tests/unit/plugins/federation/governed_chain.hpp"

using namespace synod::testing;

TEST_CASE("an authority that is added signs from the named height on, and not before") {
    GovernedChain w;
    w.extend_to(3);
    const uint64_t effective = 4 + kNotice;
    REQUIRE(w.take(w.block({w.signed_by(w.adding(4, effective), {0, 1, 2})})) == "");
    CHECK(w.chain.views[0].flags == SYNOD_VIEW_HAS_EVENTS);
    CHECK(w.chain.weigh(w.state).governance_sequence == 1);
    w.extend_to(effective - 2);
    CHECK(w.state->rooted->set->keys.size() == 4);
    w.extend_to(effective - 1); // the last block of the old set: its state has the new one
    CHECK(w.info(w.state).authorities == 5);
    CHECK(w.info(w.state).quorum == 4);
    CHECK(w.info(w.state).head_authorities == 4);
    CHECK(w.info(w.state).head_quorum == 3);
    CHECK(w.info(w.state).authority_set == 1);
    w.extend_to(effective + 6);
    CHECK(w.state->rooted->set->keys.back() == w.people[4].key);
    CHECK(w.chain.weigh(w.state).committed_height == effective + 3);
    fed::Prefix first;
    REQUIRE(fed::read_prefix(w.blocks[effective - 1].data(), first));
    CHECK(first.authority_set == 1);
    REQUIRE(fed::read_prefix(w.blocks[effective - 2].data(), first));
    CHECK(first.authority_set == 0);
}

TEST_CASE("a block says which keys signed it and approved its parent, each by the set of that height") {
    GovernedChain c;
    const auto signed_by = [&](const ByteVector& block) {
        std::string out;  // a letter for each of the five people: B the block, P its parent, 2 both
        for (uint32_t i = 0; i < 5; ++i) {
            uint32_t what = 7;
            c.chain.check(c.chain.api->signed_by(c.chain.self(), c.state, synod::to_bytes(std::span(block)),
                                                 c.people[i].key.data(), &what, c.chain.driver.fresh()));
            REQUIRE(what <= 3);
            out += "-BP2"[what];
        }
        return out;
    };
    // A fifth authority rotates in for the second: its key is of no earlier block, whoever had its number then.
    const uint64_t effective = kNotice + 1;
    auto rotation = c.event(fed::EventKind::kRotateKey, effective);
    rotation.change.key = c.people[1].key;
    rotation.change.replacement = c.people[4].key;
    REQUIRE(c.take(c.block({c.signed_by(rotation, {0, 1, 2})})) == "");
    c.extend_to(effective + 4);
    for (uint64_t height = 1; height <= c.state->height; ++height) {
        const uint64_t author = (c.state->ancestry.at(height).slot) % 4;
        std::string expected = height == 1 ? "-----" : height - 1 < effective ? "PPP--" : "P-P-P";
        const uint64_t person = author == 1 && height >= effective ? 4 : author;
        expected[person] = expected[person] == 'P' ? '2' : 'B';
        CHECK_MESSAGE(signed_by(c.blocks[height - 1]) == expected, height);
    }
    CHECK(signed_by(c.chain.genesis_block) == "-----");

    uint32_t what = 7;
    const ByteVector cut(c.blocks[2].begin(), c.blocks[2].begin() + 150);
    CHECK(c.chain.api->signed_by(c.chain.self(), c.state, synod::to_bytes(std::span(cut)), c.people[0].key.data(), &what,
                                 c.chain.driver.fresh()) == SYNOD_E_CORRUPT);
    CHECK(what == 7);
}

TEST_CASE("keys rotate, authorities go, the threshold rises: each by the set in force when it is carried") {
    GovernedChain w;
    w.extend_to(1);
    auto rotate = w.event(fed::EventKind::kRotateKey, 2 + kNotice);
    rotate.change.key = w.people[1].key;
    rotate.change.replacement = w.people[5].key;
    REQUIRE(w.take(w.block({w.signed_by(rotate, {0, 1, 2})})) == "");
    w.extend_to(2 + kNotice);
    CHECK(w.state->rooted->set->keys[1] == w.people[5].key);
    // The old key counts no more.
    auto remove = w.event(fed::EventKind::kRemoveAuthority, w.state->height + 1 + kNotice);
    remove.change.key = w.people[0].key;
    CHECK(w.judged(w.signed_by(remove, {0, 1, 2})) == "event-approvals");
    REQUIRE(w.take(w.block({w.signed_by(remove, {0, 5, 2})})) == "");
    const uint64_t gone = remove.change.effective;
    w.extend_to(gone - 1);
    CHECK(w.state->signers->keys.size() == 4);
    CHECK(w.state->rooted->set->keys.size() == 3);
    // Who leaves still certifies the last block, by its old index; who stays has a new one.
    uint32_t index = 0;
    CHECK(w.chain.api->voter_index(w.chain.self(), w.state, w.people[0].key.data(), &index, nullptr) == SYNOD_OK);
    CHECK(w.chain.api->authority_index(w.chain.self(), w.state, w.people[0].key.data(), &index, nullptr) < 0);
    CHECK(w.chain.api->voter_index(w.chain.self(), w.state, w.people[2].key.data(), &index, nullptr) == SYNOD_OK);
    CHECK(index == 2);
    CHECK(w.chain.api->authority_index(w.chain.self(), w.state, w.people[2].key.data(), &index, nullptr) == SYNOD_OK);
    CHECK(index == 1);
    w.extend_to(gone + 2);
    auto threshold = w.event(fed::EventKind::kThreshold, w.state->height + 1 + kNotice);
    threshold.change.value = 3;
    CHECK(w.state->rooted->set->quorum == 3);
    auto second = threshold;
    second.change.value = 4;
    CHECK(w.judged(w.signed_by(second, {2, 3, 5})) == "event-effect"); // more than there are
    auto back = w.adding(0, w.state->height + 1 + kNotice);
    REQUIRE(w.take(w.block({w.signed_by(back, {2, 3, 5})})) == "");
    w.extend_to(back.change.effective);
    threshold = w.event(fed::EventKind::kThreshold, w.state->height + 1 + kNotice);
    threshold.change.value = 4;
    REQUIRE(w.take(w.block({w.signed_by(threshold, {2, 3, 5})})) == "");
    w.extend_to(threshold.change.effective + 2);
    CHECK(w.state->rooted->set->quorum == 4);
    CHECK(w.state->rooted->governance_sequence == 4);
}

TEST_CASE("each rule of events refuses by its name, in a block as well") {
    GovernedChain w;
    w.extend_to(2);
    const uint64_t soon = w.state->height + 1 + kNotice;
    const auto good = w.adding(4, soon);
    const ByteVector bytes = w.signed_by(good, {0, 1, 3});
    CHECK(w.judged(bytes) == "");
    const auto with = [&](auto change, std::vector<uint32_t> who = {0, 1, 3}) {
        auto e = good;
        change(e);
        return w.judged(w.signed_by(e, std::move(who)));
    };
    CHECK(with([](fed::Event& e) { e.network[0] ^= 1; }) == "event-network");
    CHECK(with([](fed::Event& e) { e.change.sequence = 0; }) == "event-sequence");
    CHECK(with([](fed::Event& e) { e.change.sequence = 2; }) == "event-sequence");
    CHECK((w.chain.refusal.flags & SYNOD_REFUSAL_NOT_YET) != 0);
    CHECK(with([](fed::Event& e) { e.previous[31] ^= 1; }) == "event-link");
    CHECK((w.chain.refusal.flags & SYNOD_REFUSAL_NOT_YET) == 0);
    CHECK(with([](fed::Event& e) { --e.change.effective; }) == "event-height");
    CHECK(with([](fed::Event& e) { e.change.effective += fed::kMaxGovernanceNotice; }) == "event-height");
    CHECK(with([&](fed::Event& e) { e.change.key = w.people[2].key; }) == "event-effect");
    CHECK(with([](fed::Event& e) { e.change.key.fill(0); }) == "event-effect");
    CHECK(with([](fed::Event&) {}, {0, 1}) == "event-approvals");
    CHECK(with([](fed::Event&) {}, {0, 1, 4}) == "event-approvals");
    ByteVector forged = bytes;
    forged.back() ^= 1;
    CHECK(w.judged(forged) == "event-signature");
    ByteVector cut(bytes.begin(), bytes.end() - 1);
    CHECK(w.judged(cut) == "event-shape");
    ByteVector longer = bytes;
    longer.push_back(0);
    CHECK(w.judged(longer) == "event-shape");
    // A proposer leaves out what can't be carried; one that doesn't look is refused, whoever vouches for its block.
    const ByteVector without = w.block({cut, w.signed_by(good, {0, 1})});
    fed::BlockParts parts;
    const char* why = "";
    REQUIRE(fed::read_block(without, parts, &why));
    CHECK(parts.events == 0);
    CHECK(w.take(w.block({forged}), 1) == "event-signature");
    REQUIRE(w.take(w.block({bytes}), 1) == "");
    CHECK(w.chain.checks.signatures.size() == 3);
    CHECK(w.judged(bytes) == "event-sequence");
}

TEST_CASE("events in a row are judged after each other, and wait up to a bound") {
    GovernedChain w;
    w.extend_to(1);
    std::vector<ByteVector> run;
    const fed::Chain rules(synod::Host(w.chain.host.raw()), synod::parse_json(federation_config(4, R"(,"genesis_time_ms":200000)")));
    fed::Event e = w.event(fed::EventKind::kParameter, 3 + kNotice);
    e.change.parameter = fed::Parameter::kMaxBlocksWithoutPow;
    for (size_t i = 0; i < fed::kMaxPendingEvents; ++i) {
        e.change.value = 5000 + i;
        run.push_back(w.signed_by(e, {0, 1, 2}));
        e.previous = w.hash(e);
        ++e.change.sequence;
    }
    for (size_t i = 0; i < run.size(); ++i) {
        REQUIRE(w.judged(run[i], {run.begin(), run.begin() + static_cast<std::ptrdiff_t>(i)}) == "");
    }
    CHECK(w.judged(w.signed_by(e, {0, 1, 2}), run) == "event-pending");
    CHECK(w.judged(run[1]) == "event-sequence");
    // A block takes a few of them; the next one goes on.
    REQUIRE(w.take(w.block(run)) == "");
    CHECK(w.state->rooted->governance_sequence == fed::kMaxBlockEvents);
    REQUIRE(w.take(w.block(run)) == "");
    CHECK(w.state->rooted->governance_sequence == fed::kMaxPendingEvents);
    // The second block is one nearer to the height, which it still was in time for.
    CHECK(w.state->rooted->max_blocks_without_pow == 10000);
    w.extend_to(2 + kNotice);
    CHECK(w.state->rooted->max_blocks_without_pow == 5015);
    CHECK(w.state->rooted->pending.empty());
}

TEST_CASE("a halted chain carries nothing but governance until it is resumed") {
    GovernedChain w;
    w.extend_to(2);
    const auto halt = w.event(fed::EventKind::kHalt, 4);
    REQUIRE(w.take(w.block({w.signed_by(halt, {1, 2, 3})})) == "");
    CHECK(w.info(w.state).halted == 1);
    CHECK_THROWS(w.block());
    CHECK_THROWS(w.block({}, {{1}}));
    const auto resume = w.event(fed::EventKind::kResume, 5);
    const ByteVector bytes = w.signed_by(resume, {1, 2, 3});
    REQUIRE(w.take(w.block({bytes}, {{1, 2}}, 7)) == ""); // the transaction waits
    fed::BlockParts parts;
    const char* why = "";
    REQUIRE(fed::read_block(w.blocks.back(), parts, &why));
    CHECK(parts.transactions == 0);
    CHECK(w.info(w.state).halted == 0);
    w.extend_to(8);
    CHECK(w.judged(w.signed_by(w.event(fed::EventKind::kResume, 20), {1, 2, 3})) == "event-effect");
}

TEST_CASE("slots go on rising when their length changes, and old blocks stay valid") {
    GovernedChain w;
    w.extend_to(1);
    auto shorter = w.event(fed::EventKind::kParameter, 2 + kNotice);
    shorter.change.parameter = fed::Parameter::kSlotMs;
    shorter.change.value = 500;
    REQUIRE(w.take(w.block({w.signed_by(shorter, {0, 1, 2})})) == "");
    w.extend_to(1 + kNotice);
    const uint64_t last = w.state->head().slot;
    CHECK(w.info(w.state).slot_ms == 500);
    CHECK(w.info(w.state).slot_base == last + 1);
    CHECK(w.info(w.state).slot_base_ms == (last + 1) * 2000);
    w.extend_to(10 + kNotice);
    auto longer = w.event(fed::EventKind::kParameter, w.state->height + 1 + kNotice);
    longer.change.parameter = fed::Parameter::kSlotMs;
    longer.change.value = 4000;
    REQUIRE(w.take(w.block({w.signed_by(longer, {0, 1, 2})})) == "");
    w.extend_to(longer.change.effective - 1);
    const uint64_t end = w.state->head().slot;
    CHECK(w.info(w.state).slot_base == end + 1);
    CHECK(w.info(w.state).slot_base_ms == (last + 1) * 2000 + (end - last) * 500);
    w.extend_to(longer.change.effective + 3);
    // From genesis, all at once.
    synod_state* again = w.chain.fork(w.chain.genesis);
    ByteVector run;
    for (const auto& b : w.blocks) {
        run.insert(run.end(), b.begin(), b.end());
    }
    REQUIRE(w.chain.apply(again, run) == SYNOD_OK);
    CHECK(w.chain.checks.first_failure() == 0);
    CHECK(again->rooted->root == w.state->rooted->root);
    w.chain.release(again);
}

TEST_CASE("a smaller block limit holds from its height on") {
    GovernedChain w;
    w.extend_to(1);
    const ByteVector large(300u << 10, 7);
    auto limit = w.event(fed::EventKind::kParameter, 2 + kNotice);
    limit.change.parameter = fed::Parameter::kMaxBlockBytes;
    limit.change.value = 1000;
    CHECK(w.judged(w.signed_by(limit, {0, 1, 2})) == "event-effect");
    limit.change.value = fed::kLeastMaxBlockBytes;
    REQUIRE(w.take(w.block({w.signed_by(limit, {0, 1, 2})}, {large})) == "");
    w.extend_to(kNotice);
    const ByteVector in_time = w.block({}, {large});
    REQUIRE(w.take(in_time) == "");
    fed::BlockParts parts;
    const char* why = "";
    const ByteVector small = w.block({}, {large});
    REQUIRE(fed::read_block(small, parts, &why));
    CHECK(parts.transactions == 0);
    w.extend_to(kNotice + 4);
}

TEST_CASE("headers after a change are judged once the blocks before it are here; a false set never is") {
    GovernedChain w;
    w.extend_to(2);
    const uint64_t effective = 3 + kNotice;
    synod_state* early = w.chain.fork(w.state);
    REQUIRE(w.take(w.block({w.signed_by(w.adding(4, effective), {0, 1, 2})})) == "");
    w.extend_to(effective - 1);
    synod_state* at_change = w.chain.fork(w.state);
    w.extend_to(effective + 3 * kNotice);
    // From before the event was carried: the first set's headers, and nothing above them.
    CHECK(w.headers(early, 3, effective - 1) == "");
    CHECK(w.headers(early, effective, effective + 2) == "set-unknown");
    CHECK((w.chain.refusal.flags & SYNOD_REFUSAL_NOT_YET) != 0);
    // A run that goes on over the change breaks the rule.
    CHECK(w.headers(early, 3, effective) == "authority-set");
    CHECK((w.chain.refusal.flags & SYNOD_REFUSAL_NOT_YET) == 0);
    // With the blocks up to the change everything is known, and who claims another set lies.
    CHECK(w.headers(at_change, effective, effective + 5) == "");
    const auto original = w.blocks[effective - 1];
    w.blocks[effective - 1][3] ^= 3; // set 2
    CHECK(w.headers(at_change, effective, effective) == "authority-set");
    CHECK((w.chain.refusal.flags & SYNOD_REFUSAL_NOT_YET) == 0);
    w.blocks[effective - 1] = original;
    // Head proofs likewise: nobody is to blame for a set that isn't known here.
    const auto proof_of = [&](uint64_t height) {
        MemorySink sink;
        const auto &b = w.blocks[height - 1], &child = w.blocks[height];
        w.chain.check(w.chain.api->prove_head(w.chain.self(), synod::to_bytes(std::span(b)),
                                              synod::to_bytes(std::span(child)), {nullptr, 0}, sink.raw(),
                                              w.chain.driver.fresh()));
        return sink.bytes;
    };
    const auto check = [&](const synod_state* s, const ByteVector& proof) {
        synod_header_view view{};
        w.chain.checks.clear();
        w.chain.refusal = {};
        w.chain.refusal.size = sizeof(w.chain.refusal);
        const synod_status status = w.chain.api->check_head(w.chain.self(), s, synod::to_bytes(std::span(proof)), &view,
                                                            w.chain.checks.writer(), &w.chain.refusal,
                                                            w.chain.driver.fresh());
        const uint32_t failed = status == SYNOD_OK ? w.chain.checks.first_failure() : w.chain.refusal.rule;
        return failed == 0 ? std::string() : w.chain.api->rule_name(w.chain.self(), failed);
    };
    CHECK(check(early, proof_of(effective - 1)) == "");
    CHECK(check(early, proof_of(effective + 20)) == "set-unknown");
    CHECK((w.chain.refusal.flags & SYNOD_REFUSAL_NOT_YET) != 0);
    CHECK(check(at_change, proof_of(effective + 20)) == "");
    CHECK(check(w.state, proof_of(effective - 2)) == "");
    w.chain.release(early);
    w.chain.release(at_change);
}

TEST_CASE("approvals at a change are judged by the set of their own height") {
    GovernedChain w;
    w.extend_to(1);
    const uint64_t effective = 2 + kNotice;
    auto remove = w.event(fed::EventKind::kRemoveAuthority, effective);
    remove.change.key = w.people[0].key;
    REQUIRE(w.take(w.block({w.signed_by(remove, {0, 1, 2})})) == "");
    w.extend_to(effective - 1);
    const auto approve = [&](const synod_state* s, uint32_t who, uint32_t index, uint64_t height) {
        fed::Attestation a;
        a.purpose = SYNOD_SIGN_APPROVE;
        a.author = static_cast<uint16_t>(index);
        a.height = height;
        a.slot = s->head().slot;
        a.hash = s->head().hash;
        std::array<uint8_t, 64> message{};
        const uint32_t length = fed::sign_message(SYNOD_SIGN_APPROVE, a.hash.data(), 0, message.data());
        crypto_sign_ed25519_detached(a.signature.data(), nullptr, message.data(), length, w.people[who].secret.data());
        return a.encode();
    };
    const auto judged = [&](const auto& bytes) {
        synod_attestation said{};
        w.chain.checks.clear();
        w.chain.refusal = {};
        w.chain.refusal.size = sizeof(w.chain.refusal);
        const synod_status status =
            w.chain.api->check_attestation(w.chain.self(), w.state, synod::to_bytes(std::span(bytes)), &said,
                                           w.chain.checks.writer(), &w.chain.refusal, w.chain.driver.fresh());
        const uint32_t failed = status == SYNOD_OK ? w.chain.checks.first_failure() : w.chain.refusal.rule;
        return failed == 0 ? std::string() : w.chain.api->rule_name(w.chain.self(), failed);
    };
    synod_state* last = w.chain.fork(w.state);
    const auto old_set = approve(last, 1, 1, last->height);
    CHECK(judged(old_set) == "");
    w.extend_to(effective + 1);
    CHECK(judged(old_set) == ""); // late, by the set of its height
    CHECK(judged(approve(w.state, 1, 0, w.state->height)) == "");
    CHECK(judged(approve(w.state, 1, 1, w.state->height)) == "attestation-signature");
    // One of a block that isn't known here, said to be of another height than it is: it counts for nothing later.
    const auto far = approve(w.state, 1, 0, w.state->height + kNotice + 1);
    CHECK(judged(far) == "set-unknown");
    CHECK((w.chain.refusal.flags & SYNOD_REFUSAL_NOT_YET) != 0);
    std::vector<std::array<uint8_t, fed::kAttestationBytes>> some{approve(last, 0, 0, last->height),
                                                                  approve(last, 1, 1, last->height),
                                                                  approve(last, 3, 2, last->height + 1)};
    std::vector<synod_bytes> spans;
    for (const auto& one : some) {
        spans.push_back(synod::to_bytes(std::span(one)));
    }
    MemorySink sink;
    CHECK(w.chain.api->certify(w.chain.self(), last, spans.data(), spans.size(), sink.raw(), &w.chain.refusal,
                               w.chain.driver.fresh()) == SYNOD_REFUSED);
    CHECK(w.chain.refused_rule() == "quorum");
    w.chain.release(last);
}

TEST_CASE("a state saved between an event and its height goes on to the same root") {
    GovernedChain w;
    w.extend_to(1);
    const uint64_t effective = 2 + kNotice;
    REQUIRE(w.take(w.block({w.signed_by(w.adding(6, effective), {0, 1, 2})})) == "");
    for (const uint64_t at : {uint64_t{5}, effective - 1, effective}) {
        w.extend_to(at);
        synod_state* copy = w.loaded(w.saved(w.state));
        CHECK(w.saved(copy) == w.saved(w.state));
        CHECK(copy->rooted->root == w.state->rooted->root);
        CHECK(copy->signers->keys == w.state->signers->keys);
        w.chain.release(std::exchange(w.state, copy));
    }
    w.extend_to(effective + 3);
    synod_state* again = w.chain.fork(w.chain.genesis);
    ByteVector run;
    for (const auto& b : w.blocks) {
        run.insert(run.end(), b.begin(), b.end());
    }
    REQUIRE(w.chain.apply(again, run) == SYNOD_OK);
    CHECK(w.chain.checks.first_failure() == 0);
    CHECK(again->rooted->root == w.state->rooted->root);
    CHECK(w.saved(again) == w.saved(w.state));
    w.chain.release(again);
}
