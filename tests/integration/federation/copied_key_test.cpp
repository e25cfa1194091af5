// SPDX-License-Identifier: Apache-2.0
//! One key, one process: a copy of a key, and a folder older than what its key signed, refuse to go on.

#include "core/store/signer_store.hpp"
#include "tests/support/federation.hpp"

using namespace synod;
using namespace synod::testing;
using std::chrono::seconds;

namespace {

constexpr Duration kPatience = seconds(90);

void copy_data(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::create_directories(to);
    fs::copy(from, to, fs::copy_options::recursive);
    for (const char* of_the_process : {"control.json", "synod.lock", "signer.lock", "synod.log"}) {
        fs::remove(to / of_the_process);
    }
}

std::optional<store::SignRecord> signed_by(const fs::path& data, const PublicKey& key) {
    auto opened = store::SignerStore::open(data.string(), true);
    REQUIRE(opened);
    auto record = (*opened)->load(key);
    REQUIRE(record);
    return *record;
}

//! It ends by itself, because of the key.
void refuses(TestNode& node, const fs::path& folder) {
    const auto end = mono_now() + kPatience;
    while (node.running() && mono_now() < end) {
        std::this_thread::sleep_for(kPollPause);
    }
    INFO(node.log());
    REQUIRE_FALSE(node.running());
    CHECK(text_of(folder / "out.txt").find("signer.newer_signature") != std::string::npos);
}

NodeSetup twin_of(Federation& federation, std::uint32_t authority, const fs::path& folder) {
    const auto port = app::devnet::free_ports(1);
    REQUIRE(port);
    NodeSetup out;
    out.folder = folder;
    out.genesis = federation.genesis();
    out.key = federation.key(authority);
    out.authority = true;
    out.port = port->front();
    out.peers = federation.addresses();
    out.peers.erase(out.peers.begin() + authority);
    return out;
}

}  // namespace

TEST_CASE("a copied key and a restored folder sign nothing and end with the reason") {
    const TestFolder folder("copied-key");
    Federation federation(folder.path(), {});
    federation.start();
    bool held = federation[0].wait_until_at(4, kPatience);
    INFO(federation.logs());
    REQUIRE(held);

    // A backup is taken of one authority, which then goes on.
    const auto backup = folder.path() / "backup";
    auto& victim = federation[2];
    REQUIRE(victim.stop() == 0);
    copy_data(victim.data(), backup);
    const auto backed_up = signed_by(backup, victim.identity());
    REQUIRE(backed_up);
    victim.start();
    REQUIRE(victim.wait_for(kPatience, [](const json::value& now) {
        return now.at("federation").at("blocks_proposed").to_number<int>() >= 2;
    }));

    // A process more, with the key alone: the chain that it gets has blocks of its own.
    {
        const auto setup = twin_of(federation, 2, folder.path() / "empty");
        TestNode twin(setup);
        twin.start();
        refuses(twin, setup.folder);
        CHECK_FALSE(signed_by(twin.data(), twin.identity()));
    }
    // And one with a copy of the folder too.
    {
        const auto setup = twin_of(federation, 2, folder.path() / "copy");
        TestNode twin(setup);
        copy_data(backup, twin.data());
        twin.start();
        refuses(twin, setup.folder);
        CHECK(signed_by(twin.data(), twin.identity()) == backed_up);
    }
    // The chain went on meanwhile, the one whose key it is with it.
    const auto height = federation[0].height().value_or(0);
    const auto proposed = victim.status()->at("federation").at("blocks_proposed").to_number<int>();
    held = victim.wait_for(kPatience, [&](const json::value& now) {
        return number_at(now, "current_height") > height &&
               now.at("federation").at("blocks_proposed").to_number<int>() > proposed;
    });
    INFO(federation.logs());
    REQUIRE(held);

    // Its folder is lost and the backup restored: refused, until the operator vouches for it.
    REQUIRE(victim.stop() == 0);
    const auto newest = signed_by(victim.data(), victim.identity());
    REQUIRE(newest);
    copy_data(backup, victim.data());
    victim.start();
    refuses(victim, folder.path() / "node-2");
    CHECK(signed_by(victim.data(), victim.identity()) == backed_up);

    std::ofstream(victim.manifest(), std::ios::app) << "federation:\n  adopt_signatures: true\n";
    victim.start();
    held = victim.wait_for(kPatience, [](const json::value& now) {
        return now.at("federation").at("blocks_proposed").to_number<int>() >= 1;
    });
    INFO(victim.log());
    REQUIRE(held);
    CHECK(victim.stop() == 0);
    CHECK(signed_by(victim.data(), victim.identity())->last_proposed_slot > newest->last_proposed_slot);
}
