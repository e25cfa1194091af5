// SPDX-License-Identifier: Apache-2.0
#include "core/sim/events.hpp"

#include <algorithm>
#include <utility>

namespace synod::sim {

void Events::push(Instant when, Task task, Life life, bool mortal) {
    heap_.push_back({std::max(when, now_), ++posted_, std::move(task), std::move(life), mortal});
    std::ranges::push_heap(heap_, later);
}

bool Events::step(Instant end) {
    while (!heap_.empty() && heap_.front().when <= end) {
        std::ranges::pop_heap(heap_, later);
        auto event = std::move(heap_.back());
        heap_.pop_back();
        now_ = event.when;
        // Held while its event runs: an event may end its own process.
        const auto alive = event.life.lock();
        if (event.mortal && alive == nullptr) {
            continue;
        }
        ++count_;
        event.task();
        return true;
    }
    now_ = std::max(now_, end);
    return false;
}

void Lane::post(Duration delay, Task task) {
    const auto when = std::max(last_, events_.now() + delay);
    last_ = when;
    const auto number = ++numbered_;
    queue_.emplace(number, std::move(task));
    events_.after(when - events_.now(), weak_from_this(), [this, number] { due(queue_, number); });
}

void Lane::later(Duration delay, Task task) {
    const auto number = ++numbered_;
    timers_.emplace(number, std::move(task));
    events_.after(delay, weak_from_this(), [this, number] { due(timers_, number); });
}

void Lane::due(std::map<std::uint64_t, Task>& from, std::uint64_t number) {
    if (still_) {
        late_.emplace_back(&from, number);
        return;
    }
    // It may be gone already, cleared.
    if (auto found = from.extract(number)) {
        found.mapped()();
    }
}

void Lane::hold(bool still) {
    still_ = still;
    for (const auto& [from, number] : std::exchange(late_, {})) {
        events_.after({}, weak_from_this(), [this, from, number] { due(*from, number); });
    }
}

void Lane::clear() {
    // What a task held may post again when it goes.
    while (!queue_.empty() || !timers_.empty()) {
        auto queue = std::exchange(queue_, {});
        auto timers = std::exchange(timers_, {});
    }
}

}  // namespace synod::sim
