// SPDX-License-Identifier: Apache-2.0
//! One of four serving peers lies. The node syncs from the other three, names the liar with the
//! reason, and blames nobody else.

#include <set>

#include "tests/support/nodes.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 6'000;
constexpr Duration kSyncTime = std::chrono::seconds(60);
constexpr Duration kNamedTime = std::chrono::seconds(30);  //!< from the tip to the liar's name

//! The honest three, running, and the chain that they have; one for all cases.
struct Honest {
    TestFolder folder{"hostile"};
    ForgedChain chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    //! The same genesis, other transactions: another chain from its first block on.
    ForgedChain fork =
        forge_chain(folder.path(), "fork", kBlocks, {"--txs", "1", "--tx-bytes", "101"});
    std::vector<TestNode> servers = start_servers(folder.path(), chain, 3);
    int cases = 0;
};

Honest& honest() {
    static Honest one;
    return one;
}

struct Case {
    std::string lie;
    std::string mode = "fast";
    bool authority = false;  //!< the liar has an authority's identity
    std::size_t which = 3;   //!< of them
};

//! The liar's process beside the honest three, and the node that syncs from all four.
class Scene {
  public:
    explicit Scene(const Case& what)
        : folder_(honest().folder.path() / (what.lie + "-" + std::to_string(honest().cases++))) {
        fs::create_directories(folder_);
        auto ports = app::devnet::free_ports(1);
        REQUIRE(ports);
        auto key = folder_ / "liar.key";
        if (what.authority) {
            key = honest().chain.key(what.which);
        } else {
            REQUIRE(app::write_seed(key.string(), app::random_seed()));
        }
        auto loaded = app::SecretKey::load(key.string());
        REQUIRE(loaded);
        identity_ = to_hex((*loaded)->public_key().view());
        auto liar = Process::start(
            "liar",
            {SYNOD_LIAR, "--lie", what.lie, "--genesis", honest().chain.genesis().string(), "--chain",
             honest().chain.store().string(), "--fork",
             what.lie == "fork" || what.lie.ends_with("-evidence") ? honest().fork.store().string() : "", "--key",
             key.string(),
             "--port", std::to_string((*ports)[0])},
            liar_log());
        REQUIRE(liar);
        liar_ = std::move(*liar);
        const auto end = mono_now() + kStartTime;
        while (text_of(liar_log()).find("ready\n") == std::string::npos) {
            REQUIRE(mono_now() < end);
            REQUIRE(liar_->running());
            std::this_thread::sleep_for(kPollPause);
        }
        NodeSetup setup;
        setup.folder = folder_ / "node";
        setup.genesis = honest().chain.genesis();
        setup.peers = addresses_of(honest().servers);
        setup.peers.insert(setup.peers.begin(), {(*ports)[0], (*loaded)->public_key()});
        setup.sync = "  mode: " + what.mode + "\n  min_peers: 3\n  window_blocks: 2048\n";
        node_.emplace(setup);
        node_->start();
    }

    TestNode& node() { return *node_; }
    [[nodiscard]] std::size_t lies() const {
        const auto said = text_of(liar_log());
        std::size_t count = 0;
        for (std::size_t at = said.find("lie "); at != std::string::npos; at = said.find("lie ", at + 1)) {
            ++count;
        }
        return count;
    }
    [[nodiscard]] std::string told() const {
        return "liar: " + text_of(liar_log()) + "\nnode: " + node_->log();
    }

    void sync_to_the_tip() {
        const auto began = mono_now();
        const bool there = node_->wait_until_at(kBlocks, kSyncTime);
        INFO(told());
        REQUIRE(there);
        MESSAGE("at the tip after " << seconds_since(began) << " s, " << lies() << " lies");
        const auto status = node_->status();
        REQUIRE(status);
        CHECK(status->at("head_hash").as_string() == honest().chain.head);
    }

    //! The liar's line of `synod peers --json`.
    [[nodiscard]] std::optional<json::object> liar_line() const {
        const auto peers = node_->ask("node.peers");
        for (const auto& peer : peers ? peers->as_array() : json::array{}) {
            if (peer.at("identity").as_string() == identity_) {
                return peer.as_object();
            }
        }
        return std::nullopt;
    }

