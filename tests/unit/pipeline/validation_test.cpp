// SPDX-License-Identifier: Apache-2.0
//! Proving on a backend that fails, forgets, takes its time or disagrees.
#include "core/pipeline/validation.hpp"

#include <doctest/doctest.h>

#include "fake_plugins.hpp"

using namespace synod;
using namespace synod::pipeline;
using namespace synod::testing;

namespace {

struct Bench {
    Validation validation;
    FakeHost fake{services()};
    CheckSet checks;
    std::vector<Isolated> isolated;

    explicit Bench(PendingLimits limits = {}) : validation(host::system_clock(), limits) {
        static const std::uint8_t bytes[32] = {};
        checks.writer()->digest(checks.writer()->ctx, 0, 1, {bytes, 32}, bytes);
        checks.writer()->digest(checks.writer()->ctx, 1, 1, {bytes, 32}, bytes);
        validation.bind(*fake.backend, nullptr);
    }
    void stand_by(host::Instance* standby) {
        validation.stand_by(standby, [this](Isolated who) { isolated.push_back(std::move(who)); });
    }
    host::HostServices services() {
        host::HostServices out;
        out.completion = &validation;
        out.hasher = &validation;
        return out;
    }
};

}  // namespace

TEST_CASE("a backend proves, or its failure is counted and nothing counts as proven") {
    Bench bench;
    CHECK(bench.validation.prove(bench.checks));
    CHECK(!bench.checks.first_failure());
    for (const auto& [what, code] : {std::pair{Do::kThrow, "plugin.threw"},
                                     std::pair{Do::kCorrupt, "plugin.corrupt_input"},
                                     std::pair{Do::kLeaveOut, "plugin.misbehaving"}}) {
        how = what;
        const auto failures = bench.fake.backend->failures.load();
        const auto done = bench.validation.prove(bench.checks);
        REQUIRE(!done);
        CHECK(done.error().code == code);
        CHECK(done.error().where.starts_with("backend"));
        CHECK(bench.fake.backend->failures == failures + 1);
    }
    how = Do::kDeny;
    CHECK(bench.validation.prove(bench.checks));
    CHECK(bench.checks.first_failure()->block == 0);
}

TEST_CASE("a pending batch ends with its owner's completion and no other's") {
    for (const synod_status end : {SYNOD_OK, SYNOD_E_DEADLINE}) {
        Bench bench;
        how = Do::kPend;
        Result<void> done;
        fake_ticket = 0;
        std::thread prover([&] { done = bench.validation.prove(bench.checks); });
        while (fake_ticket == 0) {
            std::this_thread::yield();
        }
        bench.validation.complete(*bench.fake.sure, fake_ticket, SYNOD_E_INTERNAL);
        bench.validation.complete(*bench.fake.backend, fake_ticket + 1, SYNOD_E_INTERNAL);
        bench.validation.complete(*bench.fake.backend, fake_ticket, end);
        bench.validation.complete(*bench.fake.backend, fake_ticket, SYNOD_E_INTERNAL);
        prover.join();
        CHECK(done.has_value() == (end == SYNOD_OK));
        CHECK(bench.fake.backend->failures == (end == SYNOD_OK ? 0 : 1));
        if (!done) {
            CHECK(done.error().code == "plugin.deadline");
        }
    }
}

namespace {

//! Nobody completes what these tests leave pending: however long, it is over too soon for nobody.
constexpr PendingLimits kSoon{std::chrono::milliseconds(1), std::chrono::milliseconds(1)};

//! What a backend does with a batch long after it was given up.
void write_late(const synod_check_batch* batch, std::uint8_t verdict) {
    for (std::uint64_t i = 0; i < batch->digests.n; ++i) {
        batch->digests.verdicts[i] = verdict;
    }
}

}  // namespace

