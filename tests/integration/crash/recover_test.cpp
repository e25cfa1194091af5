// SPDX-License-Identifier: Apache-2.0
//! A store that can't be read any more is made good from a checkpoint: by the command for a node that
//! doesn't run, by itself in one that does. What could be read is kept, the rest is fetched again.

#include "core/store/sqlite.hpp"
#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 3'000;
constexpr std::uint64_t kEarlier = 1'500;  //!< where the checkpoint comes from
constexpr Duration kSyncs = std::chrono::seconds(60);

constexpr const char* kSpoilState =
    "UPDATE meta SET value = zeroblob(length(value)) WHERE key = 'committed_state'";
//! The blocks of the newest pack.
constexpr const char* kSpoilBlocks =
    "UPDATE packs SET bytes = zeroblob(length(bytes)) WHERE first_height = (SELECT max(first_height) FROM packs)";
//! Its offsets and hashes, without which nobody knows how many blocks there are.
constexpr const char* kSpoilIndex =
    "UPDATE packs SET hashes = zeroblob(length(hashes)) WHERE first_height = (SELECT max(first_height) FROM packs)";

void edit(const TestNode& node, const char* sql) {
    auto db = store::Database::open((node.data() / "synod.db").string(), store::Access::read_write);
    REQUIRE(db);
    const auto done = db->exec(sql);
    REQUIRE_MESSAGE(done, done.error().text());
}

std::uint64_t newest_pack(const TestNode& node) {
    auto db = store::Database::open((node.data() / "synod.db").string(), store::Access::read_write);
    REQUIRE(db);
    return static_cast<std::uint64_t>(db->scalar("SELECT max(first_height) FROM packs").value());
}

//! A chain of kBlocks, and a checkpoint of its first half.
struct Chains {
    TestFolder folder{"recover"};
    ForgedChain whole = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    ForgedChain half = forge_chain(folder.path(), "half", kEarlier, {"--txs", "1"});
    fs::path checkpoint;

    Chains() {
        const auto made = run_to_end(folder.path(), {"checkpoint", "create", half.store().string()});
        INFO(made.output);
        REQUIRE(made.code == 0);
        for (const auto& entry : fs::directory_iterator(half.store() / "checkpoints")) {
            checkpoint = entry.path().extension() == ".checkpoint" ? entry.path() : checkpoint;
        }
        REQUIRE(!checkpoint.empty());
    }
    void give_checkpoint(const TestNode& node) const {
        fs::create_directories(node.data() / "checkpoints");
        fs::copy_file(checkpoint, node.data() / "checkpoints" / checkpoint.filename());
    }
    TestNode node(const std::string& name, std::vector<Address> peers = {}) const {
        NodeSetup setup;
        setup.folder = folder.path() / name;
        setup.genesis = whole.genesis();
        setup.peers = std::move(peers);
        return TestNode(setup);
    }
};

json::object recovered(const Chains& chains, const TestNode& node, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"checkpoint", "recover", node.manifest().string(), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto ran = run_to_end(chains.folder.path(), arguments);
    INFO(ran.output);
    REQUIRE(ran.code == 0);
    return json::parse(ran.output).as_object();
}

std::uint64_t number(const json::object& object, const char* key) {
    return object.at(key).to_number<std::uint64_t>();
}

void is_sound(const Chains& chains, const TestNode& node) {
    int code = -1;
    const auto said = verify_chain(chains.folder.path(), node, chains.whole, code);
    INFO(said);
    CHECK(code == 0);
}

}  // namespace

