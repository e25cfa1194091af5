// SPDX-License-Identifier: Apache-2.0
//! How much memory a syncing node takes does not depend on how long the chain is.

#include <algorithm>

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr double kMostMiB = 256;
constexpr double kMostGrowth = 1.15;  //!< of some 25 MiB over 180,000 blocks: less than a hash of each would take
constexpr Duration kSyncTime = std::chrono::minutes(10);

//! MiB from /proc/PID/status: "VmHWM" is the peak, "VmRSS" what it is now.
double mib(pid_t pid, const std::string& field) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string name; in >> name;) {
        if (name == field + ":") {
            double kib = 0;
            in >> kib;
            return kib / 1'024;
        }
        std::getline(in, name);
    }
    return 0;
}

//! The peak of one node that syncs `blocks`.
double peak_of_one(const TestFolder& folder, const ForgedChain& chain, const std::vector<TestNode>& servers,
                   const std::string& sync_settings, std::uint64_t blocks, int number) {
    NodeSetup setup;
    setup.folder = folder.path() / ("syncing-" + std::to_string(number));
    setup.genesis = chain.genesis();
    setup.peers = addresses_of(servers);
    setup.sync = sync_settings;
    TestNode node(setup);
    const auto began = mono_now();
    node.start();
    const bool there = node.wait_until_at(blocks, kSyncTime);
    const auto took = seconds_since(began);
    INFO(node.log());
    REQUIRE(there);
    const auto peak = mib(node.pid(), "VmHWM");
    MESSAGE(blocks << " blocks: peak " << peak << " MiB, then " << mib(node.pid(), "VmRSS")
                   << " MiB, synced in " << took << " s");
    CHECK(node.stop() == 0);
    REQUIRE(peak > 1);
    return peak;
}

//! The peaks of several syncs, the smallest first: which replies meet in memory moves a single one by a tenth and more. The
//! servers give without a limit: a node that waits for its share is another thing than one that doesn't, and only long
//! chains would make it wait.
std::vector<double> peaks_of_syncs(std::uint64_t blocks, const std::string& sync_settings, int syncs) {
    const TestFolder folder("memory");
    const auto chain = forge_chain(folder.path(), "forge", blocks, {"--txs", "1"});
    const auto servers = start_servers(folder.path(), chain, 2, "  peer_share: 1TiB\n");
    std::vector<double> peaks;
    for (int i = 0; i < syncs; ++i) {
        peaks.push_back(peak_of_one(folder, chain, servers, sync_settings, blocks, i));
    }
    std::ranges::sort(peaks);
    return peaks;
}

}  // namespace

TEST_CASE("the peak memory of a syncing node is the same for a long chain") {
    const bool long_run = std::getenv("SYNOD_LONG") != nullptr;
    // Short chains don't fill the default window, so that a longer one would rightly take more.
    const std::string window = long_run ? "" : "  window_blocks: 1024\n  batch_size: 32\n";
    // What a short chain commonly takes, which is quick to see often; what grows with a long one does so in every sync.
    const auto short_ones = peaks_of_syncs(long_run ? 100'000 : 60'000, window, long_run ? 1 : 7);
    const auto long_ones = peaks_of_syncs(long_run ? 1'000'000 : 240'000, window, long_run ? 1 : 3);
    const auto small = short_ones[short_ones.size() / 2], large = long_ones.front();
    MESSAGE("growth " << (large / small - 1) * 100 << " %");
    CHECK(large <= small * kMostGrowth);
    CHECK(std::max(small, large) < kMostMiB);
}
