// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/bench.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/app/bench/catalogue.hpp"
#include "core/app/bench/families.hpp"

namespace synod::app::bench {

namespace {

using Family = Figures (*)(Workspace&);

constexpr std::pair<std::string_view, Family> kRunners[] = {
    {"hash", bench_hash},       {"verify", bench_verify}, {"pipeline", bench_pipeline},
    {"sync", bench_sync},       {"store", bench_store},   {"bus", bench_bus},
    {"abi", bench_abi},         {"tip", bench_tip},       {"slots", bench_slots},
    {"memory", bench_memory},   {"restart", bench_restart},
};
static_assert(std::size(kRunners) == kFamilies.size());

}  // namespace

Figures all_failed(std::string_view family, const Error& why) {
    Figures out;
    for (const auto& row : kCatalogue) {
        if (row.family == family) {
            out.push_back(failure(row.name, why));
        }
    }
    return out;
}

Result<std::vector<Figure>> measure(const Options& options) {
    auto folder = TemporaryFolder::make(options.dir);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    Workspace work(options, std::move(*folder));
    Figures out;
    for (const auto& [name, run] : kRunners) {
        if (std::ranges::find(options.families, name) == options.families.end()) {
            continue;
        }
        Workspace::say("measuring " + std::string(name));
        std::ranges::move(run(work), std::back_inserter(out));
    }
    return out;
}

}  // namespace synod::app::bench
