// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/writer.hpp"

namespace synod::app {

Writer::Writer(store::Store& store, std::function<void(std::function<void()>)> deliver,
               Executor executor)
    : store_(store), deliver_(std::move(deliver)), executor_(std::move(executor)) {
    if (!executor_) {
        thread_ = std::jthread([this] { work(); });
    }
}

Writer::~Writer() {
    if (executor_) {
        while (!queue_.empty()) {
            commit_next();
        }
        return;
    }
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_all();
    thread_.join();
}

void Writer::post(store::Commit change, Done done) {
    {
        const std::scoped_lock lock(mutex_);
        queue_.emplace_back(std::move(change), std::move(done));
    }
    if (executor_) {
        executor_([this] { commit_next(); });
        return;
    }
    ready_.notify_one();
}

void Writer::resume() {
    const std::scoped_lock lock(mutex_);
    failed_ = false;
}

std::size_t Writer::queued() const {
    const std::scoped_lock lock(mutex_);
    return queue_.size();
}

void Writer::work() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) {
                return;
            }
        }
        commit_next();
    }
}

void Writer::commit_next() {
    std::pair<store::Commit, Done> next;
    bool refused = false;
    {
        const std::scoped_lock lock(mutex_);
        next = std::move(queue_.front());
        queue_.pop_front();
        refused = failed_;
    }
    Result<void> result = fail("store.io", "a change before this one was not stored", "commit",
                               "the node reloads what is stored and goes on from there");
    if (!refused) {
        result = store_.commit(next.first);
    }
    if (!result) {
        const std::scoped_lock lock(mutex_);
        failed_ = true;
    }
    deliver_([done = std::move(next.second), result] { done(result); });
}

}  // namespace synod::app
