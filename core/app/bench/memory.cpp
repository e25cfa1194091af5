// SPDX-License-Identifier: Apache-2.0
//! memory.syncing: the largest resident memory of a node process while it syncs, beside the same for the
//! first tenth of the chain: a ratio near 1 says that the working set doesn't grow with it.
#include "core/app/bench/families.hpp"
#include "core/app/bench/sync_run.hpp"

namespace synod::app::bench {

namespace {

constexpr std::uint64_t kBlocks = 200'000;
constexpr std::uint64_t kShortPart = 10;
constexpr double kMegabyte = 1e6;

}  // namespace

Figures bench_memory(Workspace& work) {
    auto chain = work.chain(work.blocks(kBlocks));
    if (!chain) {
        return all_failed("memory", chain.error());
    }
    auto server = start_server(work, *chain);
    if (!server) {
        return all_failed("memory", server.error());
    }
    std::vector<double> whole, part;
    for (std::size_t i = 0; i < work.options().runs; ++i) {
        for (auto* peaks : {&part, &whole}) {
            const auto height = peaks == &whole ? chain->height : chain->height / kShortPart;
            auto synced = sync_once(work, *chain, *server, "fast", height);
            if (!synced) {
                return all_failed("memory", synced.error());
            }
            peaks->push_back(static_cast<double>(synced->peak_bytes) / kMegabyte);
        }
    }
    server->stop();
    Figure out;
    out.name = "memory.syncing";
    out.value = sample(whole);
    out.baseline = "the same at the first tenth of the chain";
    out.baseline_value = sample(part);
    out.details = {{"blocks", chain->height}, {"backend", work.options().backend}};
    return {std::move(out)};
}

}  // namespace synod::app::bench
