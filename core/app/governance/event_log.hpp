// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The events that blocks carried, as the store keeps them: one record for each event and block, so that a branch that
//! lost leaves its own beside those of the chain. Control thread; what is asked for is read, and nothing else.

#include <functional>
#include <optional>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/store/store.hpp"

namespace synod::app {

//! Records that one look-up in the store reads at most.
inline constexpr std::size_t kEventLogPage = 64;
//! Records that one answer reads at most, those of branches that lost among them.
inline constexpr std::size_t kMaxLoggedEvents = 65'536;

//! An event that a block carries.
struct LoggedEvent {
    std::uint64_t sequence = 0, height = 0;
    Hash block;
    Bytes event;

    bool operator==(const LoggedEvent&) const = default;
};

store::Record event_record(const LoggedEvent& event);

//! By number, from `from` on, at most `count`, of the chain whose block at a height `hash_at` tells. Errors: store.*.
Result<std::vector<LoggedEvent>> read_event_log(
    store::Store& store, std::uint64_t from, std::size_t count,
    const std::function<std::optional<Hash>(std::uint64_t height)>& hash_at);

}  // namespace synod::app
