// SPDX-License-Identifier: Apache-2.0
#include "core/app/plugin_faults.hpp"

#include <spdlog/spdlog.h>

#include "core/base/codec.hpp"

namespace synod::app {

void PluginFaults::isolated(PluginFault fault) {
    auto sent = bus_.publish(bus::Topic::kPluginFault,
                             synod::Writer().text(fault.alias).text(fault.call).text(fault.reason).take(), clock_.mono());
    if (!sent) {
        spdlog::error("{}", sent.error().text());
    }
    const std::scoped_lock lock(mutex_);
    if (faults_.size() >= kMaxPluginFaults) {
        faults_.pop_front();
    }
    faults_.push_back(std::move(fault));
}

std::vector<PluginFault> PluginFaults::list() const {
    const std::scoped_lock lock(mutex_);
    return {faults_.begin(), faults_.end()};
}

}  // namespace synod::app