    //! Waits until the liar's line satisfies `enough`.
    template <typename Enough>
    std::optional<json::object> wait_for_liar(Enough enough) {
        const auto end = mono_now() + kNamedTime;
        std::optional<json::object> line;
        while (mono_now() < end) {
            line = liar_line();
            if (line && enough(*line)) {
                return line;
            }
            std::this_thread::sleep_for(kPollPause);
        }
        INFO((line ? json::serialize(*line) : "no line for the liar"));
        FAIL_CHECK("the liar is not named");
        return std::nullopt;
    }

    void expect_honest_unblamed() {
        const auto peers = node_->ask("node.peers");
        REQUIRE(peers);
        std::size_t seen = 0;
        for (const auto& peer : peers->as_array()) {
            if (peer.at("identity").as_string() == identity_) {
                continue;
            }
            ++seen;
            CAPTURE(json::serialize(peer));
            CHECK(peer.at("connected").as_bool());
            CHECK(peer.at("misbehaviour").to_number<double>() == 0);
            CHECK(peer.at("banned_until_unix_ms").is_null());
            CHECK(peer.at("offences").as_array().empty());
        }
        CHECK(seen == honest().servers.size());
    }

    //! What `synod GROUP COMMAND NODE ARGUMENT` says.
    [[nodiscard]] std::string command(const char* group, const char* name, const std::string& argument) const {
        return run_to_end(folder_, {group, name, node_->data().string(), argument}).output;
    }

    //! In order, and what was stored is sound.
    void end() {
        CHECK(node_->stop() == 0);
        int code = -1;
        const auto said = verify_chain(folder_, *node_, honest().chain, code);
        INFO(said);
        CHECK(code == 0);
    }

  private:
    [[nodiscard]] fs::path liar_log() const { return folder_ / "liar.txt"; }

    fs::path folder_;
    std::string identity_;
    std::optional<Process> liar_;
    std::optional<TestNode> node_;
};

//! The first offence in the line, as "reason/rule".
std::string first_offence(const json::object& line) {
    const auto& offences = line.at("offences").as_array();
    return offences.empty() ? std::string()
                            : std::string(offences[0].at("reason").as_string()) + "/" +
                                  std::string(offences[0].at("rule").as_string());
}

//! A lie that proves itself: named, banned, gone; the others serve.
void caught(const Case& what, const std::set<std::string>& offences) {
    Scene scene(what);
    scene.sync_to_the_tip();
    CHECK(scene.lies() > 0);
    const auto line = scene.wait_for_liar(
        [](const json::object& l) { return !l.at("offences").as_array().empty(); });
    INFO(scene.told());
    if (line) {
        CAPTURE(json::serialize(*line));
        CHECK(offences.contains(first_offence(*line)));
        CHECK(line->at("misbehaviour").to_number<double>() > 50);
        CHECK_FALSE(line->at("banned_until_unix_ms").is_null());
        CHECK(scene.wait_for_liar([](const json::object& l) { return !l.at("connected").as_bool(); }));
        const auto& height = line->at("offences").as_array()[0].at("height");
        CHECK(height.to_number<std::uint64_t>() > 0);
    }
    scene.expect_honest_unblamed();
    scene.end();
}

}  // namespace

TEST_CASE("four honest peers: nobody is blamed") {
    Scene scene({"none"});
    scene.sync_to_the_tip();
    const auto line = scene.liar_line();
    REQUIRE(line);
    CHECK(line->at("offences").as_array().empty());
    scene.expect_honest_unblamed();
    scene.end();
}

TEST_CASE("a bad signature, fast mode: the child's body root shows it") {
    caught({"bad-signature"}, {"invalid_block/body-root", "invalid_block/author-signature"});
}
TEST_CASE("a bad signature, full mode") {
    caught({"bad-signature", "full"}, {"invalid_block/body-root", "invalid_block/author-signature"});
}
TEST_CASE("a bad signature where a range ends, fast mode: the next range's peer is not blamed") {
    caught({"bad-end-signature"}, {"invalid_block/author-signature", "invalid_block/body-root"});
}
TEST_CASE("a bad signature where a range ends, full mode") {
    caught({"bad-end-signature", "full"}, {"invalid_block/author-signature", "invalid_block/body-root"});
}
TEST_CASE("a bad certificate, fast mode") {
    caught({"bad-certificate"}, {"invalid_block/body-root"});
}
TEST_CASE("a wrong body") { caught({"wrong-body"}, {"invalid_block/body-root"}); }
TEST_CASE("a wrong body from an authority: its rank doesn't help it") {
    caught({"wrong-body", "fast", true}, {"invalid_block/body-root"});
}
TEST_CASE("blocks of another fork") {
    caught({"fork"}, {"invalid_block/range.end_mismatch", "invalid_block/parent-link",
                      "invalid_block/range-end"});
}

