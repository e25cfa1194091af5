// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The plugins that the node goes on without: whoever stops using one says so here, once. It is
//! published as plugin.fault/1 and remembered for the status. Owned by the app; any thread.

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "core/bus/bus.hpp"
#include "core/host/services.hpp"

namespace synod::app {

//! Calls in a row that may fail before a plugin that the node can do without isn't asked any more.
inline constexpr std::uint32_t kFailuresToIsolate = 5;
//! Faults that are remembered; the oldest go first.
inline constexpr std::size_t kMaxPluginFaults = 64;

struct PluginFault {
    std::string alias;
    std::string call;    //!< what it failed in: load, start, scoring.score
    std::string reason;  //!< the error's text
};

class PluginFaults {
  public:
    //! Both outlive this. `clock` stamps what is published.
    explicit PluginFaults(bus::Bus& bus, host::Clock& clock = host::system_clock())
        : bus_(bus), clock_(clock) {}
    PluginFaults(const PluginFaults&) = delete;
    PluginFaults& operator=(const PluginFaults&) = delete;

    void isolated(PluginFault fault);
    [[nodiscard]] std::vector<PluginFault> list() const;  //!< newest last

  private:
    bus::Bus& bus_;
    host::Clock& clock_;
    mutable std::mutex mutex_;
    std::deque<PluginFault> faults_;
};

}  // namespace synod::app
