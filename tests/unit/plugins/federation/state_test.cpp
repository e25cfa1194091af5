// SPDX-License-Identifier: Apache-2.0
//! States: proofs, saving, hostile bytes; the voting rule and a lossy, partly Byzantine network.
#include <doctest/doctest.h>

#include <map>
#include <random>

#include "plugins/consensus/federation/chain.hpp"
#include "tests/support/federation_chain.hpp"

using namespace synod::testing;
namespace fed = synod::federation;

namespace {

const fed::Hasher kHash{[](void*, const synod_bytes* s, uint64_t n, uint8_t* out) {
                            for (uint64_t i = 0; i < n; ++i) {
                                const auto d = synod::sha256d(synod::view(s[i]));
                                std::copy(d.begin(), d.end(), out + 32 * i);
                            }
                        }, nullptr};

ByteVector saved(FederationChain& c, const synod_state* s) {
    MemorySink sink;
    c.check(c.api->save(c.self(), s, sink.raw(), c.driver.fresh()));
    return sink.bytes;
}

// One run of 40 slots: 4 authorities of which number 3 signs two blocks and approves anything. `locking` false drops
// the lock. Returns whether two conflicting blocks were committed.
bool conflicting(FederationChain& c, const std::vector<std::array<uint8_t, 32>>& ids, uint64_t seed, bool locking) {
    struct Node {
        uint64_t last = 0;
        synod_lock lock{};
    };
    struct Block {
        std::unique_ptr<synod_state> state;
        uint32_t approvals = 0;
        uint32_t knows = 0; // who has its certificate
    };
    std::mt19937_64 random(seed);
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    std::array<Node, 4> nodes;
    std::vector<Block> blocks(1);
    blocks[0].state = std::make_unique<synod_state>(*c.genesis);
    blocks[0].knows = 15;
    std::map<uint64_t, fed::Hash32> committed;
    bool conflict = false;
    const fed::Chain rules(synod::Host(c.host.raw()), synod::parse_json(federation_config(4)));
    for (uint64_t slot = 1; slot <= 40; ++slot) {
        const auto author = static_cast<uint32_t>(slot % 4);
        for (int copy = 0; copy < (author == 3 ? 2 : 1); ++copy) {
            size_t parent = 0;
            for (size_t i = 0; i < blocks.size(); ++i) {
                const bool known = (blocks[i].knows >> author & 1u) != 0;
                const bool better = blocks[i].state->head().slot > blocks[parent].state->head().slot;
                if (known && (author == 3 ? chance(40) : better)) {
                    parent = i;
                }
            }
            Block b;
            b.state = std::make_unique<synod_state>(*blocks[parent].state);
            const std::array<uint8_t, 64> none{};
            fed::advance(*b.state, {ids[blocks.size()], slot}, none.data(), b.state->rooted);
            for (uint32_t n = 0; n < 4; ++n) {
                fed::Bytes bytes;
                synod_sign_request request{};
                synod_refusal refusal{};
                refusal.size = sizeof(refusal);
                if (n == 3) {
                    b.approvals |= 8;
                } else if (chance(75) && rules.vote(*b.state, n, nodes[n].last, locking ? nodes[n].lock : synod_lock{},
                                                    bytes, request, &refusal) == SYNOD_OK) {
                    b.approvals |= 1u << n;
                    nodes[n] = {slot, request.new_lock};
                }
            }
            if (std::popcount(b.approvals) >= 3) {
                b.knows = 8 | static_cast<uint32_t>(random() % 16);
                synod_state certified = *b.state;
                fed::certify_head(certified);
                for (uint64_t h = 1; h <= certified.committed; ++h) {
                    const fed::Hash32 hash = certified.ancestry.at(h).hash;
                    conflict = conflict || !(committed.emplace(h, hash).first->second == hash);
                }
            }
            blocks.push_back(std::move(b));
        }
        for (Block& b : blocks) {
            if (b.knows != 0 && chance(30)) {
                b.knows |= static_cast<uint32_t>(random() % 16);
            }
        }
    }
    return conflict;
}

} // namespace

