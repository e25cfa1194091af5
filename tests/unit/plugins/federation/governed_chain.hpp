// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A chain in memory that governance changes. One thread; the test owns it.
#include <doctest/doctest.h>

#include <algorithm>

#include "plugins/consensus/federation/chain.hpp"
#include "tests/support/federation_chain.hpp"

namespace synod::testing {

namespace fed = synod::federation;

inline constexpr uint64_t kNotice = fed::kGovernanceNotice;

/// A chain of 4 authorities of whom any of 8 known keys may become one, and whose set follows the state.
struct GovernedChain {
    FederationChain chain{4, R"(,"genesis_time_ms":200000)"};
    std::vector<TestAuthority> people;
    synod_state* state = chain.fork(chain.genesis);
    std::vector<ByteVector> blocks;

    GovernedChain() {
        for (uint32_t i = 0; i < 8; ++i) {
            people.emplace_back(i);
        }
    }
    ~GovernedChain() { chain.release(state); }

    const TestAuthority& person(const fed::Key& key) const {
        return *std::find_if(people.begin(), people.end(), [&](const TestAuthority& p) { return p.key == key; });
    }
    synod_chain_info info(const synod_state* s) {
        synod_chain_info out{};
        out.size = sizeof(out);
        chain.check(chain.api->info(chain.self(), s, &out, nullptr));
        return out;
    }
    /// The quorum of those who certify the head.
    ByteVector certificate(const synod_state* s) {
        const fed::AuthoritySet& set = *s->signers;
        if (s->height == 0) {
            return {};
        }
        ByteVector out(8);
        std::array<uint8_t, 64> message{};
        const uint32_t length = fed::sign_message(SYNOD_SIGN_APPROVE, s->head().hash.data(), 0, message.data());
        for (uint32_t i = 0; i < set.quorum; ++i) {
            out[i / 8] = static_cast<uint8_t>(out[i / 8] | 1u << (i % 8));
            out.resize(out.size() + 64);
            crypto_sign_ed25519_detached(out.data() + out.size() - 64, nullptr, message.data(), length,
                                         person(set.keys[i]).secret.data());
        }
        return out;
    }
    ByteVector block(const std::vector<ByteVector>& events = {}, const std::vector<ByteVector>& transactions = {},
                     uint64_t skip = 1) {
        const auto spans = [](const std::vector<ByteVector>& items) {
            std::vector<synod_bytes> out;
            for (const auto& item : items) {
                out.push_back(synod::to_bytes(std::span(item)));
            }
            return out;
        };
        const auto event = spans(events), tx = spans(transactions);
        const synod_payload payload{sizeof(payload), 0, tx.data(), tx.size(), event.data(), event.size(), nullptr, 0};
        MemorySink sink;
        synod_sign_request request{};
        request.size = sizeof(request);
        const uint64_t slot = state->head().slot + skip;
        const ByteVector c = certificate(state);
        chain.check(chain.api->propose(chain.self(), state, slot, synod::to_bytes(std::span(c)), &payload, sink.raw(),
                                       &request, chain.driver.fresh()));
        const auto& keys = state->rooted->set->keys;
        person(keys[slot % keys.size()]).sign(request, sink.bytes);
        return sink.bytes;
    }
    /// Takes a block in and proves it; "" or the rule that it breaks.
    std::string take(const ByteVector& b, uint64_t vouched = 0) {
        synod_state* fork = chain.fork(state);
        const synod_status status = chain.apply(fork, b, vouched);
        const uint32_t failed = status == SYNOD_OK ? chain.checks.first_failure() : chain.refusal.rule;
        if (failed != 0) {
            chain.release(fork);
            return chain.api->rule_name(chain.self(), failed);
        }
        chain.release(std::exchange(state, fork));
        blocks.push_back(b);
        return "";
    }
    void extend_to(uint64_t height) {
        while (state->height < height) {
            REQUIRE(take(block()) == "");
        }
    }
    fed::Event event(fed::EventKind kind, uint64_t effective) {
        fed::Event out;
        out.change.kind = kind;
        out.change.sequence = state->rooted->governance_sequence + 1;
        out.change.effective = effective;
        std::memcpy(out.network.data(), info(state).network_id, 32);
        out.previous = state->rooted->governance_hash;
        return out;
    }
    fed::Hash32 hash(const fed::Event& e) const {
        const auto core = fed::encode_event_core(e);
        const auto d = synod::sha256d(core);
        fed::Hash32 out{};
        std::copy(d.begin(), d.end(), out.begin());
        return out;
    }
    /// Signed by these people, in the order of their keys.
    ByteVector signed_by(fed::Event e, std::vector<uint32_t> who) const {
        std::sort(who.begin(), who.end(), [&](uint32_t a, uint32_t b) { return people[a].key < people[b].key; });
        std::array<uint8_t, fed::kHashMessageBytes> message{};
        fed::event_message(hash(e), message.data());
        for (const uint32_t i : who) {
            fed::EventApproval a;
            a.key = people[i].key;
            crypto_sign_ed25519_detached(a.signature.data(), nullptr, message.data(), message.size(),
                                         people[i].secret.data());
            e.approvals.push_back(a);
        }
        return fed::encode_event(e);
    }
    std::string judged(const ByteVector& e, const std::vector<ByteVector>& before = {}) {
        std::vector<synod_bytes> spans;
        for (const auto& b : before) {
            spans.push_back(synod::to_bytes(std::span(b)));
        }
        chain.checks.clear();
        chain.refusal = {};
        chain.refusal.size = sizeof(chain.refusal);
        synod_governance_event what{};
        what.size = sizeof(what);
        const synod_status status =
            chain.api->check_event(chain.self(), state, spans.data(), spans.size(), synod::to_bytes(std::span(e)),
                                   &what, chain.checks.writer(), &chain.refusal, chain.driver.fresh());
        const uint32_t failed = status == SYNOD_REFUSED ? chain.refusal.rule : chain.checks.first_failure();
        return failed == 0 ? "" : chain.api->rule_name(chain.self(), failed);
    }
    fed::Event adding(uint32_t person_number, uint64_t effective) {
        auto e = event(fed::EventKind::kAddAuthority, effective);
        e.change.key = people[person_number].key;
        return e;
    }
    ByteVector saved(const synod_state* s) {
        MemorySink sink;
        chain.check(chain.api->save(chain.self(), s, sink.raw(), chain.driver.fresh()));
        return sink.bytes;
    }
    synod_state* loaded(const ByteVector& bytes) {
        MemorySource source(bytes);
        synod_state* out = nullptr;
        chain.check(chain.api->load(chain.self(), source.raw(), &out, chain.driver.fresh()));
        return out;
    }
    /// The headers of blocks from..to as a peer sends them, checked from this state. "" or the rule.
    std::string headers(const synod_state* from_state, uint64_t from, uint64_t to) {
        ByteVector run;
        for (uint64_t h = from; h <= to; ++h) {
            run.insert(run.end(), blocks[h - 1].begin(), blocks[h - 1].begin() + 119);
        }
        std::vector<synod_header_view> views(to - from + 1);
        uint64_t n = 0, used = 0;
        chain.check(chain.api->decode(chain.self(), SYNOD_FORM_HEADERS, synod::to_bytes(std::span(run)), views.data(),
                                      views.size(), &n, &used, chain.driver.fresh()));
        synod_header_view parent{};
        parent.height = from - 1;
        std::memcpy(parent.hash, views[0].parent, 32);
        const synod_plan_options options{sizeof(options), SYNOD_LEVEL_FULL, 0, UINT64_MAX};
        chain.refusal = {};
        chain.refusal.size = sizeof(chain.refusal);
        const synod_status status =
            chain.api->plan_headers(chain.self(), from_state, &parent, synod::to_bytes(std::span(run)), views.data(), n,
                                    &options, &chain.refusal, chain.driver.fresh());
        return status == SYNOD_OK ? "" : chain.refused_rule();
    }
};

} // namespace synod::testing
