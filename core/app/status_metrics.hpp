// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A NodeStatus as Prometheus families. Any thread.

#include "core/app/node/node_status.hpp"
#include "core/host/metrics.hpp"

namespace synod::app {

//! Families synod_sync_*, synod_peers_*, synod_chain_*, synod_federation_* and synod_health_*. What isn't
//! known (the target before any evidence) has no family. synod_sync_state is the state's number, which
//! its help explains.
void status_metrics(const NodeStatus& status, host::MetricPage& page);

}  // namespace synod::app
