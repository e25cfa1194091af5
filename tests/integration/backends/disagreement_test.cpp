// SPDX-License-Identifier: Apache-2.0
//! In `paranoid` a backend that contradicts the reference is an emergency: the node stays up, says both verdicts,
//! stores nothing more, and goes on only when the operator says so.

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 2'000;
constexpr Duration kTime = std::chrono::seconds(60);

NodeSetup paranoid(const TestFolder& folder, const ForgedChain& chain, const TestNode& server,
                   const std::string& validation) {
    NodeSetup setup;
    setup.folder = folder.path() / "node";
    setup.genesis = chain.genesis();
    setup.peers = {server.address()};
    setup.sync = "  mode: full\n  validation_level: paranoid\n  batch_size: 16\n";
    setup.plugins = "  validation: " + validation + "\n";
    return setup;
}

bool alarmed(const json::value& status) {
    const auto& emergency = status.at("emergency");
    return emergency.at("active").as_bool() && status.at("state") == "emergency" &&
           emergency.at("triggers").as_array().size() == 1 &&
           emergency.at("triggers").as_array()[0].at("trigger") == "backends";
}

std::uint64_t height_of(const json::value& status) { return status.at("current_height").to_number<std::uint64_t>(); }

std::string operators(const TestFolder& folder, const TestNode& node, const char* verb) {
    const auto ran = run_to_end(folder.path(), {"emergency", verb, node.manifest().string()});
    CHECK(ran.code == 0);
    return ran.output;
}

}  // namespace

TEST_CASE("paranoid: a backend that contradicts the reference is an emergency until the operator ends it") {
    const TestFolder folder("paranoid");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto server = start_authority(folder.path(), chain);  // who is asked in any emergency
    auto setup = paranoid(folder, chain, server, SYNOD_BINARY_DIR "/tests/unit/host/plugins/doubting_backend.so");
    setup.key = folder.path() / "node.key";
    REQUIRE(app::write_seed(setup.key.string(), app::random_seed()));
    std::optional<TestNode> node(std::in_place, setup);
    node->start();
    REQUIRE_MESSAGE(node->wait_for(kTime, alarmed), node->log());
    const auto said = operators(folder, *node, "status");
    INFO(said);
    CHECK(said.find("emergency\n  backends ") == 0);
    CHECK(said.find("of a signature validation says that it fails, validation-reference that it holds; they differ in") !=
          std::string::npos);
    CHECK(said.find("[validation.disagreement] at block at height ") != std::string::npos);
    CHECK(node->log().find("emergency: backends: ") != std::string::npos);

    // It answers, and stands still: what was on its way to the disk before may still arrive there.
    const auto settled = [&] {
        std::uint64_t before = kBlocks + 1;
        REQUIRE(node->wait_for(kTime, [&](const json::value& now) {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            return std::exchange(before, height_of(now)) == height_of(now);
        }));
        return before;
    };
    const auto stands_at = settled();
    CHECK(stands_at < kBlocks);
    std::this_thread::sleep_for(std::chrono::seconds(3));  // longer than three good checks
    auto status = node->status().value();
    CHECK(alarmed(status));
    CHECK(height_of(status) == stands_at);
    CHECK(status.at("can_produce") == false);
    CHECK(status.at("peers").to_number<int>() == 1);
    CHECK_MESSAGE(node->log().find("sync failed") == std::string::npos, node->log());

    // A restart is no word of the operator's.
    CHECK(node->stop() == 0);
    node->start();
    REQUIRE(node->wait_until_up());
    status = node->status().value();
    CHECK(alarmed(status));
    CHECK(height_of(status) == stands_at);
    CHECK(node->log().find("the emergency of the last run goes on: backends: ") != std::string::npos);

    // Both are asked again. They still disagree on one in a thousand.
    CHECK(operators(folder, *node, "leave").find("no emergency") == 0);
    REQUIRE_MESSAGE(node->wait_for(kTime, [&](const json::value& now) { return alarmed(now) && height_of(now) > stands_at; }),
                    node->log());
    const auto further = settled();
    CHECK(further < kBlocks);
    status = node->status().value();
    CHECK_MESSAGE(!status.at("last_checkpoint").is_null(), node->log());
    CHECK(node->stop() == 0);

    // With a backend that agrees it is over once the operator says so, and not before.
    setup.plugins = "  validation: batch\n";
    node.emplace(setup);
    node->start();
    REQUIRE(node->wait_until_up());
    CHECK(alarmed(node->status().value()));
    CHECK(operators(folder, *node, "leave").find("no emergency") == 0);
    REQUIRE_MESSAGE(node->wait_until_at(kBlocks, kTime), node->log());
    CHECK_FALSE(node->status()->at("emergency").at("active").as_bool());
    CHECK(node->status()->at("head_hash").as_string() == chain.head);
    CHECK(node->stop() == 0);
    node->start();  // and nothing is left of it
    REQUIRE(node->wait_until_up());
    CHECK_FALSE(node->status()->at("emergency").at("active").as_bool());
    CHECK(node->stop() == 0);
}

TEST_CASE("paranoid: backends that agree get to the tip") {
    const TestFolder folder("agree");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto server = start_authority(folder.path(), chain);  // who is asked in any emergency
    for (const std::string validation : {"simd", "batch"}) {
        auto setup = paranoid(folder, chain, server, validation);
        setup.folder = folder.path() / validation;
        TestNode node(setup);
        node.start();
        CHECK_MESSAGE(node.wait_until_at(kBlocks, kTime), node.log());
        CHECK(node.stop() == 0);
    }
}
