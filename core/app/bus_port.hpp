// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The bus as plugins see it: host::EventPort over bus::Bus. Owned by the app; any thread may call
//! it except where a function says otherwise. Events reach an instance only on its own strand, in
//! batches, while it is active. It never runs plugin code on a publisher's thread.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "core/bus/bus.hpp"
#include "core/host/registry.hpp"
#include "core/host/services.hpp"

namespace synod::app {

inline constexpr std::size_t kMaxEventBatch = 256;             // events in one on_event call
inline constexpr std::uint32_t kMaxPluginQueueEvents = 4'096;  // a subscription
inline constexpr std::size_t kMaxPluginPayloadBytes = 4'096;   // what a plugin may publish at once

class BusPort final : public host::EventPort {
  public:
    //! Puts a task on the instance's strand. Must only queue it, never run it: it is called on the
    //! publisher's thread while the bus is locked.
    using OnStrand = std::function<void(host::Instance&, std::function<void()>)>;

    //! `bus` and `clock` must outlive the port. `clock` stamps what plugins publish.
    BusPort(bus::Bus& bus, host::Clock& clock, OnStrand on_strand);
    ~BusPort() override;
    BusPort(const BusPort&) = delete;
    BusPort& operator=(const BusPort&) = delete;

    //! [shared] The id of a catalogue row (core/bus/topics.hpp); 0: unknown.
    std::uint32_t topic(std::string_view name_slash_rev) override;
    //! [main] Before the instance is active, once a topic. SYNOD_E_INVALID: unknown topic, queue of
    //! 0 or above kMaxPluginQueueEvents, unknown overflow, second subscription, instance is active.
    synod_status subscribe(host::Instance& who, std::uint32_t topic, std::uint32_t queue_events,
                           std::uint32_t overflow) override;
    //! [shared] Copies. SYNOD_E_INVALID: a topic that plugins may not publish, a payload above
    //! kMaxPluginPayloadBytes or not of the topic's layout.
    synod_status publish(host::Instance& who, std::uint32_t topic, ByteView payload) override;

    //! [main] After instances became active: delivers what arrived while they weren't.
    void deliver_waiting();
    //! [main] Ends an instance's subscriptions; returns when no delivery to it runs any more and
    //! none will start. Call before the instance is drained; not from its strand.
    void forget(const host::Instance& who);
    //! [main] `forget` for all. Call before the registry stops.
    void close();

  private:
    struct Feed;
    using Key = std::pair<const host::Instance*, std::uint32_t>;
    //! By alias, not by address: deliveries begin in the same order in every run.
    struct InOrder {
        bool operator()(const Key& a, const Key& b) const {
            return a.first == b.first ? a.second < b.second : a.first->alias() < b.first->alias();
        }
    };
    static void deliver(const std::shared_ptr<Feed>& feed);
    static void end(Feed& feed);

    bus::Bus& bus_;
    host::Clock& clock_;
    const OnStrand on_strand_;
    std::mutex mutex_;
    std::map<Key, std::shared_ptr<Feed>, InOrder> feeds_;
};

}  // namespace synod::app
