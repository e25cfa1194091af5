// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The control thread: runs posted tasks in order and a tick about every kTick. Everything that
//! decides runs here, by the loop's clock. Post from any thread. The simulator has a loop of its own,
//! whose tasks are events of virtual time.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "core/base/time.hpp"
#include "core/host/services.hpp"

namespace synod::app {

inline constexpr std::chrono::milliseconds kTick{50};

class ControlLoop {
  public:
    ControlLoop() = default;
    virtual ~ControlLoop() = default;
    ControlLoop(const ControlLoop&) = delete;
    ControlLoop& operator=(const ControlLoop&) = delete;

    virtual void post(std::function<void()> task);
    //! Runs once the delay is over; posted from another thread, to the next tick.
    virtual void post_after(Duration delay, std::function<void()> task);
    //! The time that everything on this loop goes by. Any thread; valid as long as the loop.
    [[nodiscard]] virtual host::Clock& clock() { return host::system_clock(); }
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
