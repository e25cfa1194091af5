// SPDX-License-Identifier: Apache-2.0
//! Merged mining through the plugin's table: what a miner is given, what becomes of its proof, what is refused and how.
#include <doctest/doctest.h>

#include "plugins/consensus/federation/chain.hpp"
#include "tests/support/federation_chain.hpp"

using namespace synod::testing;
namespace fed = synod::federation;

namespace {

const fed::Hasher kHash{[](void*, const synod_bytes* spans, uint64_t n, uint8_t* out) {
                            for (uint64_t i = 0; i < n; ++i) {
                                const auto d = synod::sha256d(synod::view(spans[i]));
                                std::copy(d.begin(), d.end(), out + 32 * i);
                            }
                        }, nullptr};

struct World {
    FederationChain chain{4, R"(,"genesis_time_ms":200000,"chain_id":7)"};
    synod_state* state = chain.fork(chain.genesis);
    synod_work work{};
    ByteVector task;
    ~World() { chain.release(state); }

    std::string next(const ByteVector& payout = {}) {
        MemorySink sink;
        chain.refusal = {sizeof(synod_refusal), 0, 0, 0, {}};
        work = {};
        work.size = sizeof(work);
        const auto status = chain.api->next_work(chain.self(), state, synod::to_bytes(std::span(payout)), sink.raw(),
                                                 &work, &chain.refusal, chain.driver.fresh());
        task = sink.bytes;
        return outcome(status);
    }
    fed::AuxPow proof(uint32_t first_nonce = 0) const {
        fed::BuildInput in;
        std::copy_n(work.hash, 32, in.aux_hash.begin());
        in.chain_id = work.chain_id;
        in.target = fed::U256::from_hash(target());
        in.first_nonce = first_nonce;
        return *fed::build_auxpow(in, kHash);
    }
    fed::Hash32 target() const {
        fed::Hash32 out;
        std::copy_n(work.target, 32, out.begin());
        return out;
    }
    std::string make(const fed::AuxPow& proof, ByteVector& record) { return make(fed::encode_auxpow(proof), record); }
    std::string make(const ByteVector& proof, ByteVector& record) {
        MemorySink sink;
        chain.refusal = {sizeof(synod_refusal), 0, 0, 0, {}};
        const auto status =
            chain.api->make_record(chain.self(), synod::to_bytes(std::span(task)), synod::to_bytes(std::span(proof)),
                                   sink.raw(), &chain.refusal, chain.driver.fresh());
        record = sink.bytes;
        return outcome(status);
    }
    std::string judge(const ByteVector& record) {
        synod_work out{};
        out.size = sizeof(out);
        chain.refusal = {sizeof(synod_refusal), 0, 0, 0, {}};
        chain.checks.clear();
        const auto status = chain.api->check_record(chain.self(), state, synod::to_bytes(std::span(record)), &out,
                                                    chain.checks.writer(), &chain.refusal, chain.driver.fresh());
        if (status != SYNOD_OK) {
            return outcome(status);
        }
        CHECK(chain.checks.targets.size() == 1);
        CHECK(std::memcmp(&out, &work, sizeof(out)) == 0);
        const uint32_t failed = chain.checks.first_failure();
        return failed == 0 ? "" : chain.api->rule_name(chain.self(), failed);
    }
    std::string judge(const fed::AuxPow& proof) {
        ByteVector record;
        const auto made = make(proof, record);
        return made.empty() ? judge(record) : made;
    }
    std::string outcome(synod_status status) {
        return status == SYNOD_OK ? "" : status == SYNOD_REFUSED ? chain.refused_rule() : "error";
    }
};

} // namespace

TEST_CASE("work covers what is committed and not final; its proof becomes the record of the next block") {
    World w;
    CHECK(w.next() == "work-none");
    w.chain.extend(w.state, 6);
    REQUIRE(w.next() == "");
    CHECK(w.work.chain_id == 7);
    CHECK(w.work.range_start == 1);
    CHECK(w.work.range_end == 3);
    CHECK(w.work.number == 1);
    CHECK(w.work.bits == 0x207fffff);
    synod_chain_info info{};
    info.size = sizeof(info);
    w.chain.check(w.chain.api->info(w.chain.self(), w.state, &info, w.chain.driver.fresh()));
    CHECK(std::memcmp(w.work.previous, info.genesis_hash, 32) == 0);
    ByteVector record;
    REQUIRE(w.make(w.proof(), record) == "");
    CHECK(w.judge(record) == "");
    const ByteVector block = w.chain.block(w.state, 107, w.chain.certificate(w.state), {}, {record});
    REQUIRE(w.chain.apply(w.state, block) == SYNOD_OK);
    CHECK(w.chain.weigh(w.state).final_height == 3);
    CHECK(w.judge(record) == "record-range"); // stale: it is in the chain
    w.chain.extend(w.state, 1);
    REQUIRE(w.next() == "");
    CHECK(w.work.range_start == 4);
    CHECK(w.work.number == 2);
    const synod_weight weight = w.chain.weigh(w.state);
    CHECK(std::memcmp(w.work.previous, weight.final_hash, 32) == 0);
}

TEST_CASE("a payout of 20 to 32 bytes is part of what is proven") {
    World w;
    w.chain.extend(w.state, 6);
    REQUIRE(w.next() == "");
    const synod_work nobody = w.work;
    REQUIRE(w.next(ByteVector(20, 0xab)) == "");
    CHECK(std::memcmp(nobody.hash, w.work.hash, 32) != 0);
    CHECK(w.next(ByteVector(32, 1)) == "");
    CHECK(w.next(ByteVector(19, 1)) == "error");
    CHECK(w.next(ByteVector(33, 1)) == "error");
}

TEST_CASE("each thing that a miner can get wrong has a rule of its own") {
    World w;
    w.chain.extend(w.state, 6);
    REQUIRE(w.next() == "");
    const auto good = w.proof();
    CHECK(w.judge(good) == "");

    auto of_this_chain = good;
    of_this_chain.parent.version = 7u << 16;
    CHECK(w.judge(of_this_chain) == "record-parent-chain");

    auto elsewhere = good;
    elsewhere.chain_branch.index = 1;
    CHECK(w.judge(elsewhere) == "record-index");

    auto other_root = good;
    other_root.parent.merkle_root[0] ^= 1;
    CHECK(w.judge(other_root) == "record-proof");

    auto weak = good;
    const auto target = fed::U256::from_hash(w.target());
    while (fed::U256::from_hash(weak.parent.hash(kHash)) <= target) {
        ++weak.parent.nonce;
    }
    CHECK(w.judge(weak) == "record-target");

    ByteVector record, cut = fed::encode_auxpow(good);
    cut.pop_back();
    CHECK(w.make(cut, record) == "record-shape");
    CHECK(w.make(ByteVector{}, record) == "record-shape");
    CHECK(w.make(ByteVector(SYNOD_WORK_PROOF_MAX + 1, 0), record) == "record-shape");
    w.task[0] ^= 1;
    CHECK(w.make(good, record) == "record-shape");
}

TEST_CASE("a chain without merged mining has no work") {
    FederationChain chain(4, R"(,"max_blocks_without_pow":0)");
    MemorySink sink;
    synod_work work{};
    work.size = sizeof(work);
    synod_refusal refusal{};
    refusal.size = sizeof(refusal);
    CHECK(chain.api->next_work(chain.self(), chain.genesis, {}, sink.raw(), &work, &refusal, chain.driver.fresh()) ==
          SYNOD_E_UNSUPPORTED);
}
