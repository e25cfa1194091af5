// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The network of a peer that measures from outside: it has an identity and a chain, and is no node.

#include <filesystem>
#include <memory>

#include "core/base/result.hpp"
#include "core/net/network.hpp"
#include "synod/consensus.h"

namespace synod::app::bench {

inline constexpr Duration kLinkTime = std::chrono::seconds(10);  //!< a dial may take until it is given up

//! Its identity is the key file's; `handler` outlives it. Errors: key.*, net.*.
Result<std::unique_ptr<net::Network>> open_outside(const std::filesystem::path& key, const synod_chain_info& chain,
                                                   net::NetworkHandler& handler);

}  // namespace synod::app::bench
