// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One small chain that every input of a federation fuzz target meets: made once, never changed.
//! Its keys and blocks are fixed, so that the corpus stays valid. One thread.
#include "tests/support/federation_chain.hpp"

#include <cstdlib>
#include <utility>

namespace synod::testing {

inline void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

inline constexpr uint32_t kWorldAuthorities = 4;
inline constexpr uint64_t kWorldBlocks = 6; // above genesis; the first three are committed

struct FuzzWorld {
    FederationChain chain{kWorldAuthorities, R"(,"genesis_time_ms":200000)"};
    synod_state* head = nullptr;
    ByteVector run; ///< blocks 1 to kWorldBlocks, with transactions

    FuzzWorld() : head(chain.fork(chain.genesis)) {
        run = chain.extend(head, kWorldBlocks, {ByteVector(5, 'a'), ByteVector(40, 'b'), {}});
    }
    ~FuzzWorld() { chain.release(head); }
    FuzzWorld(const FuzzWorld&) = delete;
    FuzzWorld& operator=(const FuzzWorld&) = delete;

    /// Calls use(state) with a copy of `from` that is released afterwards.
    template <class F> void with_copy(const synod_state* from, F&& use) {
        synod_state* copy = chain.fork(from);
        std::forward<F>(use)(copy);
        chain.release(copy);
    }
    static FuzzWorld& get() {
        static FuzzWorld world;
        return world;
    }
};

/// Refusals must name a rule.
inline void check_refusal(const FederationChain& chain, synod_status status, const synod_refusal& refusal) {
    if (status == SYNOD_REFUSED) {
        must(std::string(chain.api->rule_name(chain.self(), refusal.rule)) != "unknown-rule" && refusal.rule != 0);
        must(std::memchr(refusal.detail, 0, sizeof(refusal.detail)) != nullptr);
    }
}

} // namespace synod::testing
