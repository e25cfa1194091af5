// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The writer thread: commits to the store in the order of posting and reports each through
//! `deliver`. Those that wait are one transaction together, so a slow disk is waited for once; when it
//! fails, each is tried by itself and reported as it went. After one that failed, all that follow are
//! refused until resume(): what was posted behind it may stand on what was not stored. Given an
//! executor, it has no thread and commits in tasks of that one.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/store/store.hpp"

namespace synod::app {

//! What one transaction takes at most: it bounds the log's growth and how long the oldest waits.
inline constexpr std::size_t kGroupCommits = 64;
inline constexpr std::size_t kGroupBytes = 4u << 20;  //!< blocks, bytes; one commit may have more

class Writer {
  public:
    using Done = std::function<void(Result<void>)>;
    using Executor = std::function<void(std::function<void()>)>;
    //! `executor` is given one task a commit and runs them in order; empty: a thread does.
    //! It drops those that it hasn't run when this object goes.
    Writer(store::Store& store, std::function<void(std::function<void()>)> deliver,
           Executor executor = {});
    //! Writes everything that was posted, then joins.
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    //! Errors of `done`: the store's; store.io when one before it failed that moves the
    //! chain.
    void post(store::Commit change, Done done);
    //! What was made from the store as it is may be written again. Precondition: nothing is posted
    //! that was made before.
    void resume();
    [[nodiscard]] std::size_t queued() const;

  private:
    void work();
    struct Group {
        std::vector<store::Commit> changes;
        std::vector<Done> done;
        bool refused = false;  //!< one before it failed
    };

    Group take_group();
    void commit_group();  //!< what is queued, up to a group's bounds
    Result<void> commit_one(const store::Commit& change);

    store::Store& store_;
    std::function<void(std::function<void()>)> deliver_;
    const Executor executor_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<std::pair<store::Commit, Done>> queue_;
    bool stopping_ = false;
    bool failed_ = false;
    std::jthread thread_;
};

}  // namespace synod::app