TEST_CASE("a height that it has not") {
    Scene scene({"false-height"});
    scene.sync_to_the_tip();
    CHECK(scene.lies() > 0);
    const auto line = scene.wait_for_liar(
        [](const json::object& l) { return !l.at("offences").as_array().empty(); });
    INFO(scene.told());
    if (line) {
        CHECK(line->at("offences").as_array()[0].at("reason").as_string() ==
              "claimed_height_never_backed");
        CHECK(line->at("misbehaviour").to_number<double>() > 0);
    }
    const auto status = scene.node().status();
    REQUIRE(status);
    CHECK(status->at("target_height").to_number<std::uint64_t>() == kBlocks);
    scene.expect_honest_unblamed();
    scene.end();
}

TEST_CASE("evidence that is forged or can't be read is refused, and costs who sent it") {
    for (const auto& [lie, rule] : {std::pair("forged-evidence", "evidence-signature"),
                                    std::pair("malformed-evidence", "evidence-shape")}) {
        Scene scene({lie});
        scene.sync_to_the_tip();
        CHECK(scene.lies() > 0);
        const auto line = scene.wait_for_liar(
            [](const json::object& l) { return !l.at("offences").as_array().empty(); });
        INFO(scene.told());
        if (line) {
            CHECK(first_offence(*line) == std::string("invalid_evidence/") + rule);
            CHECK(line->at("misbehaviour").to_number<double>() > 0);
        }
        const auto known = scene.node().ask("evidence.list");
        REQUIRE(known);
        CHECK(known->at("evidence").as_array().empty());
        scene.expect_honest_unblamed();
        scene.end();
    }
}

TEST_CASE("a finality record that is none") {
    Scene scene({"false-record"});
    scene.sync_to_the_tip();
    CHECK(scene.lies() > 0);
    const auto line = scene.wait_for_liar(
        [](const json::object& l) { return !l.at("offences").as_array().empty(); });
    INFO(scene.told());
    if (line) {
        CHECK(first_offence(*line) == "invalid_finality_record/record-shape");
        CHECK(line->at("misbehaviour").to_number<double>() > 0);
    }
    scene.expect_honest_unblamed();
    scene.end();
}

namespace {

//! Silence costs time and never points: put aside or unlinked for a reason that `peers` shows.
void put_aside(const Case& what) {
    Scene scene(what);
    scene.sync_to_the_tip();
    CHECK(scene.lies() > 0);
    std::string reason;
    const auto line = scene.wait_for_liar([&](const json::object& l) {
        reason = std::string(l.at("cool_down").at("reason").as_string());
        return !reason.empty();
    });
    INFO(scene.told());
    if (line) {
        MESSAGE(what.lie << ": " << reason);
        CAPTURE(json::serialize(*line));
        CHECK(line->at("misbehaviour").to_number<double>() == 0);
        CHECK(line->at("banned_until_unix_ms").is_null());
        CHECK(line->at("offences").as_array().empty());
        CHECK(line->at("cool_down").at("times").to_number<int>() > 0);
    }
    const auto peers = scene.node().ask("node.peers");
    REQUIRE(peers);
    for (const auto& peer : peers->as_array()) {
        if (!line || peer.at("identity") != line->at("identity")) {
            CAPTURE(json::serialize(peer));
            CHECK(peer.at("cool_down").at("reason").as_string().empty());
        }
    }
    scene.expect_honest_unblamed();
    scene.end();
}

}  // namespace

TEST_CASE("a peer that never sends a block stalls nothing and is put aside") { put_aside({"stall"}); }
TEST_CASE("a peer that answers nothing at all stalls nothing and is put aside") {
    put_aside({"silent"});
}
TEST_CASE("an authority that never sends a block is put aside and kept") {
    put_aside({"stall", "fast", true});
}

TEST_CASE("a peer that refuses everything as another fork harms nobody") {
    Scene scene({"refuse"});
    scene.sync_to_the_tip();
    CHECK(scene.lies() > 0);
    scene.expect_honest_unblamed();
    scene.end();
}

// The last: the honest three know from here on what authority 3 did.

