// SPDX-License-Identifier: Apache-2.0
//! Whatever proves and hashes, the chain is the same: another backend by one line of the manifest,
//! and every instruction set that this processor has.

#include <algorithm>
#include <sstream>

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 3'000;
constexpr Duration kSyncTime = std::chrono::seconds(90);

//! What a node that syncs with this validation plugin ends at.
std::string synced_head(const TestFolder& folder, const ForgedChain& chain,
                        const std::vector<TestNode>& servers, const std::string& validation,
                        const std::string& mode, std::string& manifest) {
    NodeSetup setup;
    setup.folder = folder.path() / (validation + "-" + mode);
    setup.genesis = chain.genesis();
    setup.key = servers.front().manifest().parent_path() / "syncing.key";
    setup.peers = addresses_of(servers);
    setup.sync = "  mode: " + mode + "\n";
    setup.plugins = "  validation: " + validation + "\n";
    TestNode node(setup);
    manifest = text_of(node.manifest());
    node.start();
    const bool there = node.wait_until_at(kBlocks, kSyncTime);
    INFO(node.log());
    REQUIRE(there);
    const auto status = node.status();
    REQUIRE(status);
    CHECK(node.stop() == 0);
    const bool untroubled = node.log().find("[error]") == std::string::npos;
    CHECK_MESSAGE(untroubled, node.log());
    int code = -1;
    const auto said = verify_chain(folder.path(), node, chain, code);
    INFO(said);
    CHECK(code == 0);
    return std::string(status->at("head_hash").as_string());
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        out.push_back(line);
    }
    return out;
}

}  // namespace

TEST_CASE("one line of the manifest exchanges the backend, and the head is the same") {
    const TestFolder folder("backends");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "3"});
    const auto servers = start_servers(folder.path(), chain, 2);
    REQUIRE(app::write_seed(
        (servers.front().manifest().parent_path() / "syncing.key").string(), app::random_seed()));
    for (const std::string mode : {"fast", "full"}) {
        CAPTURE(mode);
        std::string with_simd;
        CHECK(synced_head(folder, chain, servers, "simd", mode, with_simd) == chain.head);
        const auto a = lines_of(with_simd);
        for (const std::string other : {"reference", "batch"}) {
            CAPTURE(other);
            std::string with_other;
            CHECK(synced_head(folder, chain, servers, other, mode, with_other) == chain.head);
            const auto b = lines_of(with_other);
            REQUIRE(a.size() == b.size());
            int different = 0;
            for (std::size_t i = 0; i < a.size(); ++i) {
                // The node's name follows its folder.
                different += a[i] != b[i] && a[i].find("name:") == std::string::npos ? 1 : 0;
            }
            CHECK(different == 1);
        }
    }
}

TEST_CASE("the same arguments forge the same chain with every backend and instruction set") {
    const TestFolder folder("isa");
    const auto plain = forge_chain(folder.path(), "reference", 1'000,
                                   {"--txs", "3", "--validation", "reference"});
    std::string tried;
    int ran = 0;
    const std::vector<std::pair<std::string, std::string>> backends = {
        {"simd", "portable"}, {"simd", "sse2"}, {"simd", "avx2"},      {"simd", "avx512"},
        {"simd", "sha-ni"},   {"simd", "auto"}, {"batch", "portable"}, {"batch", "avx2"},
        {"batch", "avx512ifma"}, {"batch", "auto"}};
    for (const auto& [validation, isa] : backends) {
        CAPTURE(validation);
        CAPTURE(isa);
        const auto out = folder.path() / (validation + "-" + isa);
        const auto forged =
            run_to_end(folder.path(), {"chain", "forge", "--blocks", "1000", "--txs", "3", "--out", out.string(),
                                       "--validation", validation, "--isa", isa});
        if (forged.code != 0) {
            // Only for the one reason.
            CHECK(forged.output.find("can't run the instruction set") != std::string::npos);
            tried += " " + validation + "/" + isa + " (this processor has it not)";
            continue;
        }
        ++ran;
        tried += " " + validation + "/" + isa;
        CHECK(forged.output.find("head " + plain.head + " height 1000") != std::string::npos);
        CHECK(text_of(out / "genesis.yaml") == text_of(plain.genesis()));
    }
    MESSAGE("instruction sets:" << tried);
    CHECK(ran >= 4);  // portable and auto run everywhere
    const auto nonsense = run_to_end(folder.path(), {"chain", "forge", "--blocks", "10", "--out",
                                                     (folder.path() / "x").string(), "--isa", "mmx"});
    CHECK(nonsense.code != 0);
}
