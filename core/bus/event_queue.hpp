// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A queue of events that grows to a bound and then keeps its memory: an event that comes and goes
//! allocates nothing. Not thread-safe.

#include <algorithm>
#include <boost/circular_buffer.hpp>
#include <vector>

#include "core/bus/event.hpp"

namespace synod::bus {

class EventQueue {
  public:
    //! Appends; the caller sees to it that no more are held than it wants.
    void push(const Event& event) {
        if (events_.full()) {
            events_.set_capacity(std::max<std::size_t>(2 * events_.capacity(), kFirstEvents));
        }
        events_.push_back(event);
    }
    void pop() { events_.pop_front(); }
    [[nodiscard]] const Event& front() const { return events_.front(); }
    [[nodiscard]] std::size_t size() const { return events_.size(); }
    [[nodiscard]] bool empty() const { return events_.empty(); }
    //! Moves out the oldest `n`; at most size().
    std::vector<Event> take(std::size_t n) {
        const auto end = events_.begin() + static_cast<std::ptrdiff_t>(n);
        std::vector<Event> out(std::make_move_iterator(events_.begin()), std::make_move_iterator(end));
        events_.erase_begin(n);
        return out;
    }
    [[nodiscard]] std::vector<Event> copy() const { return {events_.begin(), events_.end()}; }
    //! Removes the events of a topic and says how many there were.
    std::size_t remove(Topic topic) {
        const auto gone = std::remove_if(events_.begin(), events_.end(),
                                         [topic](const Event& e) { return e.topic == topic; });
        const auto n = static_cast<std::size_t>(events_.end() - gone);
        events_.erase_end(n);
        return n;
    }

  private:
    static constexpr std::size_t kFirstEvents = 16;
    boost::circular_buffer<Event> events_;
};

}  // namespace synod::bus
