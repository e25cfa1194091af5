// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The N worker threads, fork-join over them, and strands: a strand runs its tasks one after another
//! in order, on any worker. What the ABI calls [worker], never two at once for the same instance, is
//! one strand an instance. Everything here may be called from any thread.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace synod::pipeline {

inline constexpr unsigned kMaxWorkers = 256;

using Task = std::function<void()>;

class WorkerPool {
  public:
    //! `workers` 0 means the number of cores; clamped to 1..kMaxWorkers. `on_start` runs first on
    //! each worker (thread role, floating-point mode, name).
    explicit WorkerPool(unsigned workers, std::function<void()> on_start = {});
    //! Runs what is queued, then joins.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void post(Task task);
    //! Calls fn(0..n-1) on this thread and on idle workers; returns when all are done. The caller
    //! takes part, so it can't deadlock however busy the workers are.
    void parallel(std::uint32_t n, const std::function<void(std::uint32_t)>& fn);
    [[nodiscard]] unsigned workers() const { return static_cast<unsigned>(threads_.size()); }
    [[nodiscard]] std::size_t queued() const;

  private:
    void work();

    std::function<void()> on_start_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Task> queue_;
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
};

class Strand : public std::enable_shared_from_this<Strand> {
  public:
    static std::shared_ptr<Strand> make(WorkerPool& pool) {
        return std::shared_ptr<Strand>(new Strand(pool));
    }
    void post(Task task);
    [[nodiscard]] std::size_t queued() const;

  private:
    explicit Strand(WorkerPool& pool) : pool_(pool) {}
    void run_one();

    WorkerPool& pool_;
    mutable std::mutex mutex_;
    std::deque<Task> queue_;
    bool running_ = false;
};

}  // namespace synod::pipeline
