// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the bus carried, in order, in memory up to a byte bound (the oldest go first), and as bytes
//! that can be kept and replayed into another bus. Thread-safe.

#include <cstddef>
#include <mutex>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/bus/bus.hpp"

namespace synod::bus {

inline constexpr std::size_t kJournalBytes = 4 * 1024 * 1024;

class Journal {
  public:
    explicit Journal(std::size_t max_bytes = kJournalBytes) : max_bytes_(max_bytes) {}

    void append(const Event& event);
    [[nodiscard]] std::vector<Event> events() const;
    //! magic, version, then each event as topic, seq, time, payload (core/base/codec.hpp).
    [[nodiscard]] Bytes encode() const;
    //! Strict. Errors: bus.journal_corrupt with the offset.
    static Result<std::vector<Event>> decode(ByteView bytes);
    //! Publishes recorded events into `bus` with their recorded times, oldest first.
    static Result<void> replay(const std::vector<Event>& events, Bus& bus);

  private:
    static std::size_t cost(const Event& event);

    const std::size_t max_bytes_;
    mutable std::mutex mutex_;
    EventQueue events_;
    std::size_t bytes_ = 0;
};

}  // namespace synod::bus
