// SPDX-License-Identifier: Apache-2.0
//! What the pipeline does with a run of blocks: each is read once, and must be what was asked for.
#include "core/pipeline/pipeline.hpp"

#include <doctest/doctest.h>

#include <future>

#include "fake_plugins.hpp"

using namespace synod;
using namespace synod::pipeline;
using namespace synod::testing;

namespace {

Result<void> prove_all(CheckSet& checks) {
    const auto batch = checks.batch();
    std::fill_n(batch.digests.verdicts, batch.digests.n, std::uint8_t{SYNOD_VERDICT_HOLDS});
    return {};
}

//! A pipeline whose workers deliver by themselves; `settle` returns when nothing runs any more.
struct Bench {
    FakeHost fake;
    WorkerPool pool{2, host::become_worker};
    std::shared_ptr<Strand> strand = Strand::make(pool);
    Consensus consensus{*fake.chain, [this](std::function<void()> fn) { strand->post(std::move(fn)); }};
    Pipeline pipeline{pool, consensus, prove_all, [](std::function<void()> fn) { fn(); }, strand};

    ~Bench() { settle(); }
    void settle() {
        pipeline.drain_reads();
        for (int i = 0; i < 3; ++i) {  // planned, proven, states released
            std::promise<void> passed;
            pipeline.prove(std::make_shared<CheckSet>(), [&](const auto&) {
                pipeline.on_consensus([&] { passed.set_value(); }, {});
            });
            passed.get_future().wait();
        }
    }
    std::expected<Piece, Fault> read(Bytes run, std::uint32_t count, std::uint64_t from) {
        std::expected<Piece, Fault> out = std::unexpected(Fault{});
        pipeline.submit(ReadJob{SharedBytes(std::move(run)), count, from, [&](auto piece) { out = std::move(piece); }});
        pipeline.drain_reads();
        return out;
    }
    std::expected<std::size_t, Fault> prove(std::vector<Piece> pieces, std::uint64_t from, std::uint32_t count) {
        std::expected<std::size_t, Fault> out = 0;
        BlocksJob job;
        job.pieces = std::move(pieces);
        job.from = from;
        job.count = count;
        job.parent.data.fill(static_cast<std::uint8_t>(from - 1));
        strand->post([&] { job.base = consensus.fork({}).value(); });
        settle();
        job.done = [&](std::expected<ChainSegment, Fault> done) {
            if (done) {
                out = done->blocks.size();
            } else {
                out = std::unexpected(done.error());
            }
        };
        pipeline.submit(std::move(job));
        settle();
        return out;
    }
};

}  // namespace

TEST_CASE("a block that was read is not read again") {
    Bench bench;
    auto first = bench.read(fake_run(7, 3), 3, 7);
    auto second = bench.read(fake_run(10, 2), 2, 10);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->views->size() == 3);
    CHECK(first->views->back().height == 9);
    CHECK(blocks_read == 5);
    CHECK(bench.prove({*first, *second}, 7, 5).value() == 5);
    CHECK(blocks_read == 5);
    CHECK(bench.prove({*first, {SharedBytes(fake_run(10, 2)), {}}}, 7, 5).value() == 5);
    CHECK(blocks_read == 7);
}

TEST_CASE("what is read must be as many whole blocks as it says") {
    Bench bench;
    const auto rule = [&](Bytes run, std::uint32_t count) {
        const auto piece = bench.read(std::move(run), count, 7);
        REQUIRE(!piece);
        CHECK(!piece.error().self_fault);
        CHECK(piece.error().height == 7);
        return piece.error().rule;
    };
    CHECK(rule(fake_run(7, 3), 2) == "count");
    CHECK(rule(fake_run(7, 9), 2) == "malformed");  // it isn't read further than one too many
    CHECK(rule(fake_run(7, 3), 4) == "count");
    auto cut = fake_run(7, 3);
    cut.pop_back();
    CHECK(rule(cut, 3) == "malformed");
    how = Do::kCorrupt;
    CHECK(rule(fake_run(7, 3), 3) == "malformed");
    how = Do::kThrow;
    const auto ours = bench.read(fake_run(7, 3), 3, 7);
    how = Do::kWell;
    REQUIRE(!ours);
    CHECK(ours.error().self_fault);
}

TEST_CASE("pieces that were read must still be one chain of the asked length") {
    Bench bench;
    auto piece = bench.read(fake_run(7, 3), 3, 7);
    REQUIRE(piece);
    CHECK(bench.prove({*piece}, 7, 4).error().rule == "count");
    CHECK(bench.prove({*piece}, 8, 3).error().rule == "height");
    CHECK(bench.prove({*piece, *piece}, 7, 6).error().rule == "height");
    CHECK(bench.prove({*piece}, 7, 2).error().rule == "count");
}
