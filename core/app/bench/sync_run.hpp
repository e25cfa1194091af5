// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One sync from genesis of a fresh node process from a serving one: what sync.* and memory.syncing look
//! at. Main thread.

#include "core/app/bench/node_process.hpp"

namespace synod::app::bench {

inline constexpr Duration kSyncTime = std::chrono::minutes(30);  //!< at most

struct SyncRun {
    double blocks_per_s = 0;       //!< from the start of its process until it stored the last block
    double first_answer_s = 0;     //!< of that until its control door answered: loading, no syncing yet
    double cpu_s = 0;              //!< processor time of its process until the last block
    std::uint64_t peak_bytes = 0;  //!< its largest resident memory until the last block
};

//! Syncs until `height` and forgets the node. Its identity is an authority's, which the server gives the
//! largest share of itself; it signs nothing. Errors: bench.*, devnet.*.
Result<SyncRun> sync_once(Workspace& work, const BenchChain& chain, const NodeProcess& server,
                          const std::string& mode, std::uint64_t height);

}  // namespace synod::app::bench
