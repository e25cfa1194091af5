// SPDX-License-Identifier: Apache-2.0
#include "core/sim/process.hpp"

#include <algorithm>
#include <cassert>

#include "core/host/guard.hpp"

namespace synod::sim {

namespace {

constexpr Duration kTurn = std::chrono::microseconds(5);  // of a control loop, from post to run

//! The thread plays many: here a worker.
class AsWorker {
  public:
    AsWorker() : before_(std::exchange(host::thread_role, host::Role::kWorker)) {}
    ~AsWorker() { host::thread_role = before_; }
    AsWorker(const AsWorker&) = delete;
    AsWorker& operator=(const AsWorker&) = delete;

  private:
    host::Role before_;
};

std::int64_t whole_ms(Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace

std::int64_t VirtualClock::error_ms() const {
    return offset_ms_ + whole_ms(events_.now() - drifts_since_) * drift_ppm_ / 1'000'000;
}

UnixMs VirtualClock::unix_ms() {
    return start_ + static_cast<UnixMs>(whole_ms(events_.now()) + error_ms());
}

void VirtualClock::drift(std::int64_t parts_per_million) {
    offset_ms_ = error_ms();
    drifts_since_ = events_.now();
    drift_ppm_ = parts_per_million;
}

void VirtualLoop::post(std::function<void()> task) { lane_->post(kTurn, std::move(task)); }

void VirtualLoop::post_after(Duration delay, std::function<void()> task) {
    lane_->later(delay, std::move(task));
}

void VirtualWorkers::post(pipeline::Task task) {
    waiting_.push_back(std::move(task));
    lane_->later(random_.between(kLeast, kMost), [this] {
        if (!waiting_.empty()) {  // else it ran already: somebody waited for it
            run_one(random_.below(std::min<std::size_t>(waiting_.size(), kWorkers)));
        }
    });
}

void VirtualWorkers::run_one(std::size_t which) {
    auto task = std::move(waiting_[which]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(which));
    const AsWorker role;
    task();
}

void VirtualWorkers::parallel(std::uint32_t n, const std::function<void(std::uint32_t)>& fn) {
    for (std::uint32_t i = 0; i < n; ++i) {
        fn(i);
    }
}

void VirtualWorkers::wait(std::future<void> answer) {
    while (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        assert(!waiting_.empty() && "waited for what nobody will do");
        run_one(0);
    }
}

void VirtualWorkers::drain() {
    while (!waiting_.empty()) {
        run_one(0);
    }
}

}  // namespace synod::sim
