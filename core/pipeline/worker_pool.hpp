// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The N worker threads, fork-join over them, and strands: a strand runs its tasks one after another
//! in order, on any worker. What the ABI calls [worker], never two at once for the same instance, is
//! one strand an instance. Everything here may be called from any thread.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace synod::pipeline {

inline constexpr unsigned kMaxWorkers = 256;

using Task = std::function<void()>;

//! Whoever runs tasks: threads here, virtual time in the simulator.
class Workers {
  public:
    Workers() = default;
    virtual ~Workers() = default;
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    virtual void post(Task task) = 0;
    //! Calls fn(0..n-1) on this thread and on idle workers; returns when all are done. The caller
    //! takes part, so it can't deadlock however busy the workers are.
    virtual void parallel(std::uint32_t n, const std::function<void(std::uint32_t)>& fn) = 0;
    //! Returns when a task that was posted has given the answer. Not from a task.
    virtual void wait(std::future<void> answer) = 0;
    [[nodiscard]] virtual unsigned workers() const = 0;
    [[nodiscard]] virtual std::size_t queued() const = 0;
};

class WorkerPool final : public Workers {
  public:
    //! `workers` 0 means the number of cores; clamped to 1..kMaxWorkers. `on_start` runs first on
    //! each worker (thread role, floating-point mode, name).
    explicit WorkerPool(unsigned workers, std::function<void()> on_start = {});
    //! Runs what is queued, then joins.
    ~WorkerPool() override;

    void post(Task task) override;
    void parallel(std::uint32_t n, const std::function<void(std::uint32_t)>& fn) override;
    void wait(std::future<void> answer) override { answer.wait(); }
    [[nodiscard]] unsigned workers() const override { return static_cast<unsigned>(threads_.size()); }
    [[nodiscard]] std::size_t queued() const override;

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
    static std::shared_ptr<Strand> make(Workers& pool) {
        return std::shared_ptr<Strand>(new Strand(pool));
    }
    void post(Task task);
    //! Returns when the task has run, and so all that was posted before it, which holds nothing any more. Not from a task.
    void post_and_wait(const Task& task);
    [[nodiscard]] std::size_t queued() const;

  private:
    explicit Strand(Workers& pool) : pool_(pool) {}
    void run_one();

    Workers& pool_;
    mutable std::mutex mutex_;
    std::deque<Task> queue_;
    bool running_ = false;
};

}  // namespace synod::pipeline
