// SPDX-License-Identifier: Apache-2.0
//! bus.publish: events through the bus to one subscriber in this process, published and taken in
//! groups on one thread, so that every event is paid for from end to end and none is dropped. The bus
//! has its journal, as in a node.
#include <deque>
#include <mutex>

#include "core/app/bench/families.hpp"
#include "core/app/bench/micro.hpp"
#include "core/bus/bus.hpp"
#include "core/bus/journal.hpp"

namespace synod::app::bench {

namespace {

constexpr std::size_t kGroup = 1'024;  // events that are published before they are taken
constexpr std::size_t kPayloadBytes = 48;  // as chain.head/1: two numbers and a hash

//! Publishes a group and takes it again.
class Channel {
  public:
    explicit Channel(bus::Journal* journal) : bus_(journal) {
        subscription_ =
            *bus_.subscribe({bus::Topic::kHeadChanged}, kGroup, bus::Overflow::kDropOldest);
    }
    void pass() {
        for (std::size_t i = 0; i < kGroup; ++i) {
            (void)bus_.publish(bus::Topic::kHeadChanged, Bytes(kPayloadBytes), Instant{});
        }
        const auto taken = subscription_->take();
        keep(taken.data());
        taken_ += taken.size();
        published_ += kGroup;
    }
    //! Every event arrived.
    [[nodiscard]] bool whole() const { return taken_ == published_ && subscription_->dropped() == 0; }

  private:
    bus::Bus bus_;
    std::unique_ptr<bus::Subscription> subscription_;
    std::uint64_t taken_ = 0, published_ = 0;
};

//! The least that an event can cost: its payload, a lock, a queue.
class Queue {
  public:
    void pass() {
        for (std::size_t i = 0; i < kGroup; ++i) {
            auto payload = std::make_shared<const Bytes>(kPayloadBytes);
            const std::scoped_lock lock(mutex_);
            queue_.push_back(std::move(payload));
        }
        std::deque<std::shared_ptr<const Bytes>> taken;
        {
            const std::scoped_lock lock(mutex_);
            taken.swap(queue_);
        }
        keep(&taken);
    }

  private:
    std::mutex mutex_;
    std::deque<std::shared_ptr<const Bytes>> queue_;
};

}  // namespace

Figures bench_bus(Workspace& work) {
    bus::Journal journal;
    Channel channel(&journal), plain(nullptr);
    Queue queue;
    Micro micro;
    micro.add("bus", kGroup, [&] { channel.pass(); });
    micro.add("without journal", kGroup, [&] { plain.pass(); });
    micro.add("queue", kGroup, [&] { queue.pass(); });
    auto seconds = micro.run(work.options().runs);
    if (!channel.whole() || !plain.whole()) {
        return all_failed("bus", {"bench.events_lost", "the bus dropped events below its bound", "", ""});
    }
    Figure out;
    out.name = "bus.publish";
    out.value = sample(per_second(seconds["bus"]));
    out.baseline = "the same payloads through a std::deque with a lock";
    out.baseline_value = sample(per_second(seconds["queue"]));
    out.details["without_journal"] = sample(per_second(seconds["without journal"])).median;
    out.details["payload_bytes"] = kPayloadBytes;
    return {std::move(out)};
}

}  // namespace synod::app::bench
