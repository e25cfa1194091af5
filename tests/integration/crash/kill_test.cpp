// SPDX-License-Identifier: Apache-2.0
//! A syncing node is killed at random moments; every start goes on from what was stored, and what is
//! stored is sound.

#include <random>

#include "tests/support/stored.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 20'000;
constexpr int kKills = 20;
constexpr int kVerifyEvery = 7;  //!< kills between looks at the store in the middle of the sync
constexpr Duration kWholeSync = std::chrono::seconds(90);

std::uint64_t seed_of_this_run() {
    if (const char* given = std::getenv("SYNOD_SEED")) {
        return std::stoull(given);
    }
    return std::random_device{}();
}

//! One life of the node: where it began, and the highest that it said to have stored.
struct Life {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    bool answered = false;
};

//! Watches until the node is at `height`, or for `limit`.
Life live(TestNode& node, std::uint64_t height, Duration limit) {
    Life life;
    (void)node.wait_for(limit, [&](const json::value& status) {
        life.last = status.at("current_height").to_number<std::uint64_t>();
        if (!std::exchange(life.answered, true)) {
            life.first = life.last;
        }
        return life.last >= height;
    });
    return life;
}

void expect_sound(const TestFolder& folder, const TestNode& node, const ForgedChain& chain) {
    int code = -1;
    const auto said = verify_chain(folder.path(), node, chain, code);
    INFO(said);
    CHECK(code == 0);
}

}  // namespace

TEST_CASE("kill -9 at twenty random moments: each start goes on, and the store is sound") {
    const TestFolder folder("crash");
    const auto seed = seed_of_this_run();
    MESSAGE("seed " << seed << " (SYNOD_SEED repeats it)");
    std::mt19937_64 random(seed);
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto servers = start_servers(folder.path(), chain, 2);

    NodeSetup setup;
    setup.folder = folder.path() / "syncing";
    setup.genesis = chain.genesis();
    setup.peers = addresses_of(servers);
    setup.sync = "  mode: full\n";  // slower than fast, and so is one signature after the other:
    setup.plugins = "  validation: simd\n";  // more moments lie in the middle
    setup.workers = 1;
    TestNode node(setup);

    Stored before;
    int in_the_middle = 0;
    std::string moments;
    for (int i = 0; i < kKills; ++i) {
        node.start();
        Life life;
        if (i % 4 == 0) {
            // Some moments of its start: before the store exists, while it is replayed, linked.
            const auto ms = std::uniform_int_distribution<>(0, 600)(random);
            life = live(node, ~0ull, std::chrono::milliseconds(ms));
        } else {
            const auto step = kBlocks / kKills;
            const auto aim = std::min<std::uint64_t>(
                kBlocks, before.committed + 1 + random() % (2 * step));
            life = live(node, aim, kWholeSync);
            CHECK(life.answered);
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 100'000));
        }
        INFO("kill " << i << ", stored before " << before.committed << ".." << before.head << "\n"
                     << node.log());
        REQUIRE(node.running());
        node.kill();
        const auto now = stored_by(node, folder.path());
        moments += " " + std::to_string(now.committed);
        if (life.answered) {
            CHECK(life.first >= before.head);
        }
        CHECK(now.committed >= before.committed);
        CHECK(now.head >= life.last);  // what it announced was stored
        in_the_middle += now.committed > 0 && now.committed < kBlocks - 3 ? 1 : 0;
        before = now;
        if (i % kVerifyEvery == kVerifyEvery - 1 && now.committed > 0) {
            expect_sound(folder, node, chain);
        }
        if (now.head >= kBlocks && i + 1 < kKills) {
            fs::remove_all(node.data());  // the whole chain came before the last kill: once more
            fs::create_directories(node.data());
            before = {};
        }
    }
    MESSAGE("committed at each kill:" << moments);
    CHECK(in_the_middle >= kKills / 2);

    node.start();
    const auto last = live(node, kBlocks, kWholeSync);
    INFO(node.log());
    CHECK(last.first >= before.head);
    CHECK(last.last == kBlocks);
    const auto status = node.status();
    REQUIRE(status);
    CHECK(status->at("head_hash").as_string() == chain.head);
    CHECK(node.stop() == 0);
    CHECK(stored_by(node, folder.path()).head == kBlocks);
    expect_sound(folder, node, chain);
}
