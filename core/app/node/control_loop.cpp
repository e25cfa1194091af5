// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/control_loop.hpp"

#include <algorithm>

namespace synod::app {

void ControlLoop::post(std::function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    ready_.notify_one();
}

void ControlLoop::post_after(Duration delay, std::function<void()> task) {
    const std::scoped_lock lock(mutex_);
    timers_.emplace(std::chrono::steady_clock::now() + delay, std::move(task));
}

void ControlLoop::run(const std::function<void()>& tick) {
    auto next = std::chrono::steady_clock::now();
    std::deque<std::function<void()>> batch;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            const auto until = timers_.empty() ? next : std::min(next, timers_.begin()->first);
            ready_.wait_until(lock, until, [&] { return quit_ || !tasks_.empty(); });
            if (quit_) {
                return;
            }
            batch.swap(tasks_);
            const auto due = timers_.upper_bound(std::chrono::steady_clock::now());
            for (auto it = timers_.begin(); it != due; ++it) {
                batch.push_back(std::move(it->second));
            }
            timers_.erase(timers_.begin(), due);
        }
        for (auto& task : batch) {
            task();
        }
        batch.clear();
        if (const auto now = std::chrono::steady_clock::now(); now >= next) {
            tick();
            next = now + kTick;
        }
    }
}

void ControlLoop::quit() {
    {
        const std::scoped_lock lock(mutex_);
        quit_ = true;
    }
    ready_.notify_all();
}

std::size_t ControlLoop::queued() const {
    const std::scoped_lock lock(mutex_);
    return tasks_.size();
}

Instant mono_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

UnixMs unix_now() {
    return static_cast<UnixMs>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace synod::app
