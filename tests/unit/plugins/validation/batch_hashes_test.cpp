// SPDX-License-Identifier: Apache-2.0
//! SHA-512 in lanes against libsodium's: every length around every block, every cut into parts, messages of all lengths
//! side by side.

#include "plugins/validation/batch/hashes.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace {

using namespace synod::batch;
using Digest = std::array<std::uint8_t, 64>;
using Rng = std::mt19937_64;

Digest expected(const std::uint8_t* text, std::size_t n) {
    Digest out;
    crypto_hash_sha512(out.data(), text, n);
    return out;
}

struct Cut {
    std::size_t first, second, total;
};

//! How many of these cuts of one text hash as libsodium says; all of them are queued together.
std::size_t right(const Kernel& kernel, const std::vector<std::uint8_t>& text, const std::vector<Cut>& cuts) {
    HashQueue queue(kernel);
    std::vector<Digest> got(cuts.size());
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        const auto& [first, second, total] = cuts[i];
        queue.push({synod_bytes{text.data(), first},
                    {text.data() + first, second - first},
                    {text.data() + second, total - second}},
                   got[i].data());
    }
    queue.flush();
    std::size_t same = 0;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        same += got[i] == expected(text.data(), cuts[i].total) ? 1 : 0;
    }
    return same;
}

}  // namespace

TEST_CASE("every kernel's SHA-512 is libsodium's") {
    REQUIRE(sodium_init() >= 0);
    Rng rng(31);
    std::vector<std::uint8_t> text(3'000);
    std::generate(text.begin(), text.end(), [&] { return static_cast<std::uint8_t>(rng()); });
    for (const char* isa : {"portable", "avx512ifma"}) {
        const Kernel* kernel = choose_kernel(isa);
        if (kernel == nullptr) {
            MESSAGE("skipped: this processor has no ", std::string(isa));
            continue;
        }
        CAPTURE(kernel->name);
        std::vector<Cut> cuts;
        for (std::size_t n = 0; n <= 2'300; ++n) {  // up to more blocks than a lane takes
            cuts.push_back({std::min<std::size_t>(n, 32), std::min<std::size_t>(n, 64), n});
        }
        std::shuffle(cuts.begin(), cuts.end(), rng);
        CHECK(right(*kernel, text, cuts) == cuts.size());
        cuts.clear();
        for (int i = 0; i < 4'000; ++i) {
            const std::size_t total = rng() % 700;
            const std::size_t second = rng() % (total + 1);
            cuts.push_back({rng() % (second + 1), second, total});
        }
        CHECK(right(*kernel, text, cuts) == cuts.size());
        CHECK(right(*kernel, text, {{0, 0, 0}}) == 1);
    }
}
