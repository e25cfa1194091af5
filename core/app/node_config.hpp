// SPDX-License-Identifier: Apache-2.0
#pragma once
//! From the manifest to what the node takes: addresses, keys, limits.

#include <string>

#include "core/app/node/node.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app {

//! All but what is secret or drawn: keys, signer and seeds. Errors: config.address, config.enum.
Result<NodeConfig> node_settings(const host::Manifest& manifest);
//! Reads the keys, makes an identity key when there is none yet, opens the signer's store for an
//! authority. Errors: key.*, config.address, store.*.
Result<NodeConfig> node_config(const host::Manifest& manifest);

//! "127.0.0.1:9000" or "[::1]:9000". Errors: config.address.
Result<PeerAddress> split_address(const std::string& text);

}  // namespace synod::app
