// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What travels on the bus.

#include <cstdint>

#include "core/base/time.hpp"
#include "core/bus/payload.hpp"
#include "core/bus/topics.hpp"

namespace synod::bus {

struct Event {
    Topic topic = Topic::kNone;
    std::uint64_t seq = 0;  //!< consecutive in its topic, from 1
    Instant at{};
    Payload payload;
};

}  // namespace synod::bus
