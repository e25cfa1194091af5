// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Typed event bus. Any thread publishes; each subscriber has a queue of its own with a declared
//! bound and a declared overflow policy, so a slow one can't stall anybody else. Events of a topic
//! carry consecutive sequence numbers: a subscriber sees from a gap what overflow dropped.
//! The bus delivers nothing by itself: the owner of a subscription calls `take` on the thread where
//! it wants to handle events, after `wake` told it that there are some.

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/bus/event_queue.hpp"

namespace synod::bus {

class Journal;

enum class Overflow : std::uint8_t { kDropOldest = 1, kDropNewest = 2, kCoalesce = 3 };

inline constexpr std::size_t kMaxQueueEvents = 65'536;
inline constexpr std::size_t kMaxPayloadBytes = 64 * 1024;

class Bus;

//! One subscriber's end. Destroying it unsubscribes. Not copied; the bus must outlive it.
class Subscription {
  public:
    Subscription(Bus& bus, std::vector<Topic> topics, std::size_t queue_events, Overflow overflow,
                 std::function<void()> wake);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    //! Moves out up to `max` events, oldest first. Any thread; never blocks on publishers for long.
    std::vector<Event> take(std::size_t max = kMaxQueueEvents);
    //! How many events overflow has dropped since the subscription began.
    [[nodiscard]] std::uint64_t dropped() const;

  private:
    friend class Bus;
    void offer(const Event& event);

    Bus& bus_;
    const std::vector<Topic> topics_;
    const std::size_t queue_events_;
    const Overflow overflow_;
    const std::function<void()> wake_;
    mutable std::mutex mutex_;
    EventQueue queue_;
    std::uint64_t dropped_ = 0;
};

class Bus {
  public:
    //! `journal` may be null; it must outlive the bus. Every event is appended before it is offered.
    explicit Bus(Journal* journal = nullptr) : journal_(journal) {}

    //! Any thread. Errors: bus.unknown_topic, bus.payload_too_large.
    Result<std::uint64_t> publish(Topic topic, Bytes payload, Instant now);
    //! `wake` runs on the publisher's thread whenever the queue stops being empty; keep it short.
    //! Errors: bus.unknown_topic, bus.queue_bound (0 or above kMaxQueueEvents).
    Result<std::unique_ptr<Subscription>> subscribe(std::vector<Topic> topics,
                                                    std::size_t queue_events, Overflow overflow,
                                                    std::function<void()> wake = {});

  private:
    friend class Subscription;
    void remove(Subscription* subscription);

    std::mutex mutex_;
    std::array<std::uint64_t, static_cast<std::size_t>(Topic::kCount)> seq_{};
    std::array<std::vector<Subscription*>, static_cast<std::size_t>(Topic::kCount)> by_topic_;
    Journal* journal_;
};

}  // namespace synod::bus
