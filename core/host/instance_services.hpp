// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One instance's synod_host: C functions that find the instance through `ctx` and hand on to the
//! HostServices. [shared] where the SDK says so. Never throws into a plugin.

#include <mutex>

#include "core/host/registry.hpp"

namespace synod::host {

struct Instance::Services {
    Services(Instance& owner, HostServices& services);
    Services(const Services&) = delete;
    Services& operator=(const Services&) = delete;
    //! Every id of the descriptor's `requires_` must be a service that is granted.
    //! Errors: plugin.missing_service.
    [[nodiscard]] Result<void> check_required(const Plugin& plugin) const;

    Instance& owner;
    HostServices& services;
    synod_host host{};
    synod_log_api log{};
    synod_clock_api clock{};
    synod_random_api random{};
    synod_metric_api metrics{};
    synod_event_api events{};
    synod_exec_api exec{};
    synod_hash_api hash{};
    std::array<std::uint8_t, 32> key{};
    std::uint64_t drawn = 0;  //!< calls of `fill`: the stream's nonce
};

}  // namespace synod::host
