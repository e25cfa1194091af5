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

    Bench() {
        static const std::uint8_t bytes[32] = {};
        checks.writer()->digest(checks.writer()->ctx, 0, 1, {bytes, 32}, bytes);
        checks.writer()->digest(checks.writer()->ctx, 1, 1, {bytes, 32}, bytes);
        validation.bind(*fake.backend, nullptr);
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

TEST_CASE("a backend that contradicts the reference stops the proof") {
    Bench bench;
    bench.validation.bind(*bench.fake.backend, bench.fake.sure);
    CHECK(bench.validation.prove(bench.checks));
    how = Do::kDeny;
    const auto done = bench.validation.prove(bench.checks);
    REQUIRE(!done);
    CHECK(done.error().code == "validation.disagreement");
    CHECK(done.error().message == "of a digest backend says that it fails, sure that it holds; they differ in 2 of 2 checks");
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