TEST_CASE("a proof of every entry leads to the header's state root, and no other value does") {
    FederationChain c(5);
    fed::Hash32 root{};
    c.check(c.api->root(c.self(), c.genesis, root.data(), nullptr));
    CHECK(std::equal(root.begin(), root.end(), c.genesis_block.begin() + 87));
    const auto entries = c.genesis->rooted->entries();
    CHECK(std::is_sorted(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.key < b.key; }));
    for (const fed::Entry& e : entries) {
        MemorySink sink;
        REQUIRE(c.api->prove(c.self(), c.genesis, synod::to_bytes(std::string_view(e.key)), sink.raw(), nullptr) == SYNOD_OK);
        fed::Entry got;
        REQUIRE(fed::verify_state_proof(sink.bytes, root, got, kHash));
        CHECK(got.key == e.key);
        CHECK(got.value == e.value);
        for (size_t i = 0; i < sink.bytes.size(); ++i) {
            ByteVector bad = sink.bytes;
            bad[i] ^= 1;
            const bool same_path = fed::verify_state_proof(bad, root, got, kHash);
            CHECK((!same_path || (got.key == e.key && got.value == e.value)));
        }
    }
    MemorySink sink;
    CHECK(c.api->prove(c.self(), c.genesis, synod::to_bytes(std::string_view("no")), sink.raw(), nullptr) == SYNOD_E_INVALID);
}

TEST_CASE("a state that changed hashes the leaves that changed, and has the root of all of them") {
    static size_t hashed = 0; // spans
    const fed::Hasher counting{[](void* ctx, const synod_bytes* spans, uint64_t n, uint8_t* out) {
                                   hashed += n;
                                   kHash.function(ctx, spans, n, out);
                               },
                               kHash.ctx};
    FederationChain c(5);
    fed::Rooted next = *c.genesis->rooted;
    const size_t leaves = next.entries().size();
    const size_t nodes = leaves - 1;
    const auto expect_root_of_all = [](const fed::Rooted& r) {
        std::vector<fed::Hash32> all;
        for (const fed::Entry& e : r.entries()) {
            all.push_back(fed::state_leaf(e, kHash));
        }
        CHECK(r.root == fed::merkle_root(all, kHash));
    };
    next.final_height = 7;
    next.record_count = 1;
    hashed = 0;
    next.seal(counting);
    CHECK(hashed == 2 + nodes);
    expect_root_of_all(next);
    CHECK(next.root != c.genesis->rooted->root);

    fed::Rooted back = next;
    back.final_height = c.genesis->rooted->final_height;
    back.record_count = c.genesis->rooted->record_count;
    back.seal(counting);
    CHECK(back.root == c.genesis->rooted->root);

    // An authority more moves every entry behind it.
    auto set = std::make_shared<fed::AuthoritySet>(*next.set);
    set->keys.push_back(set->keys[0]);
    next.set = set;
    next.seal(counting);
    expect_root_of_all(next);

    next.sealed = nullptr;
    hashed = 0;
    next.seal(counting);
    CHECK(hashed == leaves + 1 + nodes + 1);
    expect_root_of_all(next);
}

TEST_CASE("a loaded state goes on like the saved one; damaged bytes are refused or differ") {
    FederationChain c(4);
    synod_state* state = c.fork(c.genesis);
    c.extend(state, 300);
    const ByteVector bytes = saved(c, state);
    MemorySource source(bytes, 1000);
    synod_state* loaded = nullptr;
    REQUIRE(c.api->load(c.self(), source.raw(), &loaded, c.driver.fresh()) == SYNOD_OK);
    CHECK(saved(c, loaded) == bytes);
    c.extend(state, 200);
    c.extend(loaded, 200);
    CHECK(saved(c, loaded) == saved(c, state));
    std::mt19937 random(1);
    for (size_t i = 0; i < 600; ++i) {
        ByteVector bad = bytes;
        bad[random() % (i < 300 ? bad.size() : 600)] ^= static_cast<uint8_t>(1u << (i % 8));
        if (i % 3 == 0) {
            bad.resize(random() % bad.size());
        }
        auto got = fed::load_state(bad, {}, kHash);
        CHECK(!got);
        MemorySource again(bad);
        synod_state* out = nullptr;
        const synod_status status = c.api->load(c.self(), again.raw(), &out, c.driver.fresh());
        CHECK((status == SYNOD_E_CORRUPT || saved(c, out) == bad));
        if (status == SYNOD_OK) {
            c.release(out);
        }
    }
    c.release(loaded);
    c.release(state);
}

