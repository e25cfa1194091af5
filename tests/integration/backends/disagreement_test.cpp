// SPDX-License-Identifier: Apache-2.0
//! In `paranoid` a backend that contradicts the reference halts the node, which prints both verdicts.

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 2'000;

Ended run_with(const TestFolder& folder, const ForgedChain& chain, const std::vector<TestNode>& servers,
               const std::string& validation) {
    NodeSetup setup;
    setup.folder = folder.path() / fs::path(validation).stem();
    setup.genesis = chain.genesis();
    setup.peers = addresses_of(servers);
    setup.sync = "  mode: full\n  validation_level: paranoid\n";
    setup.plugins = "  validation: " + validation + "\n";
    const TestNode node(setup);
    return run_to_end(folder.path(), {"run", node.manifest().string(), "--until",
                                      "height=" + std::to_string(kBlocks), "--timeout", "60"});
}

}  // namespace

TEST_CASE("paranoid: a backend that contradicts the reference halts the node with both verdicts") {
    const TestFolder folder("paranoid");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto servers = start_servers(folder.path(), chain, 1);
    const auto ran = run_with(folder, chain, servers, SYNOD_BINARY_DIR "/tests/unit/host/plugins/doubting_backend.so");
    INFO(ran.output);
    CHECK(ran.code == 1);
    CHECK(ran.output.find("halted: of a signature") != std::string::npos);
    CHECK(ran.output.find("says that it fails") != std::string::npos);
    CHECK(ran.output.find("that it holds; they differ in") != std::string::npos);
    CHECK(ran.output.find("[validation.disagreement] at block at height ") != std::string::npos);

    CHECK(run_with(folder, chain, servers, "simd").code == 0);
    CHECK(run_with(folder, chain, servers, "batch").code == 0);
}
