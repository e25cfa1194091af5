// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Slots and the clock, by the chain's own count: governance may change how long a slot is. Pure; any thread.

#include <synod/consensus.h>

#include "core/base/time.hpp"

namespace synod::app {

//! The slot of this time; the base slot before the base.
inline std::uint64_t slot_at(const synod_chain_info& info, UnixMs now) {
    if (info.slot_ms == 0 || now < info.slot_base_ms) {
        return info.slot_base;
    }
    return info.slot_base + (now - info.slot_base_ms) / info.slot_ms;
}
//! When a slot at or above the base begins.
inline UnixMs begin_of(const synod_chain_info& info, std::uint64_t slot) {
    return info.slot_base_ms + (slot - info.slot_base) * info.slot_ms;
}

}  // namespace synod::app
