// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/worker_pool.hpp"

#include <algorithm>
#include <atomic>

namespace synod::pipeline {

WorkerPool::WorkerPool(unsigned workers, std::function<void()> on_start)
    : on_start_(std::move(on_start)) {
    const auto n = workers == 0 ? std::thread::hardware_concurrency() : workers;
    for (unsigned i = 0; i < std::clamp(n, 1U, kMaxWorkers); ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

WorkerPool::~WorkerPool() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_all();
}

void WorkerPool::post(Task task) {
    {
        const std::scoped_lock lock(mutex_);
        queue_.push_back(std::move(task));
    }
    ready_.notify_one();
}

std::size_t WorkerPool::queued() const {
    const std::scoped_lock lock(mutex_);
    return queue_.size();
}

void WorkerPool::work() {
    if (on_start_) {
        on_start_();
    }
    for (;;) {
        Task task;
        {
            std::unique_lock lock(mutex_);
            ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) {
                return;
            }
            task = std::move(queue_.front());
            queue_.pop_front();
        }
        task();
    }
}

namespace {

//! One fork-join: helpers hold it by shared_ptr, because one may start after the caller returned.
struct Join {
    std::atomic<std::uint32_t> next{0};
    std::atomic<std::uint32_t> done{0};
    std::uint32_t n = 0;
    const std::function<void(std::uint32_t)>* fn = nullptr;
    std::mutex mutex;
    std::condition_variable finished;

    void take_part() {
        for (;;) {
            const auto i = next.fetch_add(1);
            if (i >= n) {
                return;  // fn may be gone by now; it is not touched
            }
            (*fn)(i);
            if (done.fetch_add(1) + 1 == n) {
                const std::scoped_lock lock(mutex);
                finished.notify_all();
            }
        }
    }
};

}  // namespace

void WorkerPool::parallel(std::uint32_t n, const std::function<void(std::uint32_t)>& fn) {
    if (n == 0) {
        return;
    }
    auto join = std::make_shared<Join>();
    join->n = n;
    join->fn = &fn;
    const auto helpers = std::min(n - 1, workers() - 1);
    for (std::uint32_t i = 0; i < helpers; ++i) {
        const std::scoped_lock lock(mutex_);
        // In front: a fork-join blocks its caller, so it goes before work that has not begun.
        queue_.push_front([join] { join->take_part(); });
    }
    if (helpers > 0) {
        ready_.notify_all();
    }
    join->take_part();
    std::unique_lock lock(join->mutex);
    join->finished.wait(lock, [&] { return join->done.load() == n; });
}

void Strand::post_and_wait(const Task& task) {
    std::promise<void> done;
    auto answer = done.get_future();
    post([&] {
        task();
        done.set_value();
    });
    pool_.wait(std::move(answer));
}

void Strand::post(Task task) {
    {
        const std::scoped_lock lock(mutex_);
        queue_.push_back(std::move(task));
        if (running_) {
            return;
        }
        running_ = true;
    }
    pool_.post([self = shared_from_this()] { self->run_one(); });
}

std::size_t Strand::queued() const {
    const std::scoped_lock lock(mutex_);
    return queue_.size();
}

void Strand::run_one() {
    Task task;
    {
        const std::scoped_lock lock(mutex_);
        task = std::move(queue_.front());
        queue_.pop_front();
    }
    task();
    task = nullptr;  // what it held goes before the next begins: who waits for that one relies on it
    {
        const std::scoped_lock lock(mutex_);
        if (queue_.empty()) {
            running_ = false;
            return;
        }
    }
    pool_.post([self = shared_from_this()] { self->run_one(); });
}

}  // namespace synod::pipeline
