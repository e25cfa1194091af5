// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Time as a value. Rooms that decide are told the time; they never ask for it.

#include <chrono>
#include <cstdint>

namespace synod {

//! Monotonic time since an arbitrary start; virtual in the simulator.
using Instant = std::chrono::nanoseconds;
using Duration = std::chrono::nanoseconds;
//! Milliseconds since 1970 (UTC), for slots and time stamps only; it may jump.
using UnixMs = std::uint64_t;

//! A span, or an instant since its start, as a number.
constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr double to_milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

}  // namespace synod
