// SPDX-License-Identifier: Apache-2.0
//! Peers that freeze in the middle of a sync (SIGSTOP: their links stay, nothing comes), and the node
//! itself frozen for a while. The rest serves; whoever froze is blamed for nothing.

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 12'000;
constexpr Duration kSyncTime = std::chrono::seconds(90);
constexpr Duration kFreeze = std::chrono::seconds(2);

//! Wakes what it stopped, whatever happens.
class Stopped {
  public:
    explicit Stopped(pid_t pid) : pid_(pid) { ::kill(pid_, SIGSTOP); }
    ~Stopped() { ::kill(pid_, SIGCONT); }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;

  private:
    pid_t pid_;
};

}  // namespace

TEST_CASE("two of three peers freeze, then the node itself: it comes to the tip and blames nobody") {
    const TestFolder folder("frozen");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto servers = start_servers(folder.path(), chain, 3);
    NodeSetup setup;
    setup.folder = folder.path() / "node";
    setup.genesis = chain.genesis();
    setup.peers = addresses_of(servers);
    setup.sync = "  mode: full\n  min_peers: 3\n";
    setup.workers = 1;
    TestNode node(setup);
    node.start();
    REQUIRE(node.wait_until_at(kBlocks / 10, kSyncTime));
    {
        const Stopped first(servers[0].pid());
        REQUIRE(node.wait_until_at(kBlocks / 4, kSyncTime));
        const Stopped second(servers[1].pid());
        REQUIRE(node.wait_until_at(kBlocks / 2, kSyncTime));
        {
            const Stopped itself(node.pid());
            std::this_thread::sleep_for(kFreeze);
        }
        const bool there = node.wait_until_at(kBlocks, kSyncTime);
        INFO(node.log());
        REQUIRE(there);
    }
    CHECK(node.status()->at("head_hash").as_string() == chain.head);
    const auto peers = node.ask("node.peers");
    REQUIRE(peers);
    for (const auto& peer : peers->as_array()) {
        CAPTURE(json::serialize(peer));
        CHECK(peer.at("misbehaviour").to_number<double>() == 0);
        CHECK(peer.at("offences").as_array().empty());
        CHECK(peer.at("banned_until_unix_ms").is_null());
    }
    CHECK(node.stop() == 0);
    int code = -1;
    const auto said = verify_chain(folder.path(), node, chain, code);
    INFO(said);
    CHECK(code == 0);
}
