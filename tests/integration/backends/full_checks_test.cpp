// SPDX-License-Identifier: Apache-2.0
//! In an emergency a node in mode `fast` asks authorities alone and checks every signature. A backend that errs on one
//! signature in a thousand, with the reference beside it, counts them.

#include <algorithm>

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 2'000;
constexpr Duration kTime = std::chrono::seconds(60);

NodeSetup doubting(const fs::path& folder, const ForgedChain& chain, std::vector<Address> peers) {
    NodeSetup setup;
    setup.folder = folder;
    setup.genesis = chain.genesis();
    setup.peers = std::move(peers);
    setup.sync = "  mode: fast\n  validation_level: paranoid\n";
    setup.plugins = "  validation: " SYNOD_BINARY_DIR "/tests/unit/host/plugins/doubting_backend.so\n";
    return setup;
}

bool has(const json::value& status, std::string_view trigger) {
    const auto& open = status.at("emergency").at("triggers").as_array();
    return std::ranges::any_of(open, [&](const json::value& one) { return one.at("trigger").as_string() == trigger; });
}

std::uint64_t height_of(const json::value& status) { return status.at("current_height").to_number<std::uint64_t>(); }

}  // namespace

TEST_CASE("an emergency asks authorities alone and checks every signature, whatever the mode") {
    const TestFolder folder("full-checks");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto plain = start_servers(folder.path(), chain, 1);
    const auto authority = start_authority(folder.path(), chain);

    // Without an emergency certificates vouch for nearly all, and so few signatures are looked at that none is doubted.
    TestNode fast(doubting(folder.path() / "fast", chain, {authority.address()}));
    fast.start();
    REQUIRE_MESSAGE(fast.wait_until_at(kBlocks, kTime), fast.log());
    CHECK_FALSE(fast.status()->at("emergency").at("active").as_bool());
    CHECK(fast.stop() == 0);

    const auto home = folder.path() / "alarmed";
    auto setup = doubting(home, chain, {});
    setup.key = folder.path() / "alarmed.key";
    REQUIRE(app::write_seed(setup.key.string(), app::random_seed()));
    std::optional<TestNode> node(std::in_place, setup);
    node->start();
    REQUIRE(node->wait_until_up());
    CHECK(run_to_end(folder.path(), {"emergency", "enter", node->manifest().string()}).code == 0);
    CHECK(node->stop() == 0);

    setup.peers = addresses_of(plain);
    node.emplace(setup);
    node->start();
    REQUIRE(node->wait_for(kTime, [](const json::value& now) { return now.at("peers").to_number<int>() == 1; }));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    auto status = node->status().value();
    CHECK(has(status, "operator"));
    CHECK(status.at("state") == "emergency");
    CHECK(height_of(status) == 0);
    CHECK(node->stop() == 0);

    setup.peers.push_back(authority.address());
    node.emplace(setup);
    node->start();
    REQUIRE_MESSAGE(node->wait_for(kTime, [](const json::value& now) { return has(now, "backends"); }), node->log());
    status = node->status().value();
    CHECK(has(status, "operator"));
    CHECK(height_of(status) > 0);
    CHECK(height_of(status) < kBlocks);
    CHECK(node->stop() == 0);
}
