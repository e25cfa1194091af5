// SPDX-License-Identifier: Apache-2.0
//! A disk that fills up under a syncing node and gets space again: the node says so, keeps what it
//! has, goes on by itself, and what it stored is sound. With a file size limit on the running process,
//! and on a real small file system where the test may mount one.

#include <sys/mount.h>
#include <sys/resource.h>

#include <cstring>

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 12'000;  // about 9 MB
constexpr Duration kSyncTime = std::chrono::seconds(90);
constexpr rlim_t kLimit = 2U << 20U;       // bytes of one file
constexpr Duration kFullFor = std::chrono::seconds(2);

struct Scene {
    TestFolder folder{"full"};
    ForgedChain chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    std::vector<TestNode> servers = start_servers(folder.path(), chain, 1);

    NodeSetup setup() const {
        NodeSetup out;
        out.folder = folder.path() / "node";
        out.genesis = chain.genesis();
        out.peers = addresses_of(servers);
        out.sync = "  mode: full\n";
        out.workers = 1;
        return out;
    }
};

//! Waits until it says that the disk is full, stays with it for a while, and answers how far it was.
std::uint64_t says_full(TestNode& node) {
    const bool said = node.wait_for(kSyncTime, [](const json::value& status) {
        return std::string(status.at("reason").as_string()).find("disk_full") != std::string::npos;
    });
    INFO(node.log());
    REQUIRE(said);
    CHECK(node.log().find("free space") != std::string::npos);  // what to do
    const auto height = node.height();
    std::this_thread::sleep_for(kFullFor);
    REQUIRE(node.running());
    return height.value_or(0);
}

void goes_on(const Scene& scene, TestNode& node) {
    const bool there = node.wait_until_at(kBlocks, kSyncTime);
    INFO(node.log());
    REQUIRE(there);
    CHECK(node.status()->at("head_hash").as_string() == scene.chain.head);
    CHECK(node.stop() == 0);
    int code = -1;
    const auto said = verify_chain(scene.folder.path(), node, scene.chain, code);
    INFO(said);
    CHECK(code == 0);
}

}  // namespace

TEST_CASE("a file size limit stops the store and not the node; without it the sync goes on") {
    const Scene scene;
    TestNode node(scene.setup());
    node.start();
    REQUIRE(node.wait_until_up());
    const rlimit small{kLimit, RLIM_INFINITY};
    REQUIRE(::prlimit(node.pid(), RLIMIT_FSIZE, &small, nullptr) == 0);
    CHECK(says_full(node) < kBlocks);
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    REQUIRE(::prlimit(node.pid(), RLIMIT_FSIZE, &none, nullptr) == 0);
    goes_on(scene, node);
}

TEST_CASE("a file system without space stops the store and not the node; with space the sync goes on") {
    const Scene scene;
    const auto setup = scene.setup();
    const auto data = setup.folder / "data";
    fs::create_directories(data);
    if (::mount("tmpfs", data.c_str(), "tmpfs", 0, "size=4m") != 0) {
        MESSAGE("skipped: can't mount a file system here: " << std::strerror(errno));
        return;
    }
    {
        TestNode node(setup);
        node.start();
        REQUIRE(node.wait_until_up());
        CHECK(says_full(node) < kBlocks);
        CHECK(::mount("tmpfs", data.c_str(), "tmpfs", MS_REMOUNT, "size=128m") == 0);
        goes_on(scene, node);
    }
    CHECK(::umount2(data.c_str(), MNT_DETACH) == 0);
}
