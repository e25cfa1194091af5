// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/writer.hpp"
#include "core/base/planted.hpp"

namespace synod::app {

namespace {

std::size_t bytes_of(const store::Commit& change) {
    std::size_t out = 0;
    for (const auto& run : change.runs) {
        out += run.bytes.view.size();
    }
    for (const auto& block : change.add_forks) {
        out += block.bytes.view.size();
    }
    return out;
}

//! A record stands by itself: what comes after one that failed doesn't build on it.
bool moves_chain(const store::Commit& change) {
    return change.truncate_from || !change.runs.empty() || !change.drop_forks.empty() || change.drop_all_forks ||
           !change.add_forks.empty() || change.head || change.committed || change.final_ ||
           change.committed_state || change.head_certificate;
}

}  // namespace

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
            commit_group();
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
        executor_([this] { commit_group(); });
        return;
    }
    ready_.notify_one();
}

void Writer::resume() {
    const std::scoped_lock lock(mutex_);
    failed_ = SYNOD_PLANTED("writer_never_resumes") && failed_;
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
        commit_group();
    }
}

Writer::Group Writer::take_group() {
    const std::scoped_lock lock(mutex_);
    Group out;
    out.refused = failed_;
    std::size_t bytes = 0;
    while (!queue_.empty() && out.changes.size() < kGroupCommits) {
        bytes += bytes_of(queue_.front().first);
        if (!out.changes.empty() && bytes > kGroupBytes) {
            break;
        }
        out.changes.push_back(std::move(queue_.front().first));
        out.done.push_back(std::move(queue_.front().second));
        queue_.pop_front();
    }
    return out;
}

Result<void> Writer::commit_one(const store::Commit& change) {
    auto result = store_.commit(change);
    if (!result && moves_chain(change)) {
        const std::scoped_lock lock(mutex_);
        failed_ = true;
    }
    return result;
}

void Writer::commit_group() {
    auto group = take_group();
    const bool together = group.changes.size() > 1 && !group.refused && store_.commit(group.changes);
    bool refused = group.refused;
    for (std::size_t i = 0; i < group.changes.size(); ++i) {
        Result<void> result;
        if (refused) {
            result = fail("store.io", "a change before this one was not stored", "commit",
                          "the node reloads what is stored and goes on from there");
        } else if (!together) {
            result = commit_one(group.changes[i]);
            refused = !result && moves_chain(group.changes[i]);
            if (SYNOD_PLANTED("failed_write_is_success")) {
                result = {};
            }
        }
        deliver_([done = std::move(group.done[i]), result] { done(result); });
    }
}

}  // namespace synod::app
