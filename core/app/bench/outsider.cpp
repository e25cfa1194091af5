// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/outsider.hpp"

#include "core/app/node/signer.hpp"

namespace synod::app::bench {

Result<std::unique_ptr<net::Network>> open_outside(const std::filesystem::path& key, const synod_chain_info& chain,
                                                   net::NetworkHandler& handler) {
    auto secret = SecretKey::load(key.string());
    if (!secret) {
        return std::unexpected(secret.error());
    }
    net::NetworkConfig config;
    config.network_id = Hash::copy(chain.network_id);
    config.genesis = Hash::copy(chain.genesis_hash);
    config.identity = net::Identity::from_seed((*secret)->seed());
    return net::Network::start(std::move(config), handler);
}

}  // namespace synod::app::bench