TEST_CASE("a stopped node's damaged store is recovered from the newest checkpoint that serves") {
    const Chains chains;
    const auto servers = start_servers(chains.folder.path(), chains.whole, 1);
    struct Case {
        const char* name;
        const char* spoil;
        bool loses_blocks;
    };
    for (const auto& one : {Case{"state", kSpoilState, false}, Case{"blocks", kSpoilBlocks, true},
                            Case{"index", kSpoilIndex, true}}) {
        CAPTURE(one.name);
        auto node = chains.node(one.name, addresses_of(servers));
        node.give_chain(chains.whole);
        chains.give_checkpoint(node);
        const auto pack = newest_pack(node);
        edit(node, one.spoil);

        const auto refused = run_to_end(chains.folder.path(), {"run", node.manifest().string()});
        CHECK(refused.code == 1);
        CHECK_MESSAGE(refused.output.find("synod checkpoint recover") != std::string::npos, refused.output);

        const auto would = recovered(chains, node, {"--dry-run"});
        const auto did = recovered(chains, node);
        for (const auto& report : {would, did}) {
            CHECK(number(report, "base_height") == kEarlier - 2);
            CHECK(number(report, "height") == (one.loses_blocks ? pack - 1 : kBlocks - 2));
            CHECK(report.at("damage").is_null() != one.loses_blocks);
            CHECK(report.at("checkpoint").at("height").to_number<std::uint64_t>() == kEarlier - 2);
        }
        CHECK(number(recovered(chains, node), "given_up") == 0);  // nothing is left to give up

        node.start();
        const bool synced = node.wait_until_at(kBlocks - 2, kSyncs);
        INFO(node.log());
        CHECK(synced);
        CHECK(node.stop() == 0);
        is_sound(chains, node);
    }
}

TEST_CASE("without a checkpoint that serves the genesis is the beginning, and each one says why not") {
    const Chains chains;
    auto node = chains.node("none");
    node.give_chain(chains.whole);
    edit(node, kSpoilState);
    const auto bare = recovered(chains, node);
    CHECK(bare.at("checkpoint").is_null());
    CHECK(number(bare, "base_height") == 0);
    CHECK(number(bare, "height") == kBlocks - 2);

    chains.give_checkpoint(node);
    const auto file = node.data() / "checkpoints" / chains.checkpoint.filename();
    auto bytes = text_of(file);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    std::ofstream(file, std::ios::binary) << bytes;
    const auto damaged = recovered(chains, node);
    CHECK(damaged.at("checkpoint").is_null());
    REQUIRE(damaged.at("skipped").as_array().size() == 1);
    CHECK(damaged.at("skipped").as_array()[0].as_string().find(chains.checkpoint.filename().string()) !=
          json::string::npos);
    const auto named = run_to_end(chains.folder.path(),
                                  {"checkpoint", "recover", node.manifest().string(), "0000"});
    CHECK(named.code == 1);
    CHECK(named.output.find("checkpoint.missing") != std::string::npos);
    is_sound(chains, node);
}

TEST_CASE("a running node whose store fails and can't be read again recovers by itself") {
    const Chains chains;
    auto servers = start_servers(chains.folder.path(), chains.whole, 1);
    auto node = chains.node("live", addresses_of(servers));
    node.give_chain(chains.half);
    chains.give_checkpoint(node);
    // The disk refuses blocks, and the state that was saved has gone bad meanwhile.
    edit(node, "CREATE TRIGGER refuse BEFORE INSERT ON packs BEGIN SELECT raise(ABORT, 'refused'); END");
    for (auto& server : servers) {
        REQUIRE(server.stop() == 0);
    }
    node.start();
    REQUIRE(node.wait_until_up());
    edit(node, kSpoilState);
    for (auto& server : servers) {
        server.start();
    }
    bool recovering = false;
    (void)node.wait_for(kSyncs, [&](const json::value&) {
        recovering = node.log().find("recovering from checkpoint") != std::string::npos;
        return recovering;
    });
    INFO(node.log());
    REQUIRE(recovering);
    edit(node, "DROP TRIGGER refuse");
    CHECK(node.wait_until_at(kBlocks - 2, kSyncs));
    const auto status = node.status();
    REQUIRE(status);
    CHECK(status->at("head_hash").as_string() == chains.whole.head.c_str());
    CHECK(node.stop() == 0);
    is_sound(chains, node);
}