TEST_CASE("a batch that is never completed is taken back and its backend isolated; with no other, proofs fail") {
    Bench bench(kSoon);
    bench.stand_by(nullptr);
    how = Do::kPend;
    std::uint64_t cancelled = 0;
    on_cancel = [&](std::uint64_t ticket) { cancelled = ticket; };
    const auto done = bench.validation.prove(bench.checks);
    REQUIRE(!done);
    CHECK(done.error().code == "validation.none_left");
    CHECK(done.error().message.find("backend: a pending batch was never completed") != std::string::npos);
    CHECK(cancelled == fake_ticket);
    REQUIRE(bench.isolated.size() == 1);
    CHECK(bench.isolated[0].alias == "backend");
    CHECK(bench.isolated[0].call == "validation.validate");
    CHECK(bench.isolated[0].instead.empty());
    CHECK(bench.isolated[0].why.code == "validation.none_left");
    how = Do::kWell;
    const auto calls = bench.fake.backend->calls();
    const auto next = bench.validation.prove(bench.checks);
    REQUIRE(!next);
    CHECK(next.error().code == "validation.none_left");
    CHECK(bench.fake.backend->calls() == calls);
    CHECK(bench.isolated.size() == 1);
    // It comes back after all: nobody listens, and its memory is still there.
    write_late(fake_batch, SYNOD_VERDICT_HOLDS);
    bench.validation.complete(*bench.fake.backend, fake_ticket, SYNOD_OK);
    CHECK(bench.checks.first_failure());
}

TEST_CASE("the one that stands by proves what another never completed, and all that follows") {
    for (const bool paranoid : {false, true}) {
        Bench bench(kSoon);
        bench.validation.bind(*bench.fake.backend, paranoid ? bench.fake.sure : nullptr);
        bench.stand_by(bench.fake.sure);
        how = Do::kPend;
        REQUIRE(bench.validation.prove(bench.checks));
        CHECK(!bench.checks.first_failure());
        write_late(fake_batch, SYNOD_VERDICT_FAILS);
        CHECK(!bench.checks.first_failure());
        REQUIRE(bench.isolated.size() == 1);
        CHECK(bench.isolated[0].why.code == "plugin.deadline");
        CHECK(bench.isolated[0].instead == "sure");
        const auto calls = bench.fake.backend->calls();
        CHECK(bench.validation.prove(bench.checks));
        CHECK(bench.fake.backend->calls() == calls);
        CHECK(bench.isolated.size() == 1);
        // Its hashes aren't asked for either.
        const std::uint8_t byte = 1;
        const synod_bytes span{&byte, 1};
        std::uint8_t portable[32], out[32];
        host::portable_hasher().sha256d({&span, 1}, portable);
        bench.validation.sha256d({&span, 1}, out);
        CHECK(std::memcmp(out, portable, 32) == 0);
    }
}

TEST_CASE("a batch that ends when it is cancelled is a failure and no more") {
    Bench bench({std::chrono::milliseconds(1), kCancelLimit});
    bench.stand_by(bench.fake.sure);
    how = Do::kPend;
    on_cancel = [&](std::uint64_t ticket) {
        bench.validation.complete(*bench.fake.backend, ticket, SYNOD_E_CANCELLED);
    };
    const auto done = bench.validation.prove(bench.checks);
    REQUIRE(!done);
    CHECK(done.error().code == "plugin.cancelled");
    CHECK(bench.isolated.empty());
    how = Do::kWell;
    CHECK(bench.validation.prove(bench.checks));
}

TEST_CASE("a backend that says it is never pending and is, is isolated at once") {
    Bench bench;  // with the limits of every day: nothing is waited for
    bench.validation.bind(*bench.fake.sure, nullptr);
    bench.stand_by(bench.fake.backend);
    sure_pends = true;
    CHECK(bench.validation.prove(bench.checks));
    REQUIRE(bench.isolated.size() == 1);
    CHECK(bench.isolated[0].alias == "sure");
    CHECK(bench.isolated[0].why.code == "plugin.misbehaving");
    CHECK(bench.isolated[0].instead == "backend");
}

TEST_CASE("without the reference beside it a paranoid backend proves no more") {
    Bench bench;
    bench.validation.bind(*bench.fake.backend, bench.fake.sure);
    bench.stand_by(bench.fake.sure);
    sure_pends = true;
    CHECK(!bench.validation.prove(bench.checks));
    const auto next = bench.validation.prove(bench.checks);
    REQUIRE(!next);
    CHECK(next.error().code == "validation.none_left");
}