// Bytes of a saved state of four authorities named "test": magic, format, genesis and everything under the root, then
// height 8, signature 64, certified 1, committed 8, its hash 32, base 8, count 4, and 40 an ancestor.
TEST_CASE("a saved state without the head's parent, of another genesis or of impossible heights is refused") {
    FederationChain c(4);
    synod_state* state = c.fork(c.genesis);
    c.extend(state, 6);
    const ByteVector good = saved(c, state);
    constexpr size_t kAncestor = 40, kFixed = 8 + 64 + 1 + 8 + 32 + 8 + 4;
    const size_t height = good.size() - 7 * kAncestor - kFixed, base = height + 113, count = base + 8, first = count + 4;
    const auto put = [](ByteVector& to, size_t at, uint64_t v, size_t n) { fed::put_little(&to[at], v, n); };
    const auto refused = [&](const ByteVector& bytes, const std::string& why) {
        MemorySource source(bytes);
        synod_state* out = nullptr;
        CHECK(c.api->load(c.self(), source.raw(), &out, c.driver.fresh()) == SYNOD_E_CORRUPT);
        CHECK(out == nullptr);
        CHECK(std::string(c.driver.error().message) == why);
    };
    REQUIRE(fed::get_little(&good[height], 8) == 6);
    REQUIRE(fed::get_little(&good[count], 4) == 7);
    ByteVector orphan(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(first));
    orphan.insert(orphan.end(), good.end() - kAncestor, good.end()); // the head alone: asked to vote, the plugin crashed
    put(orphan, base, 6, 8);
    put(orphan, count, 1, 4);
    refused(orphan, "the head's parent is missing");
    ByteVector other = good;
    other[first + 8] ^= 1;
    refused(other, "the ancestry begins with another genesis");
    ByteVector high = good; // base + count wraps
    put(high, height, UINT64_MAX, 8);
    put(high, base, UINT64_MAX - 6, 8);
    refused(high, "heights and ancestry do not fit together");
    c.release(state);
}

TEST_CASE("approvals follow slot and lock, and become a certificate") {
    FederationChain c(4);
    synod_state* state = c.fork(c.genesis);
    c.extend(state, 4); // slots 1..4
    synod_lock lock{};
    synod_sign_request request{};
    std::vector<ByteVector> approvals;
    const auto vote = [&](uint32_t author, uint64_t last) {
        MemorySink sink;
        const synod_status s = c.api->vote(c.self(), state, author, last, &lock, sink.raw(), &request, &c.refusal, nullptr);
        if (s == SYNOD_OK) {
            c.authorities[author].sign(request, sink.bytes);
            approvals.push_back(sink.bytes);
        }
        return s;
    };
    CHECK(vote(0, 4) == SYNOD_REFUSED);
    CHECK(c.refused_rule() == "vote-slot");
    lock.slot = 3;
    lock.hash[0] = 1; // another block of the parent's slot
    CHECK(vote(0, 3) == SYNOD_REFUSED);
    CHECK(c.refused_rule() == "vote-lock");
    lock.slot = 2;
    CHECK(vote(0, 3) == SYNOD_OK); // the parent's certificate is later
    CHECK(request.new_lock.slot == 2);
    lock = {};
    CHECK(vote(1, 0) == SYNOD_OK);
    CHECK(request.new_lock.slot == 2); // the parent of the newest certified block
    CHECK(std::memcmp(request.new_lock.hash, state->ancestry.at(2).hash.data(), 32) == 0);
    const auto certify = [&] {
        std::vector<synod_bytes> all;
        for (const auto& a : approvals) {
            all.push_back(synod::to_bytes(std::span(a)));
        }
        MemorySink sink;
        const synod_status s = c.api->certify(c.self(), state, all.data(), all.size(), sink.raw(), &c.refusal, nullptr);
        return std::pair(s, sink.bytes);
    };
    CHECK(certify().first == SYNOD_REFUSED);
    CHECK(vote(3, 0) == SYNOD_OK);
    const auto [status, certificate] = certify();
    REQUIRE(status == SYNOD_OK);
    c.checks.clear();
    synod_attestation said{};
    CHECK(c.api->check_attestation(c.self(), state, synod::to_bytes(std::span(approvals[2])), &said, c.checks.writer(),
                                   &c.refusal, nullptr) == SYNOD_OK);
    CHECK(said.author == 3);
    REQUIRE(c.api->accept_certificate(c.self(), state, synod::to_bytes(std::span(certificate)), c.checks.writer(),
                                      &c.refusal, nullptr) == SYNOD_OK);
    CHECK(c.checks.signatures.size() == 4);
    CHECK(c.checks.first_failure() == 0);
    const ByteVector child = c.block(state, 5, certificate);
    CHECK(c.apply(state, child) == SYNOD_OK);
    CHECK(c.checks.first_failure() == 0);
    c.release(state);
}

