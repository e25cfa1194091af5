// SPDX-License-Identifier: Apache-2.0
//! Every authority killed at one moment while the federation produces, and started again: it goes on
//! by itself, nothing that was committed changes, and nobody is found to have signed twice.

#include "tests/integration/faults/rounds.hpp"
#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 500;
constexpr int kAuthorities = 4;
constexpr std::uint64_t kMore = 3;  //!< blocks that must follow each start
constexpr Duration kProduceTime = std::chrono::seconds(90);

std::uint64_t committed_by(const TestNode& node) {
    const auto now = node.status();
    return now ? now->at("committed_height").to_number<std::uint64_t>() : 0;
}

}  // namespace

TEST_CASE("all authorities killed at once come back and go on where they were") {
    const TestFolder folder("cold");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1", "--end-now"});
    auto ports = app::devnet::free_ports(kAuthorities);
    REQUIRE(ports);
    std::vector<Address> addresses;
    for (int i = 0; i < kAuthorities; ++i) {
        auto key = app::SecretKey::load(chain.key(i).string());
        REQUIRE(key);
        addresses.push_back({(*ports)[static_cast<std::size_t>(i)], (*key)->public_key()});
    }
    std::vector<TestNode> nodes;
    nodes.reserve(kAuthorities);
    for (int i = 0; i < kAuthorities; ++i) {
        NodeSetup setup;
        setup.folder = folder.path() / ("authority-" + std::to_string(i));
        setup.genesis = chain.genesis();
        setup.key = chain.key(i);
        setup.authority = true;
        setup.port = addresses[static_cast<std::size_t>(i)].port;
        setup.peers = addresses;
        setup.peers.erase(setup.peers.begin() + i);
        setup.workers = 1;
        nodes.emplace_back(setup).give_chain(chain);
    }
    std::uint64_t had = kBlocks;
    std::uint64_t committed = 0;
    const int restarts = rounds(1, 10);
    for (int i = 0; i <= restarts; ++i) {
        for (auto& node : nodes) {
            node.start();
        }
        for (auto& node : nodes) {
            const bool produces = node.wait_until_at(had + kMore, kProduceTime);
            INFO("start " << i << "\n" << node.log());
            REQUIRE(produces);
            CHECK(committed_by(node) >= committed);
        }
        had = 0;
        for (auto& node : nodes) {
            had = std::max(had, node.height().value_or(0));
            committed = std::max(committed, committed_by(node));
            const auto peers = node.ask("node.peers");
            REQUIRE(peers);
            for (const auto& peer : peers->as_array()) {
                CAPTURE(json::serialize(peer));
                CHECK(peer.at("offences").as_array().empty());
            }
        }
        for (auto& node : nodes) {
            node.kill();
        }
    }
    for (const auto& node : nodes) {
        int code = -1;
        const auto said = verify_chain(folder.path(), node, chain, code);
        INFO(said);
        CHECK(code == 0);
    }
}
