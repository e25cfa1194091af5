// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Every figure that `synod bench` knows, with the floor that it must reach to land and the aim, both
//! from section 7 ("Budgets") of the design. This is the one place where those numbers stand.

#include <array>
#include <optional>
#include <string_view>

namespace synod::app::bench {

enum class Better : std::uint8_t { kHigher, kLower };
//! What floor and aim are held against: the value, or its ratio to the baseline.
enum class Judged : std::uint8_t { kValue, kRatio };

struct Row {
    std::string_view family;
    std::string_view name;
    std::string_view unit;
    Better better = Better::kHigher;
    Judged judged = Judged::kValue;
    std::optional<double> floor{};  //!< nothing: the design names none
    std::optional<double> aim{};
};

inline constexpr std::array kCatalogue{
    Row{"hash", "hash.sha256d80.sse2", "hashes/s", Better::kHigher, Judged::kRatio},
    Row{"hash", "hash.sha256d80.avx2", "hashes/s", Better::kHigher, Judged::kRatio, 3.5, 4},
    Row{"hash", "hash.sha256d80.avx512", "hashes/s", Better::kHigher, Judged::kRatio, 8, 10},
    Row{"hash", "hash.merkle64.sse2", "hashes/s", Better::kHigher, Judged::kRatio},
    Row{"hash", "hash.merkle64.avx2", "hashes/s", Better::kHigher, Judged::kRatio, 3.5, 4},
    Row{"hash", "hash.merkle64.avx512", "hashes/s", Better::kHigher, Judged::kRatio, 8, 10},
    Row{"verify", "verify.ed25519.single", "signatures/s"},
    Row{"verify", "verify.ed25519.batch", "signatures/s"},
    Row{"pipeline", "pipeline.full", "blocks/s", Better::kHigher, Judged::kValue, 10'000, 60'000},
    Row{"pipeline", "pipeline.fast", "blocks/s", Better::kHigher, Judged::kValue, 50'000, 300'000},
    Row{"sync", "sync.full", "blocks/s"},
    Row{"sync", "sync.fast", "blocks/s", Better::kHigher, Judged::kValue, 25'000, 100'000},
    Row{"store", "store.append", "blocks/s"},
    Row{"store", "store.append.at_10m", "blocks/s", Better::kHigher, Judged::kRatio},
    Row{"store", "store.lookup_hash", "lookups/s"},
    Row{"bus", "bus.publish", "events/s", Better::kHigher, Judged::kValue, 5e6, 20e6},
    Row{"abi", "abi.call", "ns", Better::kLower, Judged::kValue, 20, 6},
    Row{"tip", "tip.latency", "ms", Better::kLower, Judged::kValue, 50, 5},
    Row{"slots", "slots.proposal", "ms", Better::kLower},
    Row{"slots", "slots.certified", "ms", Better::kLower},
    Row{"memory", "memory.syncing", "MB", Better::kLower, Judged::kValue, 1'000, 128},
    Row{"restart", "restart.kill9", "s", Better::kLower, Judged::kValue, 5, 1},
};

//! The families in the order in which they run.
inline constexpr std::array<std::string_view, 11> kFamilies{
    "hash", "verify", "pipeline", "sync", "store", "bus", "abi", "tip", "slots", "memory", "restart"};

//! A long store that isn't ten million blocks long is named for its length: store.append.at_200k.
inline constexpr std::string_view kLatePrefix = "store.append.at_";

//! Null when there is no figure of that name.
constexpr const Row* find_row(std::string_view name) {
    for (const auto& row : kCatalogue) {
        if (row.name == name || (row.name.starts_with(kLatePrefix) && name.starts_with(kLatePrefix))) {
            return &row;
        }
    }
    return nullptr;
}

//! Whether `got` is on the right side of `bound`; the bound itself is.
constexpr bool reaches(const Row& row, double got, double bound) {
    return row.better == Better::kHigher ? got >= bound : got <= bound;
}

}  // namespace synod::app::bench
