// SPDX-License-Identifier: Apache-2.0
//! From the second signature for one slot to the removal that carries the proof of it.

#include "core/app/bench/tip_peer.hpp"
#include "core/app/commands/chain_offline.hpp"
#include "core/app/node/slots.hpp"
#include "tests/integration/governance/operators.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kSlotMs = 250;
constexpr Duration kProven = std::chrono::seconds(20);
constexpr Duration kRemoved = std::chrono::seconds(60);
constexpr std::size_t kGuilty = 3;

//! Two blocks on genesis of the next slot that is the guilty one's, which differ in their transaction; waits for that
//! slot. Empty when anything fails. [worker]
std::vector<SharedBytes> two_blocks(app::Runtime& runtime, const app::SecretKey& key) {
    auto& consensus = runtime.consensus();
    const auto genesis = consensus.genesis();
    if (!genesis) {
        return {};
    }
    const auto& info = runtime.info();
    auto slot = app::slot_at(info, app::unix_now()) + 1;
    PublicKey author;
    while (consensus.author_of(genesis->state, slot, &author) && author != key.public_key()) {
        ++slot;
    }
    std::vector<SharedBytes> out;
    for (const std::uint8_t byte : {1, 2}) {
        const synod_bytes transaction{&byte, 1};
        synod_payload payload{};
        payload.size = sizeof payload;
        payload.transactions = &transaction;
        payload.n_transactions = 1;
        auto made = consensus.propose(genesis->state, slot, {}, payload);
        if (!made) {
            return {};
        }
        const auto signature = key.sign({made->request.message, made->request.message_length});
        std::ranges::copy(signature.data, made->bytes.begin() + made->request.signature_offset);
        out.emplace_back(std::move(made->bytes));
    }
    while (app::slot_at(info, app::unix_now()) < slot) {
        std::this_thread::sleep_for(kPollPause);
    }
    return out;
}

json::array evidence_of(const TestNode& node) {
    const auto known = node.ask("evidence.list");
    return known ? known->at("evidence").as_array() : json::array{};
}

}  // namespace

TEST_CASE("an authority that signed two blocks of one slot is removed by an event that carries the proof") {
    TestFolder folder("governance-removal");
    FederationFacts facts;
    facts.slot_ms = kSlotMs;
    Federation federation(folder.path(), facts);
    const auto key = app::SecretKey::load(federation.key(kGuilty).string());
    REQUIRE(key);
    const auto guilty = to_hex((*key)->public_key().view());
    // Two of four produce nothing yet: the guilty one's blocks are the first.
    federation[0].start();
    federation[1].start();
    REQUIRE(federation[0].wait_until_up());
    REQUIRE(federation[1].wait_until_up());

    ::setenv("SYNOD_PLUGIN_DIR", SYNOD_BINARY_DIR "/plugins", 1);
    auto runtime = app::offline_runtime(federation.genesis().string(), "batch");
    REQUIRE(runtime);
    std::vector<SharedBytes> blocks;
    (*runtime)->pipeline().on_consensus_and_wait([&] { blocks = two_blocks(**runtime, **key); });
    REQUIRE(blocks.size() == 2);
    auto peer = app::bench::TipPeer::link({federation.addresses()[0].port, federation.addresses()[0].identity},
                                          federation.key(kGuilty), (*runtime)->info());
    REQUIRE(peer);
    for (const auto& block : blocks) {
        (*peer)->push(block);
    }
    // Both prove it, the one of them from what the other relays.
    for (const std::size_t i : {0, 1}) {
        const bool proven = federation[i].wait_for(kProven, [&](const json::value&) {
            return !evidence_of(federation[i]).empty();
        });
        INFO(federation.logs());
        REQUIRE(proven);
        const auto known = evidence_of(federation[i])[0].as_object();
        CHECK(known.at("author").as_string() == guilty);
        CHECK(known.at("kind").as_string() == "two_blocks");
    }
    federation[2].start();
    REQUIRE(federation[0].wait_until_at(3, kRemoved));

    const auto manifest = federation[0].manifest().string();
    const auto run = [&](std::vector<std::string> arguments) { return run_to_end(folder.path(), std::move(arguments)); };
    const auto id = std::string(evidence_of(federation[0])[0].at("id").as_string()).substr(0, 16);
    const auto at = federation[0].height().value() + kNotice;

    // Evidence whose signature was changed can be written down and signed; no node takes it.
    const auto shown = run({"evidence", "show", manifest, id, "--json"});
    REQUIRE(shown.code == 0);
    auto forged = json::parse(shown.output);
    auto& bytes = forged.at("bytes").as_string();
    bytes.back() = bytes.back() == '0' ? '1' : '0';
    const auto forgery = (folder.path() / "forged-evidence.json").string();
    std::ofstream(forgery) << json::serialize(forged);
    const auto wrong = (folder.path() / "wrong.json").string();
    REQUIRE(run({"governance", "propose", manifest, "remove-authority", "--evidence", forgery, "--at",
                 std::to_string(at), "--out", wrong})
                .code == 0);
    for (const std::uint32_t i : {0, 1, 2}) {
        REQUIRE(run({"governance", "sign", wrong, "--key", federation.key(i).string()}).code == 0);
    }
    const auto refused = run({"governance", "submit", manifest, wrong});
    CHECK(refused.code == 1);
    CHECK_MESSAGE(refused.output.find("governance.event_evidence") != std::string::npos, refused.output);
    // And against another than who goes not even written down.
    const auto innocent = run({"governance", "propose", manifest, "remove-authority", "--evidence", id, "--key",
                               to_hex(federation[1].identity().view()), "--out", wrong});
    CHECK(innocent.code == 2);

    // Who goes is taken from the evidence.
    const auto file = (folder.path() / "remove.json").string();
    REQUIRE(run({"governance", "propose", manifest, "remove-authority", "--evidence", id, "--at", std::to_string(at),
                 "--out", file, "--reason", "two blocks"})
                .code == 0);
    Ended signed_by;
    for (const std::uint32_t i : {0, 1, 2}) {
        signed_by = run({"governance", "sign", file, "--key", federation.key(i).string()});
        REQUIRE(signed_by.code == 0);
    }
    CHECK(signed_by.output.find("with evidence: it signed two blocks of slot") != std::string::npos);
    REQUIRE(run({"governance", "submit", manifest, file}).code == 0);

    bool gone = federation[1].wait_for(kRemoved, [](const json::value& now) {
        return number_at(now.at("governance"), "authority_set") == 1;
    });
    INFO(federation.logs());
    REQUIRE(gone);
    const auto status = run({"governance", "status", federation[1].manifest().string(), "--json"});
    const json::array authorities = json::parse(status.output).at("authorities").as_array();
    CHECK(authorities.size() == 3);
    CHECK(json::serialize(authorities).find(guilty) == std::string::npos);
    const auto log = run({"governance", "log", federation[1].manifest().string()});
    CHECK_MESSAGE(log.output.find("remove-authority key " + guilty) != std::string::npos, log.output);
    CHECK_MESSAGE(log.output.find("proven: it signed two blocks of slot") != std::string::npos, log.output);
    // The three go on, and who comes new checks the proof with the blocks.
    auto fresh = federation.stranger("fresh");
    fresh.start();
    CHECK_MESSAGE(fresh.wait_until_at(at + 3, kRemoved), fresh.log());
    CHECK(number_at(fresh.status().value().at("governance"), "authority_set") == 1);
}
