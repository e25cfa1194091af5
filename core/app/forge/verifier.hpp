// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Re-checks a stored chain from genesis as if a stranger had sent it: the file, every block with
//! every proof, what the packs' hash index says, the pointers, the saved state, the fork blocks and
//! the head's certificate. Main thread; it drives the Runtime's pipeline. It changes nothing.

#include <deque>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <unordered_map>

#include "core/app/runtime.hpp"

namespace synod::app::forge {

//! The first thing that does not hold.
struct Finding {
    std::string check;  //!< a rule's name, or what of the store
    std::uint64_t height = 0;
    std::string hash;   //!< empty when unknown
    std::string detail;
};

struct Verified {
    std::uint64_t blocks = 0;       //!< in packs, without genesis
    std::uint64_t fork_blocks = 0;  //!< above them
    std::uint64_t orphans = 0;      //!< fork blocks of branches that lost
    store::ChainPointer head;
    bool head_certified = false;
};

class Verifier {
  public:
    //! `full`: every signature of every block; else the newest of each batch vouches for its
    //! ancestors. References outlive it.
    Verifier(Runtime& runtime, store::Store& store, bool full);
    ~Verifier();
    //! `progress` gets heights. The error side is the first failure.
    std::expected<Verified, Finding> run(const std::function<void(std::uint64_t)>& progress);

  private:
    using Segment = std::expected<pipeline::ChainSegment, pipeline::Fault>;
    using Check = std::expected<void, Finding>;
    struct Flight {
        std::uint64_t from = 0;
        std::uint32_t count = 0;
        std::future<Segment> done;
    };

    Check integrity();
    Check begin();
    Check walk(const std::function<void(std::uint64_t)>& progress);
    Check submit(std::uint64_t from, std::uint32_t count);
    Check land();
    Check saved_state(const pipeline::State& state);
    Check pointers();
    Check forks();
    Check fork_block(const store::ForkBlock& fork, const pipeline::State& parent);
    Check head();
    std::future<Segment> send(std::vector<SharedBytes> pieces, std::uint64_t from, std::uint32_t count,
                              const Hash& parent, bool vouched, pipeline::State base);

    Runtime& runtime_;
    store::Store& store_;
    const bool full_;
    std::jthread loop_;
    store::StoredState stored_;
    std::uint64_t saved_height_ = 0;
    std::deque<Flight> flights_;
    Hash submitted_;        //!< the last block that was handed to the pipeline
    pipeline::State base_;  //!< for the next job, when nothing is in the pipeline yet
    pipeline::State state_;
    synod_weight weight_{};
    std::unordered_map<Hash, pipeline::State> tips_;
    Verified out_;
};

}  // namespace synod::app::forge
