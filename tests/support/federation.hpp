// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A federation from genesis, as processes: keys, genesis file, a node each, linked to all others. One
//! thread; every process ends with this object.

#include <sodium.h>

#include <algorithm>
#include <deque>

#include "core/app/forge/authorities.hpp"
#include "tests/support/nodes.hpp"

namespace synod::testing {

struct FederationFacts {
    std::uint32_t authorities = 4;
    std::uint64_t slot_ms = 1'000;
    std::uint64_t max_without_pow = 10'000;  //!< blocks
    std::string network;     //!< lines of everybody's section `network`
    std::string first_more;  //!< whole sections of the first node's manifest
    std::string more;        //!< of everybody's
};

class Federation {
  public:
    Federation(fs::path folder, const FederationFacts& facts) : folder_(std::move(folder)), facts_(facts) {
        REQUIRE(sodium_init() >= 0);
        const auto keys = app::forge::make_authorities(1, facts.authorities);
        REQUIRE(app::forge::write_keys(folder_, keys));
        const auto now = static_cast<std::uint64_t>(app::unix_now()) / facts.slot_ms;
        const auto text = app::forge::genesis_text(keys, {facts.slot_ms, now, 0, facts.max_without_pow});
        REQUIRE(app::forge::write_new(genesis(), text));
        auto ports = app::devnet::free_ports(facts.authorities);
        REQUIRE(ports);
        std::vector<Address> addresses;
        for (std::uint32_t i = 0; i < facts.authorities; ++i) {
            addresses.push_back({(*ports)[i], keys[i]->public_key()});
        }
        for (std::uint32_t i = 0; i < facts.authorities; ++i) {
            NodeSetup setup;
            setup.folder = folder_ / ("node-" + std::to_string(i));
            setup.genesis = genesis();
            setup.key = key(i);
            setup.authority = true;
            setup.port = (*ports)[i];
            setup.peers = addresses;
            setup.peers.erase(setup.peers.begin() + i);
            setup.network = facts.network;
            setup.more = facts.more + (i == 0 ? facts.first_more : "");
            nodes_.emplace_back(setup);
        }
        addresses_ = std::move(addresses);
    }

    void start() {
        for (auto& node : nodes_) {
            node.start();
        }
    }
    [[nodiscard]] TestNode& operator[](std::size_t i) { return nodes_[i]; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] fs::path genesis() const { return folder_ / "genesis.yaml"; }
    [[nodiscard]] fs::path key(std::uint32_t i) const { return app::forge::key_file(folder_, i); }
    [[nodiscard]] const std::vector<Address>& addresses() const { return addresses_; }

    //! A node that is no authority, with an empty store.
    TestNode stranger(const std::string& name) {
        auto port = app::devnet::free_ports(1);
        REQUIRE(port);
        NodeSetup setup;
        setup.folder = folder_ / name;
        setup.genesis = genesis();
        setup.port = port->front();
        setup.peers = addresses_;
        return TestNode(setup);
    }

    //! The logs of all, for a failed check.
    [[nodiscard]] std::string logs() const {
        std::string out;
        for (const auto& node : nodes_) {
            auto log = node.log();
            constexpr std::size_t kShown = 3'000;  // bytes of each
            out += "---- " + node.data().string() + "\n" +
                   log.substr(log.size() - std::min(log.size(), kShown));
        }
        return out;
    }

  private:
    fs::path folder_;
    FederationFacts facts_;
    std::deque<TestNode> nodes_;
    std::vector<Address> addresses_;
};

inline std::uint64_t number_at(const json::value& status, const char* key) {
    return status.at(key).to_number<std::uint64_t>();
}

}  // namespace synod::testing
