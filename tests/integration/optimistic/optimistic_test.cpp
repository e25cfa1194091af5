// SPDX-License-Identifier: Apache-2.0
//! Mode optimistic with real nodes: synced on certificates, then verified in full behind the tip; what
//! was verified is remembered; a stored block that breaks a rule stops production for good.

#include "core/app/runtime.hpp"
#include "core/sync/types.hpp"
#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 10'000;
constexpr Duration kSyncs = std::chrono::seconds(60);
constexpr Duration kVerifies = std::chrono::seconds(120);

std::uint64_t unverified(const json::value& status) {
    return status.at("unverified_blocks").to_number<std::uint64_t>();
}

//! A condition of the gate: its text when it isn't met, empty when it is.
std::string unmet(const json::value& status, std::string_view name) {
    for (const auto& one : status.at("gate").as_array()) {
        if (one.at("name").as_string() == name) {
            return one.at("met").as_bool() ? "" : std::string(one.at("value").as_string());
        }
    }
    return "no such condition";
}

TestNode optimistic(const fs::path& folder, const ForgedChain& chain, std::vector<Address> peers = {}) {
    NodeSetup setup;
    setup.folder = folder;
    setup.genesis = chain.genesis();
    setup.peers = std::move(peers);
    setup.sync = "  mode: optimistic\n";
    setup.plugins = "  validation: reference\n";  // the slowest: there is something to see
    return TestNode(setup);
}

//! Heights from which a run of the node went on verifying, by its log.
std::vector<std::uint64_t> begun_at(const TestNode& node) {
    std::vector<std::uint64_t> out;
    const auto log = node.log();
    const std::string mark = "verifying in full from height ";
    for (auto at = log.find(mark); at != std::string::npos; at = log.find(mark, at + 1)) {
        out.push_back(std::stoull(log.substr(at + mark.size())));
    }
    return out;
}

//! Changes the author's signature of the newest packed block, which no child commits yet, and makes it
//! the head.
void forge_last_signature(const TestNode& node) {
    auto manifest = host::load_manifest(node.manifest());
    REQUIRE(manifest);
    auto runtime = app::Runtime::start(*manifest);
    REQUIRE(runtime);
    auto opened = (*runtime)->open_store(node.data().string(), false, false, false);
    REQUIRE(opened);
    auto& store = **opened;
    const auto loaded = store.load();
    REQUIRE(loaded);
    const auto last = loaded->last_packed.value();
    const auto block = store.read_block(last.height);
    REQUIRE(block);
    Bytes bytes(block->view.begin(), block->view.end());
    const auto same_hash = [&] {
        const auto decoded = (*runtime)->consensus().decode(SYNOD_FORM_BLOCKS, bytes, 1);
        return decoded && decoded->views.size() == 1 && Hash::copy(decoded->views[0].hash) == last.hash;
    };
    // The first byte that the hash doesn't cover is the signature's.
    std::size_t at = 0;
    for (bytes[0] ^= 1; !same_hash(); bytes.at(at) ^= 1) {
        bytes[at++] ^= 1;
    }
    store::Commit change;
    change.truncate_from = last.height;
    change.drop_all_forks = true;
    change.head = change.committed = last;
    change.head_certificate = Bytes{};
    store::BlockRun run{last.height, SharedBytes(std::move(bytes)), {}, {last.hash}};
    run.ends.push_back(static_cast<std::uint32_t>(run.bytes.view.size()));
    change.runs.push_back(std::move(run));
    const auto written = store.commit(change);
    REQUIRE_MESSAGE(written, written.error().text());
}

}  // namespace

TEST_CASE("optimistic: synced on certificates, then all is verified, and a killed node goes on from there") {
    const TestFolder folder("optimistic");
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto servers = start_servers(folder.path(), chain, 2);
    auto node = optimistic(folder.path() / "node", chain, addresses_of(servers));
    node.start();
    REQUIRE(node.wait_until_at(kBlocks, kSyncs));
    CHECK(node.wait_for(kSyncs, [](const json::value& now) {
        return unmet(now, "validation").find("blocks to verify") != std::string::npos;
    }));
    std::uint64_t least = kBlocks;
    REQUIRE(node.wait_for(kVerifies, [&](const json::value& now) {
        CHECK(unverified(now) <= least);  // nothing new comes, so it only falls
        least = unverified(now);
        return least < kBlocks / 2;
    }));
    node.kill();
    node.start();
    REQUIRE(node.wait_for(kVerifies, [](const json::value& now) { return unverified(now) == 0; }));
    REQUIRE(node.wait_for(kSyncs, [](const json::value& now) { return unmet(now, "validation").empty(); }));
    const auto began = begun_at(node);
    INFO(node.log());
    REQUIRE(began.size() == 2);
    CHECK(began[0] == 1);
    CHECK(began[1] > 1);
    CHECK(began[1] <= kBlocks);
    CHECK(node.stop() == 0);
    int code = -1;
    const auto said = verify_chain(folder.path(), node, chain, code);
    INFO(said);
    CHECK(code == 0);
}

TEST_CASE("optimistic: a stored block with a wrong signature is found, named, and nothing is produced") {
    const TestFolder folder("optimistic");
    const auto chain = forge_chain(folder.path(), "forge", 2'000, {"--txs", "1"});
    auto node = optimistic(folder.path() / "node", chain);
    node.give_chain(chain);
    forge_last_signature(node);
    node.start();
    const bool alarmed = node.wait_for(kSyncs, [](const json::value& now) {
        return now.at("state").as_string() == sync::name(sync::State::emergency);
    });
    INFO(node.log());
    REQUIRE(alarmed);
    CHECK(node.wait_for(kSyncs, [](const json::value& now) { return !unmet(now, "validation").empty(); }));
    const auto status = node.status();
    REQUIRE(status);
    CHECK(unverified(*status) > 0);
    CHECK_FALSE(status->at("can_produce").as_bool());
    CHECK(status->at("reason").as_string().find("author-signature") != json::string::npos);
    CHECK(status->at("reason").as_string().find("height 1998") != json::string::npos);
    CHECK(node.stop() == 0);
}
