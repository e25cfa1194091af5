// SPDX-License-Identifier: Apache-2.0
//! Bytes of a store's file overwritten at random places: `chain verify` names it and says what to do,
//! a node refuses the file or serves only what is sound, and whoever syncs from it gets no wrong block
//! and has nothing to blame it for.

#include "tests/integration/faults/rounds.hpp"
#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 3'000;
constexpr std::size_t kMostBytes = 600;  //!< overwritten at once
constexpr Duration kSyncTime = std::chrono::seconds(60);
constexpr Duration kRefuseTime = std::chrono::seconds(20);

void damage(const fs::path& file, std::mt19937_64& random) {
    const auto size = fs::file_size(file);
    std::fstream io(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto count = 1 + random() % kMostBytes;
    io.seekp(static_cast<std::streamoff>(random() % (size - count)));
    for (std::size_t i = 0; i < count; ++i) {
        io.put(static_cast<char>(random()));
    }
    REQUIRE(io);
}

//! True when it runs and answers, false when it ended by itself.
bool comes_up(TestNode& node) {
    const auto end = mono_now() + kRefuseTime;
    while (mono_now() < end && node.running()) {
        if (node.status()) {
            return true;
        }
        std::this_thread::sleep_for(kPollPause);
    }
    REQUIRE_FALSE(node.running());
    return false;
}

}  // namespace

TEST_CASE("a damaged store is named, says what to do, and nothing wrong of it reaches a peer") {
    const TestFolder folder("damage");
    auto random = dice();
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto honest = start_servers(folder.path(), chain, 1);
    const int files = rounds(6, 100);
    int named = 0;
    int refused = 0;
    int served = 0;
    for (int i = 0; i < files; ++i) {
        auto ports = app::devnet::free_ports(1);
        REQUIRE(ports);
        NodeSetup damaged;
        damaged.folder = folder.path() / ("damaged-" + std::to_string(i));
        damaged.genesis = chain.genesis();
        damaged.port = (*ports)[0];
        TestNode server(damaged);
        server.give_chain(chain);
        damage(server.data() / "synod.db", random);

        int code = -1;
        const auto said = verify_chain(folder.path(), server, chain, code);
        INFO(said);
        REQUIRE((code == 0 || code == 1));
        if (code == 1) {
            ++named;
            CHECK(said.find("FAILED ") != std::string::npos);
            CHECK(said.find("synod checkpoint recover") != std::string::npos);
        }
        server.start();
        if (!comes_up(server)) {
            ++refused;
            const auto out = text_of(damaged.folder / "out.txt");
            INFO(out);
            CHECK(code == 1);
            CHECK(out.find("store.") != std::string::npos);
            CHECK((out.find("synod checkpoint recover") != std::string::npos ||
                   out.find("recover from a checkpoint") != std::string::npos));
            continue;
        }
        ++served;
        NodeSetup fresh;
        fresh.folder = folder.path() / ("fresh-" + std::to_string(i));
        fresh.genesis = chain.genesis();
        fresh.peers = {server.address(), honest[0].address()};
        fresh.sync = "  min_peers: 2\n";
        TestNode node(fresh);
        node.start();
        const bool there = node.wait_until_at(kBlocks, kSyncTime);
        INFO("damaged: " << server.log() << "\nfresh: " << node.log());
        REQUIRE(there);
        CHECK(node.status()->at("head_hash").as_string() == chain.head);
        const auto peers = node.ask("node.peers");
        REQUIRE(peers);
        for (const auto& peer : peers->as_array()) {
            CAPTURE(json::serialize(peer));
            CHECK(peer.at("misbehaviour").to_number<double>() == 0);
        }
        CHECK(node.stop() == 0);
        const auto checked = verify_chain(folder.path(), node, chain, code);
        INFO(checked);
        CHECK(code == 0);
        fs::remove_all(fresh.folder);
    }
    MESSAGE(files << " files: " << named << " named by chain verify, " << refused << " refused at start, " << served
                  << " served what is sound");
    CHECK(named > 0);
}
