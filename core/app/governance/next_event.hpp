// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Where the next governance event goes. Pure.

#include <boost/json/object.hpp>

namespace synod::app {

//! Of an answer of governance.status: {network, sequence, previous} as the consensus plugin's governance.make takes
//! them, after the newest event that the chain carries or that waits for a block.
boost::json::object next_event(const boost::json::object& status);

}  // namespace synod::app
