// SPDX-License-Identifier: Apache-2.0
//! An authority is added, another one's key rotates and a third one is removed while blocks flow; who was off for all
//! of it, or begins at genesis in fast or full mode, agrees with the others.

#include "tests/integration/governance/operators.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kSlotMs = 1'000;
constexpr Duration kChanges = std::chrono::seconds(90 * kSlowdown);
constexpr Duration kSyncs = std::chrono::seconds(45);

std::string hex_of(const PublicKey& key) { return to_hex(key.view()); }

//! A node with a key of its own that acts as an authority as soon as it is one.
TestNode candidate(const fs::path& folder, Federation& federation, const std::string& name) {
    NodeSetup setup;
    setup.folder = folder / name;
    fs::create_directories(setup.folder);
    setup.key = setup.folder / "authority.key";
    REQUIRE(app::write_seed(setup.key.string(), app::random_seed()));
    setup.genesis = federation.genesis();
    setup.authority = true;
    auto port = app::devnet::free_ports(1);
    REQUIRE(port);
    setup.port = port->front();
    setup.peers = federation.addresses();
    return TestNode(setup);
}

TestNode fresh(const fs::path& folder, Federation& federation, const std::string& mode) {
    NodeSetup setup;
    setup.folder = folder / ("fresh-" + mode);
    setup.genesis = federation.genesis();
    auto port = app::devnet::free_ports(1);
    REQUIRE(port);
    setup.port = port->front();
    setup.peers = federation.addresses();
    setup.sync = "  mode: " + mode + "\n";
    return TestNode(setup);
}

bool proposes(const json::value& status) { return number_at(status.at("federation"), "blocks_proposed") > 0; }

bool agree(const json::value& a, const json::value& b) {
    return number_at(a, "current_height") == number_at(b, "current_height") && a.at("head_hash") == b.at("head_hash");
}

//! Whether the node comes to have the head of another, seen at the same height.
bool comes_to_agree(TestNode& node, TestNode& other, std::uint64_t least) {
    return node.wait_for(kSyncs, [&](const json::value& mine) {
        const auto theirs = other.status();
        return theirs && number_at(mine, "current_height") >= least && agree(mine, *theirs);
    });
}

}  // namespace

TEST_CASE("an authority is added, one rotates its key, one is removed, and everybody follows") {
    TestFolder folder("governance");
    FederationFacts facts;
    facts.slot_ms = kSlotMs;
    Federation federation(folder.path(), facts);
    federation.start();
    auto added = candidate(folder.path(), federation, "added");
    auto replacement = candidate(folder.path(), federation, "replacement");
    added.start();
    replacement.start();
    auto sleeper = federation.stranger("sleeper");
    sleeper.start();
    INFO(federation.logs());
    REQUIRE(sleeper.wait_until_at(3, kStartTime));
    sleeper.kill();

    const auto begin = federation[1].height().value();
    const auto first = begin + kNotice;
    govern(folder.path(), federation, 1, first, {"add-authority", "--key", hex_of(added.identity())});
    govern(folder.path(), federation, 1, first + 3,
           {"rotate-key", "--key", hex_of(federation[2].identity()), "--replacement", hex_of(replacement.identity())});
    govern(folder.path(), federation, 1, first + 6, {"remove-authority", "--key", hex_of(federation[0].identity())});

    const auto last = first + 6;
    INFO("changes at " << first << ", " << first + 3 << ", " << last);
    INFO(added.log());
    INFO(replacement.log());
    REQUIRE(federation[1].wait_until_at(last + 10, kChanges));
    const auto now = federation[1].status().value();
    CHECK(number_at(now.at("governance"), "sequence") == 3);
    CHECK(number_at(now.at("governance"), "authority_set") == 3);
    CHECK(number_at(now, "committed_height") > last);
    // The new ones produce; the old ones are nobody any more.
    CHECK(added.wait_for(kSyncs, proposes));
    CHECK(replacement.wait_for(kSyncs, proposes));
    CHECK(federation[0].status().value().at("federation").at("is_authority") == false);
    CHECK(federation[2].status().value().at("federation").at("is_authority") == false);
    const auto peers = federation[1].ask("node.peers").value();
    for (const auto& peer : peers.as_array()) {
        const auto identity = std::string(peer.at("identity").as_string());
        const bool in_force = identity == hex_of(added.identity()) || identity == hex_of(replacement.identity()) ||
                              identity == hex_of(federation[3].identity());
        CHECK_MESSAGE((peer.at("tier") == "federation") == in_force, identity);
        CHECK(peer.at("misbehaviour").to_number<double>() == 0);
    }
    const auto log = run_to_end(folder.path(), {"governance", "log", federation[3].manifest().string(), "--json"});
    CHECK(log.code == 0);
    const auto events = json::parse(log.output).at("events").as_array();
    REQUIRE(events.size() == 3);
    CHECK(events[0].at("kind") == "add-authority");
    CHECK(events[1].at("kind") == "rotate-key");
    CHECK(events[2].at("kind") == "remove-authority");
    CHECK(number_at(events[2], "effective_height") == last);

    sleeper.start();
    auto fast = fresh(folder.path(), federation, "fast");
    fast.start();
    CHECK_MESSAGE(comes_to_agree(sleeper, federation[1], last + 10), sleeper.log());
    CHECK_MESSAGE(comes_to_agree(fast, federation[1], last + 10), fast.log());
    auto full = fresh(folder.path(), federation, "full");
    full.start();
    CHECK_MESSAGE(comes_to_agree(full, federation[1], last + 10), full.log());
    for (auto* node : {&sleeper, &fast, &full}) {
        CHECK(number_at(node->status().value().at("governance"), "authority_set") == 3);
        // Headers that could not be judged yet were no fault of anybody.
        CHECK_MESSAGE(node->log().find("self_fault_suspected") == std::string::npos, node->log());
        const auto known = node->ask("node.peers").value();
        for (const auto& peer : known.as_array()) {
            CHECK_MESSAGE(peer.at("misbehaviour").to_number<double>() == 0, node->log());
        }
    }
    // Who was restarted has the same log.
    const auto known = run_to_end(folder.path(), {"governance", "log", fast.manifest().string(), "--json"});
    CHECK(json::parse(known.output).at("events").as_array().size() == 3);
}
