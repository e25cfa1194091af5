// SPDX-License-Identifier: Apache-2.0
#include "core/bus/journal.hpp"

#include "core/base/codec.hpp"

namespace synod::bus {

namespace {

constexpr std::uint32_t kMagic = 0x4C4A5953;  // "SYJL"
constexpr std::uint32_t kVersion = 1;

}  // namespace

std::size_t Journal::cost(const Event& event) { return sizeof(Event) + event.payload.beside(); }

void Journal::append(const Event& event) {
    const std::scoped_lock lock(mutex_);
    events_.push(event);
    bytes_ += cost(event);
    while (bytes_ > max_bytes_ && events_.size() > 1) {
        bytes_ -= cost(events_.front());
        events_.pop();
    }
}

std::vector<Event> Journal::events() const {
    const std::scoped_lock lock(mutex_);
    return events_.copy();
}

Bytes Journal::encode() const {
    Writer out;
    out.put(kMagic).put(kVersion);
    for (const auto& event : events()) {
        out.put(static_cast<std::uint32_t>(event.topic))
            .put(event.seq)
            .put(static_cast<std::uint64_t>(event.at.count()))
            .blob(event.payload.view());
    }
    return out.take();
}

Result<std::vector<Event>> Journal::decode(ByteView bytes) {
    Reader in(bytes);
    const auto corrupt = [&](const char* what) {
        return fail("bus.journal_corrupt", what, "byte " + std::to_string(bytes.size() - in.left()));
    };
    if (in.get<std::uint32_t>() != kMagic || in.get<std::uint32_t>() != kVersion) {
        return corrupt("not a journal of this version");
    }
    std::vector<Event> out;
    while (in.ok() && in.left() > 0) {
        Event event;
        event.topic = static_cast<Topic>(in.get<std::uint32_t>());
        event.seq = in.get<std::uint64_t>();
        event.at = Instant(static_cast<std::int64_t>(in.get<std::uint64_t>()));
        const auto payload = in.blob(kMaxPayloadBytes);
        if (!in.ok()) {
            return corrupt("cut short");
        }
        if (find_topic(event.topic) == nullptr) {
            return corrupt("unknown topic");
        }
        event.payload = Payload(Bytes(payload.begin(), payload.end()));
        out.push_back(std::move(event));
    }
    if (!in.done()) {
        return corrupt("cut short");
    }
    return out;
}

Result<void> Journal::replay(const std::vector<Event>& events, Bus& bus) {
    for (const auto& event : events) {
        if (auto sent = bus.publish(event.topic, event.payload.bytes(), event.at); !sent) {
            return std::unexpected(sent.error());
        }
    }
    return {};
}

}  // namespace synod::bus