TEST_CASE("random networks with one equivocating author never commit two branches; without the lock they do") {
    FederationChain c(4);
    std::vector<std::array<uint8_t, 32>> ids(64);
    for (size_t i = 0; i < ids.size(); ++i) {
        ids[i].fill(static_cast<uint8_t>(i));
    }
    size_t with = 0, without = 0;
    for (uint64_t run = 0; run < 2000; ++run) {
        with += conflicting(c, ids, run, true);
        without += conflicting(c, ids, run, false);
    }
    MESSAGE("conflicting commits in 2000 runs: with lock " << with << ", without " << without);
    CHECK(with == 0);
    CHECK(without > 0);
}

TEST_CASE("no decoder takes harm from random bytes") {
    FederationChain c(4);
    synod_state* state = c.fork(c.genesis);
    const ByteVector good = c.extend(state, 1, {{1, 2}});
    std::mt19937 random(7);
    for (int i = 0; i < 3000; ++i) {
        ByteVector b = i % 2 == 0 ? good : ByteVector(random() % 500);
        for (size_t k = 0; k < (i % 2 == 0 ? 3 : b.size()) && !b.empty(); ++k) {
            b[random() % b.size()] = static_cast<uint8_t>(random());
        }
        synod_state* fork = c.fork(state);
        (void)c.apply(fork, b);
        const synod_bytes bytes = synod::to_bytes(std::span(b));
        synod_header_view view{};
        synod_attestation said{};
        CHECK(c.api->check_attestation(c.self(), fork, bytes, &said, c.checks.writer(), &c.refusal, nullptr) != SYNOD_E_INTERNAL);
        CHECK(c.api->check_head(c.self(), fork, bytes, &view, c.checks.writer(), &c.refusal, nullptr) != SYNOD_E_INTERNAL);
        CHECK(c.api->accept_certificate(c.self(), fork, bytes, c.checks.writer(), &c.refusal, nullptr) != SYNOD_E_INTERNAL);
        c.release(fork);
    }
    c.release(state);
}

TEST_CASE("a head proof from a child or from a certificate") {
    FederationChain c(4);
    synod_state* state = c.fork(c.genesis);
    const ByteVector first = c.extend(state, 1), certificate = c.certificate(state), second = c.extend(state, 1);
    MemorySink a, b;
    REQUIRE(c.api->prove_head(c.self(), synod::to_bytes(std::span(first)), synod::to_bytes(std::span(second)), {}, a.raw(), nullptr) == SYNOD_OK);
    REQUIRE(c.api->prove_head(c.self(), synod::to_bytes(std::span(first)), {}, synod::to_bytes(std::span(certificate)), b.raw(), nullptr) == SYNOD_OK);
    CHECK(a.bytes == b.bytes);
    c.checks.clear();
    synod_header_view view{};
    REQUIRE(c.api->check_head(c.self(), c.genesis, synod::to_bytes(std::span(a.bytes)), &view, c.checks.writer(), &c.refusal, nullptr) == SYNOD_OK);
    CHECK(view.height == 1);
    CHECK(c.checks.signatures.size() == 4);
    CHECK(c.checks.first_failure() == 0);
    c.release(state);
}
