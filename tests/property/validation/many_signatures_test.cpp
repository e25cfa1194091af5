// SPDX-License-Identifier: Apache-2.0
//! Random and mutated signatures in batches of every size: batch verification gives the reference's verdicts with every
//! instruction set. 8,192 of them; with SYNOD_LONG set in the environment 10 million.

#include "tests/property/validation/random_signatures.hpp"
#include "tests/unit/plugins/validation/backend.hpp"

#include <cstdlib>
#include <memory>

namespace {

using namespace synod::validation_test;

constexpr std::size_t kShort = 8'192;
constexpr std::size_t kLong = 10'000'000;
constexpr std::size_t kReport = 500'000;
constexpr std::size_t kMaxBatch = 3'000;

}  // namespace

TEST_CASE("random and mutated signatures: batched or single, the verdict is the same") {
    REQUIRE(sodium_init() >= 0);
    const bool long_run = std::getenv("SYNOD_LONG") != nullptr;
    const std::size_t total = long_run ? kLong : kShort;
    // simd judges each signature by the same functions as the reference, but remembers keys: three times as fast.
    Backend oracle(long_run ? "simd" : "reference");
    std::vector<std::unique_ptr<Backend>> backends;
    for (const std::string& config : batch_configs()) {
        if (config != "{}") {  // the automatic choice is one of the others
            backends.push_back(std::make_unique<Backend>("batch", config));
        }
    }
    Rng rng(20260202);
    std::size_t holding = 0, different = 0, done = 0;
    while (done < total) {
        const std::vector<Signer> who = signers(rng, 1 + rng() % 9);
        const std::size_t n = std::min(total - done, 1 + (rng() % 4 == 0 ? rng() % 20 : rng() % kMaxBatch));
        // Most batches have no more than a few bad ones, as on a real link; some are bad all through.
        const bool spared = rng() % 6 != 0;
        Checks checks;
        for (std::size_t i = 0; i < n; ++i) {
            const Signer& signer = who[rng() % who.size()];
            checks.signatures.push_back(spared && rng() % 64 != 0 ? sound_signature(rng, signer)
                                                                  : signature(rng, signer));
        }
        const Verdicts expected = judge(oracle, checks);
        for (const auto& backend : backends) {
            const Verdicts got = judge(*backend, checks);
            for (std::size_t i = 0; i < n; ++i) {
                different += got.signatures[i] != expected.signatures[i] ? 1 : 0;
            }
        }
        REQUIRE(different == 0);
        holding += static_cast<std::size_t>(
            std::count(expected.signatures.begin(), expected.signatures.end(), SYNOD_VERDICT_HOLDS));
        if ((done + n) / kReport != done / kReport) {
            MESSAGE("so far: ", done + n, " of ", total);
        }
        done += n;
    }
    MESSAGE("signatures: ", done, ", of which hold: ", holding);
    CHECK(holding > total / 4);
    CHECK(total - holding > total / 40);
}