TEST_CASE("an authority that is convicted loses its link and its tier, whoever brings the evidence") {
    Scene scene({"true-evidence", "fast", true});
    scene.sync_to_the_tip();
    const auto line = scene.wait_for_liar([](const json::object& l) {
        return !l.at("offences").as_array().empty() && !l.at("connected").as_bool();
    });
    INFO(scene.told());
    if (line) {
        CHECK(first_offence(*line) == "equivocation/two_blocks");
        CHECK_FALSE(line->at("banned_until_unix_ms").is_null());
        CHECK(line->at("tier").as_string() == "regular");
    }
    scene.expect_honest_unblamed();
    scene.end();
}

TEST_CASE("true evidence is kept, relayed and shown, and costs who did it, not who brings it") {
    Scene scene({"true-evidence"});
    scene.sync_to_the_tip();
    const auto evidence = [&] {
        const auto known = scene.node().ask("evidence.list");
        return known ? known->at("evidence").as_array() : json::array{};
    };
    const auto end = mono_now() + kNamedTime;
    while (evidence().empty() && mono_now() < end) {
        std::this_thread::sleep_for(kPollPause);
    }
    INFO(scene.told());
    REQUIRE(evidence().size() == 1);
    const auto before = evidence()[0].as_object();
    CHECK(before.at("kind").as_string() == "two_blocks");
    const auto author = std::string(before.at("author").as_string());
    const auto key = app::SecretKey::load(honest().chain.key(3).string());
    REQUIRE(key);
    CHECK(author == to_hex((*key)->public_key().view()));
    // Who is linked to the node, and not to who brought it, knows it too.
    for (const auto& server : honest().servers) {
        const auto told = [&] {
            const auto known = server.ask("evidence.list");
            return known && known->at("evidence").as_array().size() == 1;
        };
        while (!told() && mono_now() < end) {
            std::this_thread::sleep_for(kPollPause);
        }
        CHECK(told());
    }
    const auto line = scene.liar_line();
    REQUIRE(line);
    CHECK(line->at("offences").as_array().empty());  // who brought it did nothing wrong
    scene.expect_honest_unblamed();

    REQUIRE(scene.node().stop() == 0);
    scene.node().start();
    REQUIRE(scene.node().wait_for(kNamedTime, [](const json::value&) { return true; }));
    REQUIRE(!evidence().empty());
    CHECK(evidence()[0].as_object() == before);  // the moment, too: it was kept, not told again
    const auto status = scene.node().status();
    REQUIRE(status);
    CHECK(status->at("federation").at("equivocators").to_number<int>() == 1);

    const auto id = std::string(before.at("id").as_string());
    const auto shown = scene.command("evidence", "show", id.substr(0, 8));
    CHECK(shown.find(id.substr(0, 16)) != std::string::npos);
    CHECK(shown.find(author.substr(0, 16)) != std::string::npos);
    CHECK(scene.command("evidence", "show", "00000000").find("evidence.unknown") != std::string::npos);
    scene.end();
}

TEST_CASE("an authority that signs two blocks for one slot and approves both convicts itself before everybody") {
    Scene scene({"two-blocks", "fast", true, 2});
    scene.sync_to_the_tip();
    const auto line = scene.wait_for_liar([](const json::object& l) {
        return !l.at("offences").as_array().empty() && !l.at("connected").as_bool();
    });
    INFO(scene.told());
    REQUIRE(line);
    CHECK(first_offence(*line).starts_with("equivocation/two_"));
    CHECK_FALSE(line->at("banned_until_unix_ms").is_null());
    const auto knows = [&](const TestNode& node) {
        const auto known = node.ask("evidence.list");
        std::set<std::string> kinds;
        for (const auto& e : known ? known->at("evidence").as_array() : json::array{}) {
            if (e.at("author") == line->at("identity") &&
                e.at("heights").as_array() == json::array{kBlocks + 1, kBlocks + 1}) {
                kinds.emplace(e.at("kind").as_string());
            }
        }
        return kinds == std::set<std::string>{"two_approvals", "two_blocks"};
    };
    CHECK(knows(scene.node()));
    const auto end = mono_now() + kNamedTime;
    for (const auto& server : honest().servers) {
        while (!knows(server) && mono_now() < end) {
            std::this_thread::sleep_for(kPollPause);
        }
        CHECK(knows(server));
    }
    scene.expect_honest_unblamed();
    scene.end();
}
