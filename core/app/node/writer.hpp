// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The writer thread: commits to the store in the order of posting and reports each through
//! `deliver`. Consecutive commits that wait are not merged: each is one transaction, so each is
//! reported by itself. After one that failed, all that follow are refused until resume(): what was
//! posted behind it may stand on what was not stored. Given an executor, it has no thread and commits
//! in tasks of that one.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/store/store.hpp"

namespace synod::app {

class Writer {
  public:
    using Done = std::function<void(Result<void>)>;
    using Executor = std::function<void(std::function<void()>)>;
    //! `executor` runs one task a commit, in the order in which it was given them; empty: a thread does.
    //! It drops those that it hasn't run when this object goes.
    Writer(store::Store& store, std::function<void(std::function<void()>)> deliver,
           Executor executor = {});
    //! Writes everything that was posted, then joins.
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    //! Errors of `done`: the store's; store.io when one before it failed.
    void post(store::Commit change, Done done);
    //! What was made from the store as it is may be written again. Precondition: nothing is posted
    //! that was made before.
    void resume();
    [[nodiscard]] std::size_t queued() const;

  private:
    void work();
    void commit_next();  //!< precondition: something is queued

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
