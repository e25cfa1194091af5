// SPDX-License-Identifier: Apache-2.0
//! Tiers as an operator sees them: three real nodes link to a fourth that names one of them as a miner.

#include <doctest/doctest.h>

#include <map>

#include "tests/support/nodes.hpp"

using namespace synod;
using namespace synod::testing;

TEST_CASE("an authority, a named miner and a stranger have their tiers once they are linked") {
    constexpr std::uint64_t kBlocks = 20;
    const TestFolder folder("tiers");
    const auto chain = forge_chain(folder.path(), "forged", kBlocks, {"--authorities", "4"});
    const auto ports = app::devnet::free_ports(4);
    REQUIRE(ports);
    const auto setup = [&](const char* name, std::size_t port) {
        NodeSetup out;
        out.folder = folder.path() / name;
        out.genesis = chain.genesis();
        out.port = (*ports)[port];
        return out;
    };
    TestNode miner(setup("miner", 1)), stranger(setup("stranger", 2));
    auto with_key = setup("authority", 3);
    with_key.key = chain.key(0);
    with_key.authority = true;
    TestNode authority(with_key);
    authority.give_chain(chain);  // an authority that finds its own signatures elsewhere refuses to go on

    auto hub_setup = setup("hub", 0);
    hub_setup.peers = {miner.address(), stranger.address(), authority.address()};
    hub_setup.network = "  miners: [\"" + to_hex(miner.identity().view()) + "\"]\n";
    TestNode hub(hub_setup);
    hub.give_chain(chain);
    for (auto* node : {&miner, &stranger, &authority, &hub}) {
        node->start();
    }
    std::map<std::string, std::string> tiers;
    const bool linked = hub.wait_for(kStartTime, [&](const json::value&) {
        tiers.clear();
        const auto peers = hub.ask("node.peers");
        for (const auto& peer : peers ? peers->as_array() : json::array{}) {
            if (peer.at("connected").as_bool()) {
                tiers[std::string(peer.at("identity").as_string())] = std::string(peer.at("tier").as_string());
            }
        }
        return tiers.size() == 3;
    });
    INFO(hub.log());
    REQUIRE(linked);
    CHECK(tiers.at(to_hex(miner.identity().view())) == "miner");
    CHECK(tiers.at(to_hex(stranger.identity().view())) == "regular");
    CHECK(tiers.at(to_hex(authority.identity().view())) == "federation");
    // What people read names it too.
    const auto shown = run_to_end(folder.path(), {"peers", hub.data().string()});
    CHECK(shown.code == 0);
    CHECK(shown.output.find(to_hex(miner.identity().view()).substr(0, 16) + "  miner") != std::string::npos);
    for (auto* node : {&hub, &miner, &stranger, &authority}) {
        CHECK(node->stop() == 0);
    }
}
