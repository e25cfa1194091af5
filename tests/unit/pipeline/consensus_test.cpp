// SPDX-License-Identifier: Apache-2.0
//! The fence as the pipeline's calls meet it: exceptions, impossible answers, budgets, threads, states
//! that outlive their plugin, and a crash that names what it was about.
#include "core/pipeline/consensus.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include "core/pipeline/pipeline.hpp"
#include "fake_plugins.hpp"
#include "tests/support/child.hpp"

using namespace synod;
using namespace synod::pipeline;
using namespace synod::testing;

namespace {

struct Bench {
    FakeHost fake;
    std::mutex mutex;
    std::vector<std::function<void()>> deferred;
    Consensus consensus{*fake.chain, [this](std::function<void()> fn) {
                            const std::scoped_lock lock(mutex);
                            deferred.push_back(std::move(fn));
                        }};

    void release() {
        for (const auto& fn : std::exchange(deferred, {})) {  // no worker runs any more
            fn();
        }
    }
    Outcome<void> plan(std::uint64_t from, std::size_t n) {
        how = Do::kWell;
        const auto run = fake_run(from, n);
        const auto views = consensus.decode(SYNOD_FORM_BLOCKS, run, n).value().views;
        auto forked = consensus.fork({});
        REQUIRE_MESSAGE(forked, forked.error().text());
        const auto state = *forked;
        how = wanted;
        CheckSet checks;
        auto out = consensus.plan(state, run, views, {}, checks);
        how = Do::kWell;
        return out;
    }
    Do wanted = Do::kWell;
};

Died crash(const std::function<void()>& fn) {
    return in_a_child([&] {
        host::install_crash_handler();
        fn();
    });
}

Result<void> prove_all(CheckSet& checks) {
    const auto batch = checks.batch();
    std::fill_n(batch.digests.verdicts, batch.digests.n, std::uint8_t{SYNOD_VERDICT_HOLDS});
    return {};
}

//! One job of two blocks, 7 and 8, over a pipeline with workers of its own; its fault, if any.
std::optional<Fault> run_job(Bench& bench, Do during) {
    std::optional<Fault> fault;
    std::unique_ptr<Pipeline> pipeline;  // outlives the workers, who run what was submitted
    {
        WorkerPool pool(2, host::become_worker);
        pipeline = std::make_unique<Pipeline>(pool, bench.consensus, prove_all,
                                              [](std::function<void()> fn) { fn(); }, Strand::make(pool));
        BlocksJob job;
        job.pieces = {{SharedBytes(fake_run(7, 2)), {}}};
        job.from = 7;
        job.count = 2;
        job.parent.data.fill(6);
        job.base = bench.consensus.fork({}).value();
        job.done = [&](std::expected<ChainSegment, Fault> done) {
            if (!done) {
                fault = done.error();
            }
        };
        how = during;
        pipeline->submit(std::move(job));
    }
    how = Do::kWell;
    return fault;
}

}  // namespace

TEST_CASE("an exception ends at the call, is counted, and the next call works") {
    Bench bench;
    const auto calls = bench.fake.chain->calls();
    how = Do::kThrow;
    const auto info = bench.consensus.info({});
    REQUIRE(!info);
    CHECK(info.error().code == "plugin.threw");
    CHECK(info.error().where == "chain");
    CHECK(info.error().message == "consensus.info let an exception out");
    CHECK(bench.consensus.rule_name(1) == "rule-1");
    CHECK(bench.fake.chain->failures == 2);
    CHECK(bench.fake.chain->calls() == calls + 2);
    how = Do::kWell;
    CHECK(bench.consensus.info({}).value().authorities == 3);
    CHECK(bench.consensus.rule_name(1) == "a-digest");
    CHECK(bench.consensus.rule_name(9) == "rule-9");
    CHECK(bench.fake.chain->failures == 2);
}

TEST_CASE("a failure says what the plugin wrote, once") {
    Bench bench;
    how = Do::kCorrupt;
    const auto bad = bench.consensus.info({});
    REQUIRE(!bad);
    CHECK(bad.error().text() == "these bytes are no block [plugin.corrupt_input] at chain: byte 3");
    CHECK(bench.consensus.root({}).error().message == "consensus.root answered status -3");
    CHECK(bench.consensus.root({}).error().where == "chain");
}

TEST_CASE("answers that can't be are refused and counted") {
    Bench bench;
    const auto run = fake_run(1, 2);
    std::uint64_t failures = 0;
    const auto refused = [&](Do what, const auto& call) {
        how = what;
        const auto done = call();
        how = Do::kWell;
        CHECK_MESSAGE(bench.fake.chain->failures == ++failures, static_cast<int>(what));
        REQUIRE_MESSAGE(!done, static_cast<int>(what));
        CHECK(done.error().code == "plugin.misbehaving");
        CHECK(done.error().where == "chain");
    };
    const auto decode = [&] { return bench.consensus.decode(SYNOD_FORM_BLOCKS, run, 2); };
    refused(Do::kTooMany, decode);
    refused(Do::kTooFar, decode);
    refused(Do::kOutside, decode);
    refused(Do::kNullState, [&] { return bench.consensus.fork({}); });
    for (const auto what : {Do::kStrayCheck, Do::kEmptyCheck}) {
        bench.wanted = what;
        const auto planned = bench.plan(1, 2);
        REQUIRE(!planned);
        CHECK(planned.error().error.code == "plugin.misbehaving");
        CHECK(bench.fake.chain->failures == ++failures);
    }
    bench.wanted = Do::kWell;
    CHECK(bench.plan(1, 2));
    CHECK(bench.fake.chain->failures == failures);
    bench.release();
    CHECK(states == 0);
}

