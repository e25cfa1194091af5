// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The control thread: runs posted tasks in order and a tick about every kTick. Everything that
//! decides runs here. Post from any thread.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "core/base/time.hpp"

namespace synod::app {

inline constexpr std::chrono::milliseconds kTick{50};

class ControlLoop {
  public:
    void post(std::function<void()> task);
    //! Runs once the delay is over, to the next tick.
    void post_after(Duration delay, std::function<void()> task);
    //! Runs on the calling thread until quit(); `tick` is called about every kTick.
    void run(const std::function<void()>& tick);
    void quit();
    //! Tasks that wait, for status.
    [[nodiscard]] std::size_t queued() const;

  private:
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<std::function<void()>> tasks_;
    std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> timers_;
    bool quit_ = false;
};

//! Monotonic time of the process.
Instant mono_now();
//! Milliseconds since 1970.
UnixMs unix_now();

}  // namespace synod::app