TEST_CASE("a lent batch is a copy of every column, and its verdicts go back") {
    Bytes bytes(400);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(i * 7);
    }
    const auto* b = bytes.data();
    CheckSet checks;
    const auto* w = checks.writer();
    for (std::uint32_t i = 0; i < 2; ++i) {
        w->signature(w->ctx, i, 1, b + i, b + 40 + i, {b + 110 + i, 5 + i});
        w->digest(w->ctx, i, 2, {b + 120 + i, 9}, b + 130 + i);
        w->merkle(w->ctx, i, 3, b + 170 + i, 1 + i, b + 240 + i);
        w->target(w->ctx, i, 4, b + 280 + i, b + 364 + i);
    }
    auto batch = checks.batch();
    batch.ticket = 7;
    auto lent = std::make_unique<LentBatch>(batch);
    const auto before = bytes;
    std::ranges::fill(bytes, std::uint8_t{0});  // what it was copied from is gone
    const auto& copy = *lent->batch();
    CHECK(copy.ticket == 7);
    const auto same = [&](const std::uint8_t* p, std::size_t at, std::size_t n) {
        return std::memcmp(p, before.data() + at, n) == 0;
    };
    for (std::uint32_t i = 0; i < 2; ++i) {
        CHECK(same(copy.signatures.keys[i], i, 32));
        CHECK(same(copy.signatures.signatures[i], 40 + i, 64));
        CHECK(copy.signatures.messages[i].n == 5 + i);
        CHECK(same(copy.signatures.messages[i].p, 110 + i, 5 + i));
        CHECK(same(copy.digests.spans[i].p, 120 + i, 9));
        CHECK(same(copy.digests.digests[i], 130 + i, 32));
        CHECK(copy.merkles.leaf_counts[i] == 1 + i);
        CHECK(same(copy.merkles.leaves[i], 170 + i, 32 * (1 + i)));
        CHECK(same(copy.merkles.roots[i], 240 + i, 32));
        CHECK(same(copy.targets.headers[i], 280 + i, 80));
        CHECK(same(copy.targets.targets[i], 364 + i, 32));
    }
    copy.signatures.verdicts[1] = 1;
    copy.digests.verdicts[0] = 2;
    copy.merkles.verdicts[1] = 1;
    copy.targets.verdicts[0] = 2;
    CHECK(to_hex(checks.verdicts()) == "0000000000000000");
    lent->give_back(batch);
    CHECK(to_hex(checks.verdicts()) == "0001020000010200");
}

TEST_CASE("a backend that contradicts the reference stops the proof") {
    Bench bench;
    bench.validation.bind(*bench.fake.backend, bench.fake.sure);
    CHECK(bench.validation.prove(bench.checks));
    how = Do::kDeny;
    const auto done = bench.validation.prove(bench.checks);
    REQUIRE(!done);
    CHECK(done.error().code == "validation.disagreement");
    CHECK(done.error().message == "of a digest backend says that it fails, sure that it holds; they differ in 2 of 2 checks");
    // Whichever of them was right before: neither is believed any more, until somebody says so.
    how = Do::kWell;
    const auto calls = bench.fake.backend->calls();
    const auto next = bench.validation.prove(bench.checks);
    REQUIRE(!next);
    CHECK(next.error().text() == done.error().text());
    CHECK(bench.fake.backend->calls() == calls);
    bench.validation.ask_again();
    CHECK(bench.validation.prove(bench.checks));
    CHECK(bench.fake.backend->calls() == calls + 1);
    how = Do::kDeny;
    CHECK(bench.validation.prove(bench.checks).error().code == "validation.disagreement");
}

TEST_CASE("hashing falls back to the portable hasher when the backend fails or is gone") {
    Bench bench;
    const std::uint8_t byte = 1;
    const synod_bytes span{&byte, 1};
    std::uint8_t portable[32];
    std::uint8_t out[32];
    host::portable_hasher().sha256d({&span, 1}, portable);
    const auto hash = [&] {
        bench.validation.sha256d({&span, 1}, out);
        return std::memcmp(out, portable, 32) == 0;
    };
    CHECK(!hash());
    CHECK(out[0] == 0xab);
    how = Do::kThrow;
    CHECK(hash());
    CHECK(bench.fake.backend->failures == 1);
    how = Do::kWell;
    bench.fake.registry.stop(Duration::zero());
    CHECK(hash());
}