TEST_CASE("a call over its budget is counted; small calls cost time only when there is a budget") {
    Bench bench;
    auto& chain = *bench.fake.chain;
    const auto before = chain.busy_ns.load();
    how = Do::kSlow;
    CHECK(bench.consensus.info({}));
    CHECK(chain.busy_ns == before);
    chain.set_budget(std::chrono::milliseconds(5));
    CHECK(bench.consensus.info({}));
    CHECK(chain.over_budget == 1);
    CHECK(chain.busy_ns >= before + 20'000'000);
    chain.set_budget(std::chrono::hours(1));
    CHECK(bench.consensus.info({}));
    chain.set_budget({});
    const auto timed = chain.busy_ns.load();
    CHECK(bench.consensus.decode(SYNOD_FORM_BLOCKS, fake_run(1, 1), 1));
    CHECK(chain.busy_ns >= timed + 20'000'000);
    CHECK(chain.over_budget == 1);
}

TEST_CASE("what is [shared] runs on any thread, what is [worker] on a worker") {
    Bench bench;
    const auto run = fake_run(1, 1);
    const auto state = bench.consensus.fork({}).value();
    for (const auto role : {host::Role::kMain, host::Role::kWorker}) {
        host::thread_role = role;
        CHECK(bench.consensus.decode(SYNOD_FORM_BLOCKS, run, 1));
        CHECK(bench.consensus.info(state));
        CHECK(bench.consensus.authority_index(state, {}).value() == 2);
        CHECK(bench.consensus.rule_name(1) == "a-digest");
    }
    host::thread_role = host::Role::kMain;
    CHECK(bench.consensus.fork(state).error().code == "plugin.wrong_thread");
    CHECK(bench.consensus.weigh(state).error().code == "plugin.wrong_thread");
    CHECK(bench.fake.chain->failures == 0);
    host::thread_role = host::Role::kWorker;
    CHECK(bench.consensus.weigh(state).value().height == 5);
}

TEST_CASE("a state is released once, through the strand, and never after its plugin") {
    Bench bench;
    auto kept = bench.consensus.fork({}).value();
    {
        const auto other = kept;
        auto gone = bench.consensus.fork({}).value();
        CHECK(states == 2);
    }
    CHECK(bench.deferred.size() == 1);
    CHECK(states == 2);
    bench.release();
    CHECK(states == 1);

    auto thrown = bench.consensus.fork({}).value();
    thrown.reset();
    how = Do::kThrow;
    bench.release();
    how = Do::kWell;
    CHECK(states == 1);
    CHECK(bench.fake.chain->failures == 1);

    bench.fake.registry.stop(Duration::zero());
    const auto calls = bench.fake.chain->calls();
    kept.reset();
    bench.release();
    CHECK(states == 1);
    CHECK(released_twice == 0);
    CHECK(bench.fake.chain->calls() == calls);
}

TEST_CASE("a state may outlive the Consensus") {
    FakeHost fake;
    auto consensus = std::make_unique<Consensus>(*fake.chain, [](std::function<void()> fn) { fn(); });
    auto state = consensus->fork({}).value();
    auto other = consensus->fork({}).value();
    other.reset();
    CHECK(states == 1);
    consensus.reset();
    state.reset();
    CHECK(states == 1);
}

TEST_CASE("the plugin's own failure is nobody else's fault") {
    Bench bench;
    CHECK(!run_job(bench, Do::kWell));
    const auto thrown = run_job(bench, Do::kThrow);
    REQUIRE(thrown);
    CHECK(thrown->self_fault);
    CHECK(thrown->rule == "plugin.threw");
    const auto garbage = run_job(bench, Do::kOutside);
    REQUIRE(garbage);
    CHECK(garbage->self_fault);
    const auto corrupt = run_job(bench, Do::kCorrupt);
    REQUIRE(corrupt);
    CHECK(!corrupt->self_fault);
    CHECK(corrupt->rule == "malformed");
}

TEST_CASE("a crash in the pipeline names the plugin, the call and the batch") {
    const auto [signal, said] = crash([] {
        Bench bench;
        (void)run_job(bench, Do::kCrash);
    });
    CHECK(signal == SIGSEGV);
    CHECK_MESSAGE(said.find("crashed in plugin chain, call consensus.decode, batch 7") != std::string::npos, said);
    const auto [second, text] = crash([] {
        Bench bench;
        bench.wanted = Do::kCrash;
        (void)bench.plan(300, 2);
    });
    CHECK(second == SIGSEGV);
    CHECK_MESSAGE(text.find("crashed in plugin chain, call consensus.plan, batch 300") != std::string::npos, text);
}
