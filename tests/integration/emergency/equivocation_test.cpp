// SPDX-License-Identifier: Apache-2.0
//! More authorities that signed twice for a slot than a federation bears: whoever hears of it stands aside, and goes on
//! when the operator says so.

#include "tests/support/federation.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr Duration kEnters = std::chrono::seconds(20);

bool alarmed(const json::value& status) {
    const auto& emergency = status.at("emergency").as_object();
    const auto& open = emergency.at("triggers").as_array();
    return emergency.at("active").as_bool() && std::ranges::any_of(open, [](const json::value& one) {
        return one.at("trigger").as_string() == "equivocation" &&
               one.at("reason").as_string() == "2 authorities signed twice for a slot, 1 can be borne";
    });
}

//! Who brings what convicts these two of four, and nothing else: a process of the wire protocol.
struct Accuser {
    Address address;
    std::optional<Process> process;

    Accuser(const fs::path& folder, const Federation& federation, std::vector<std::uint32_t> accused) {
        const auto key = folder / "accuser.key";
        REQUIRE(app::write_seed(key.string(), app::random_seed()));
        const auto loaded = app::SecretKey::load(key.string());
        const auto ports = app::devnet::free_ports(1);
        REQUIRE(loaded);
        REQUIRE(ports);
        address = {ports->front(), (*loaded)->public_key()};
        std::string files;
        for (const auto i : accused) {
            files += (files.empty() ? "" : ",") + federation.key(i).string();
        }
        auto started = Process::start("accuser",
                                      {SYNOD_LIAR, "--lie", "genesis-twins", "--genesis", federation.genesis().string(),
                                       "--accused", files, "--key", key.string(), "--port", std::to_string(address.port)},
                                      folder / "accuser.txt");
        REQUIRE(started);
        process = std::move(*started);
        const auto end = mono_now() + kStartTime;
        while (text_of(folder / "accuser.txt").find("ready\n") == std::string::npos) {
            REQUIRE_MESSAGE(mono_now() < end, text_of(folder / "accuser.txt"));
            REQUIRE_MESSAGE(process->running(), text_of(folder / "accuser.txt"));
            std::this_thread::sleep_for(kPollPause);
        }
    }
};

}  // namespace

TEST_CASE("two of four that signed twice are an emergency of the others, which ends by the operator's word") {
    TestFolder folder("equivocation");
    Federation federation(folder.path(), {});
    federation.start();
    REQUIRE(federation[0].wait_until_at(2, kStartTime));
    const Accuser accuser(folder.path(), federation, {2, 3});
    // A node of no authority hears it, and the others from it.
    NodeSetup setup;
    setup.folder = folder.path() / "carrier";
    setup.genesis = federation.genesis();
    setup.peers = federation.addresses();
    setup.peers.push_back(accuser.address);
    TestNode carrier(setup);
    carrier.start();
    for (const std::size_t i : {0, 1}) {
        CAPTURE(i);
        REQUIRE_MESSAGE(federation[i].wait_for(kEnters, alarmed), federation[i].log());
    }
    for (const std::size_t i : {2, 3}) {  // their keys signed elsewhere, so these end themselves
        const auto end = mono_now() + kEnters;
        while (federation[i].running() && mono_now() < end) {
            std::this_thread::sleep_for(kPollPause);
        }
        CHECK_MESSAGE(federation[i].stop() == 1, federation[i].log());
    }
    CHECK(carrier.wait_for(kEnters, alarmed));
    const auto at = federation[0].height().value();
    std::this_thread::sleep_for(std::chrono::seconds(3));  // three slots
    for (const std::size_t i : {0, 1}) {
        CAPTURE(i);
        const auto status = federation[i].status().value();
        CHECK(alarmed(status));
        CHECK(status.at("state") == "emergency");
        CHECK(status.at("can_produce") == false);
        CHECK(number_at(status, "current_height") <= at + 1);  // one may have been on its way
        CHECK(status.at("federation").at("equivocators") == 2);
    }
    const auto run = [&](const char* verb) {
        return run_to_end(folder.path(), {"emergency", verb, federation[0].manifest().string()}).output;
    };
    CHECK(run("status").find("emergency\n  equivocation  2 authorities signed twice") == 0);
    CHECK(run("leave").find("no emergency") == 0);
    std::this_thread::sleep_for(std::chrono::seconds(2));  // two checks
    CHECK(run("status").find("no emergency") == 0);        // he knows
    CHECK(federation[1].wait_for(kEnters, alarmed));       // the others' operators said nothing
    // The evidence is kept, and whether it is known to a new run nobody can tell.
    CHECK(federation[0].stop() == 0);
    federation[0].start();
    CHECK_MESSAGE(federation[0].wait_for(kEnters, alarmed), federation[0].log());
}
