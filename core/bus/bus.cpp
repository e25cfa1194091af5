// SPDX-License-Identifier: Apache-2.0
#include "core/bus/bus.hpp"

#include <algorithm>

#include "core/bus/journal.hpp"

namespace synod::bus {

Subscription::Subscription(Bus& bus, std::vector<Topic> topics, std::size_t queue_events,
                           Overflow overflow, std::function<void()> wake)
    : bus_(bus),
      topics_(std::move(topics)),
      queue_events_(queue_events),
      overflow_(overflow),
      wake_(std::move(wake)) {}

Subscription::~Subscription() { bus_.remove(this); }

std::vector<Event> Subscription::take(std::size_t max) {
    const std::scoped_lock lock(mutex_);
    return queue_.take(std::min(max, queue_.size()));
}

std::uint64_t Subscription::dropped() const {
    const std::scoped_lock lock(mutex_);
    return dropped_;
}

void Subscription::offer(const Event& event) {
    bool was_empty = false;
    {
        const std::scoped_lock lock(mutex_);
        was_empty = queue_.empty();
        if (overflow_ == Overflow::kCoalesce) {
            dropped_ += queue_.remove(event.topic);
        }
        if (queue_.size() == queue_events_) {
            ++dropped_;
            if (overflow_ == Overflow::kDropNewest) {
                return;
            }
            queue_.pop();
        }
        queue_.push(event);
    }
    if (was_empty && wake_) {
        wake_();
    }
}

Result<std::uint64_t> Bus::publish(Topic topic, Bytes payload, Instant now) {
    const auto* info = find_topic(topic);
    if (info == nullptr) {
        return fail("bus.unknown_topic", "topic " + std::to_string(static_cast<unsigned>(topic)) +
                                             " is not in the catalogue");
    }
    if (payload.size() > kMaxPayloadBytes) {
        return fail("bus.payload_too_large",
                    std::to_string(payload.size()) + " bytes; at most " +
                        std::to_string(kMaxPayloadBytes),
                    std::string(info->name));
    }
    Event event{topic, 0, now, Payload(std::move(payload))};
    const auto index = static_cast<std::size_t>(topic);
    // One lock for numbering and offering: subscribers see a topic's events in sequence order.
    const std::scoped_lock lock(mutex_);
    event.seq = ++seq_[index];
    if (journal_ != nullptr) {
        journal_->append(event);
    }
    for (auto* subscription : by_topic_[index]) {
        subscription->offer(event);
    }
    return event.seq;
}

Result<std::unique_ptr<Subscription>> Bus::subscribe(std::vector<Topic> topics,
                                                     std::size_t queue_events, Overflow overflow,
                                                     std::function<void()> wake) {
    if (queue_events == 0 || queue_events > kMaxQueueEvents) {
        return fail("bus.queue_bound", "a queue holds 1 to " + std::to_string(kMaxQueueEvents) +
                                           " events, not " + std::to_string(queue_events));
    }
    for (const auto topic : topics) {
        if (find_topic(topic) == nullptr) {
            return fail("bus.unknown_topic", "topic " +
                                                 std::to_string(static_cast<unsigned>(topic)) +
                                                 " is not in the catalogue");
        }
    }
    auto out = std::make_unique<Subscription>(*this, topics, queue_events, overflow, std::move(wake));
    const std::scoped_lock lock(mutex_);
    for (const auto topic : topics) {
        by_topic_[static_cast<std::size_t>(topic)].push_back(out.get());
    }
    return out;
}

void Bus::remove(Subscription* subscription) {
    const std::scoped_lock lock(mutex_);
    for (auto& list : by_topic_) {
        std::erase(list, subscription);
    }
}

}  // namespace synod::bus
