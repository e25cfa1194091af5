// SPDX-License-Identifier: Apache-2.0
#include "core/app/bus_port.hpp"

#include <vector>

#include "core/base/codec.hpp"
#include "core/host/guard.hpp"

namespace synod::app {

namespace {

//! Handlers of a topic rely on its layout, so a plugin can't publish anything else.
bool well_formed(bus::Topic topic, ByteView payload) {
    if (topic != bus::Topic::kAlert) {
        return false;
    }
    Reader in(payload);
    const auto name = in.text(kMaxPluginPayloadBytes);
    in.text(kMaxPluginPayloadBytes);
    return in.done() && !name.empty();
}

}  // namespace

//! One subscription of one instance. Shared with the tasks that deliver it, which may come late.
//! Lock order: Feed::mutex, then the bus; a wake holds the bus and takes no Feed::mutex.
struct BusPort::Feed {
    host::Instance& who;
    const OnStrand& on_strand;
    std::mutex mutex{};  // held while the plugin handles a batch, so that `end` can wait for it
    std::unique_ptr<bus::Subscription> subscription{};
};

BusPort::BusPort(bus::Bus& bus, host::Clock& clock, OnStrand on_strand)
    : bus_(bus), clock_(clock), on_strand_(std::move(on_strand)) {}

BusPort::~BusPort() { close(); }

std::uint32_t BusPort::topic(std::string_view name_slash_rev) {
    const auto* info = bus::find_topic(name_slash_rev);
    return info == nullptr ? 0 : static_cast<std::uint32_t>(info->topic);
}

synod_status BusPort::subscribe(host::Instance& who, std::uint32_t topic, std::uint32_t queue_events,
                                std::uint32_t overflow) {
    const auto state = who.state();
    if ((state != host::State::kNone && state != host::State::kCreated) || queue_events == 0 ||
        queue_events > kMaxPluginQueueEvents || overflow < SYNOD_OVERFLOW_DROP_OLDEST ||
        overflow > SYNOD_OVERFLOW_COALESCE) {
        return SYNOD_E_INVALID;
    }
    const auto id = static_cast<bus::Topic>(topic);
    if (bus::find_topic(id) == nullptr) {
        return SYNOD_E_INVALID;
    }
    auto feed = std::make_shared<Feed>(who, on_strand_);
    {
        const std::scoped_lock lock(mutex_);
        if (!feeds_.try_emplace({&who, topic}, feed).second) {
            return SYNOD_E_INVALID;
        }
    }
    // Held until the subscription is in place: an event may come before `subscribe` returns.
    const std::scoped_lock lock(feed->mutex);
    auto made = bus_.subscribe(
        {id}, queue_events, static_cast<bus::Overflow>(overflow),
        [weak = std::weak_ptr(feed)] {
            if (auto to = weak.lock()) {
                to->on_strand(to->who, [to] { deliver(to); });
            }
        });
    if (!made) {
        const std::scoped_lock map_lock(mutex_);
        feeds_.erase({&who, topic});
        return SYNOD_E_INVALID;
    }
    feed->subscription = std::move(*made);
    return SYNOD_OK;
}

synod_status BusPort::publish(host::Instance&, std::uint32_t topic, ByteView payload) {
    const auto id = static_cast<bus::Topic>(topic);
    const auto* info = bus::find_topic(id);
    if (info == nullptr || !info->plugins_may_publish || payload.size() > kMaxPluginPayloadBytes ||
        !well_formed(id, payload)) {
        return SYNOD_E_INVALID;
    }
    const auto sent = bus_.publish(id, Bytes(payload.begin(), payload.end()), clock_.mono());
    return sent ? SYNOD_OK : SYNOD_E_INVALID;
}

void BusPort::deliver(const std::shared_ptr<Feed>& feed) {
    const std::scoped_lock lock(feed->mutex);
    // Not active yet: the events stay queued for deliver_waiting. No longer active: nobody wants
    // them.
    if (!feed->subscription || feed->who.state() != host::State::kActive) {
        return;
    }
    const auto events = feed->subscription->take(kMaxEventBatch);
    if (events.empty()) {
        return;
    }
    std::vector<synod_event> batch;
    batch.reserve(events.size());
    for (const auto& event : events) {
        batch.push_back({sizeof(synod_event), static_cast<std::uint32_t>(event.topic), event.seq,
                         static_cast<std::uint64_t>(event.at.count()),
                         {event.payload.view().data(), event.payload.view().size()}});
    }
    // What the fence catches it counts in the instance; a lost batch is the plugin's own loss.
    (void)host::guarded(feed->who, "on_event", host::State::kActive, host::Role::kWorker,
                        events.front().seq, [&](synod_error*) {
                            feed->who.plugin().api.on_event(feed->who.handle(), batch.data(),
                                                            static_cast<std::uint32_t>(batch.size()));
                            return SYNOD_OK;
                        });
    // The queue wakes only when it stops being empty: what a full batch left behind needs a task of
    // its own, behind whatever else waits on the strand.
    if (events.size() == kMaxEventBatch) {
        feed->on_strand(feed->who, [feed] { deliver(feed); });
    }
}

void BusPort::deliver_waiting() {
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, feed] : feeds_) {
        on_strand_(feed->who, [to = feed] { deliver(to); });
    }
}

void BusPort::end(Feed& feed) {
    const std::scoped_lock lock(feed.mutex);
    feed.subscription.reset();
}

void BusPort::forget(const host::Instance& who) {
    std::vector<std::shared_ptr<Feed>> gone;
    {
        const std::scoped_lock lock(mutex_);
        std::erase_if(feeds_, [&](const auto& row) {
            if (row.first.first != &who) {
                return false;
            }
            gone.push_back(row.second);
            return true;
        });
    }
    for (const auto& feed : gone) {
        end(*feed);
    }
}

void BusPort::close() {
    std::map<Key, std::shared_ptr<Feed>, InOrder> gone;
    {
        const std::scoped_lock lock(mutex_);
        gone.swap(feeds_);
    }
    for (const auto& [key, feed] : gone) {
        end(*feed);
    }
}

}  // namespace synod::app
