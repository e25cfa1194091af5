// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What of the machine a node sees beside its loop, its workers and its store. As it is made, the real
//! one; the simulator puts its own in the place of each. Any thread.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/app/node/disk.hpp"
#include "core/app/node/usage.hpp"
#include "core/app/node/writer.hpp"
#include "core/net/network.hpp"

namespace synod::app {

using OpenNetwork =
    std::function<Result<std::unique_ptr<net::Transport>>(net::NetworkConfig, net::NetworkHandler&)>;

//! Sockets of this machine.
inline Result<std::unique_ptr<net::Transport>> open_tcp(net::NetworkConfig config,
                                                        net::NetworkHandler& handler) {
    return net::Network::start(std::move(config), handler);
}

struct Machine {
    OpenNetwork open_network = open_tcp;
    Writer::Executor commit_on;  //!< empty: a thread of its own commits
    std::function<std::uint64_t(const std::string& path)> disk_free = app::disk_free;  //!< bytes
    std::function<Duration()> cpu_time = app::cpu_time;
    std::function<std::uint64_t()> memory_used = app::memory_used;  //!< bytes
    unsigned cores = std::max(1U, std::thread::hardware_concurrency());
};

}  // namespace synod::app
