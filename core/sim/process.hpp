// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What a simulated process has in the place of threads and clocks. One thread: the world's.

#include <deque>

#include "core/app/node/control_loop.hpp"
#include "core/host/services.hpp"
#include "core/pipeline/worker_pool.hpp"
#include "core/sim/events.hpp"
#include "core/sim/random.hpp"

namespace synod::sim {

//! The clock of one machine: the world's time, begun at the machine's own, and a wall clock that may be
//! wrong, drift and jump.
class VirtualClock final : public host::Clock {
  public:
    VirtualClock(const Events& events, UnixMs start) : events_(events), start_(start) {}
    Instant mono() override { return events_.now() + kBoot; }
    UnixMs unix_ms() override;
    //! Moves the wall clock by so much, for good.
    void jump(std::int64_t ms) { offset_ms_ += ms; }
    //! From now on it gains so many millionths.
    void drift(std::int64_t parts_per_million);
    [[nodiscard]] std::int64_t error_ms() const;

  private:
    static constexpr Duration kBoot = std::chrono::hours(1);  // zero means "never" in many places
    const Events& events_;
    const UnixMs start_;
    std::int64_t offset_ms_ = 0, drift_ppm_ = 0;
    Instant drifts_since_{};
};

class VirtualLoop final : public app::ControlLoop {
  public:
    VirtualLoop(Events& events, host::Clock& clock) : lane_(Lane::make(events)), clock_(clock) {}
    ~VirtualLoop() override { lane_->clear(); }
    void post(std::function<void()> task) override;
    void post_after(Duration delay, std::function<void()> task) override;
    [[nodiscard]] host::Clock& clock() override { return clock_; }
    void hold(bool still) { lane_->hold(still); }

  private:
    std::shared_ptr<Lane> lane_;
    host::Clock& clock_;
};

//! Workers that are one after another: a task runs whole, as one event, some time after it was posted;
//! which of those that wait is next is drawn, as threads' turns are.
class VirtualWorkers final : public pipeline::Workers {
  public:
    static constexpr unsigned kWorkers = 2;
    //! What a task costs at least and at most, virtual.
    static constexpr Duration kLeast = std::chrono::microseconds(20);
    static constexpr Duration kMost = std::chrono::microseconds(400);

    VirtualWorkers(Events& events, Random random) : lane_(Lane::make(events)), random_(random) {}
    ~VirtualWorkers() override { drain(); }
    void post(pipeline::Task task) override;
    void parallel(std::uint32_t n, const std::function<void(std::uint32_t)>& fn) override;
    void wait(std::future<void> answer) override;
    [[nodiscard]] unsigned workers() const override { return kWorkers; }
    [[nodiscard]] std::size_t queued() const override { return waiting_.size(); }
    //! Runs everything that waits, and what it posts, at once.
    void drain();
    void hold(bool still) { lane_->hold(still); }

  private:
    void run_one(std::size_t which);

    std::shared_ptr<Lane> lane_;
    Random random_;
    std::deque<pipeline::Task> waiting_;
};

}  // namespace synod::sim
