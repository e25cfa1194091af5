// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Virtual time: everything that happens in a simulated world is an event here, run in the order of
//! its time and, at one time, of its posting. One thread; nothing else moves time.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/base/time.hpp"

namespace synod::sim {

using Task = std::function<void()>;
//! Whose events stop with it: a process that was killed, a link that is gone.
using Life = std::weak_ptr<void>;

class Events {
  public:
    [[nodiscard]] Instant now() const { return now_; }
    //! `delay` below zero counts as zero.
    void after(Duration delay, Task task) { at(now_ + delay, std::move(task)); }
    void at(Instant when, Task task) { push(when, std::move(task), {}, false); }
    //! Dropped when `life` is over by then.
    void after(Duration delay, const Life& life, Task task) {
        push(now_ + delay, std::move(task), life, true);
    }
    //! Runs the next event; false when there is none at or before `end`, which it is then.
    bool step(Instant end);
    [[nodiscard]] std::uint64_t count() const { return count_; }  //!< events that ran

  private:
    struct Event {
        Instant when{};
        std::uint64_t number = 0;
        Task task;
        Life life;
        bool mortal = false;
    };
    static bool later(const Event& a, const Event& b) {
        return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
    void push(Instant when, Task task, Life life, bool mortal);

    Instant now_{};
    std::uint64_t posted_ = 0, count_ = 0;
    std::vector<Event> heap_;
};

//! Tasks of one process in the order of their posting, each an event. It holds them itself, so that
//! they go with it: what a task holds must not outlive its process.
class Lane : public std::enable_shared_from_this<Lane> {
  public:
    static std::shared_ptr<Lane> make(Events& events) { return std::shared_ptr<Lane>(new Lane(events)); }

    //! Runs after the delay, never before a task that was posted before it.
    void post(Duration delay, Task task);
    //! Runs after the delay, whatever else waits.
    void later(Duration delay, Task task);
    void clear();
    //! Nothing runs until it is let go; then what is due runs at once, in its order.
    void hold(bool still);

  private:
    explicit Lane(Events& events) : events_(events) {}
    void due(std::map<std::uint64_t, Task>& from, std::uint64_t number);

    Events& events_;
    Instant last_{};
    std::uint64_t numbered_ = 0;
    std::map<std::uint64_t, Task> queue_;   // by number
    std::map<std::uint64_t, Task> timers_;  // the same numbers
    bool still_ = false;
    std::vector<std::pair<std::map<std::uint64_t, Task>*, std::uint64_t>> late_;  // due while it stood still
};

}  // namespace synod::sim
