// SPDX-License-Identifier: Apache-2.0
//! kill -9 in every phase of a node's life: while it starts, finds peers, fetches headers and blocks,
//! commits, makes a checkpoint, catches up and follows. Nothing that it announced is lost, it answers
//! again, and what is stored is sound.

#include <algorithm>
#include <map>

#include "tests/integration/faults/rounds.hpp"
#include "tests/support/stored.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr std::uint64_t kBlocks = 5'000;
constexpr int kVerifyEvery = 25;  //!< kills between two looks at everything that is stored
constexpr Duration kPhaseTime = std::chrono::seconds(8);  //!< the longest wait for a phase
constexpr Duration kWholeSync = std::chrono::seconds(90);

//! In turn; a name of a state waits for that state.
const std::vector<std::string> kPhases = {"start",  "discovering", "downloading_headers", "downloading_blocks",
                                          "commit", "checkpoint",  "catching_up",         "synced"};

//! How far a state is on the way to the tip; -1 for others.
int stage_of(const std::string& state) {
    const std::vector<std::string> way = {"discovering", "downloading_headers", "downloading_blocks", "catching_up",
                                          "synced"};
    const auto at = std::find(way.begin(), way.end(), state);
    return at == way.end() ? -1 : static_cast<int>(at - way.begin());
}

std::uintmax_t log_size(const TestNode& node) {
    std::error_code ignored;
    const auto size = fs::file_size(node.data() / "synod.db-wal", ignored);
    return ignored ? 0 : size;
}

bool makes_checkpoint(const TestNode& node) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(node.data() / "checkpoints", ignored)) {
        if (entry.path().extension() == ".tmp") {
            return true;
        }
    }
    return false;
}

//! One life of the node, from its start to the moment for the kill.
struct Life {
    bool answered = false;
    std::uint64_t first = 0;  //!< the first and the last height that it told
    std::uint64_t last = 0;
    double first_answer_s = 0;
    std::string state = "none";  //!< the last that it told
    bool reached = false;        //!< the phase that was waited for
};

//! It is over within milliseconds, so it is read from the log instead of asked for.
constexpr const char* kHeaders = "downloading_headers";

//! How often the log tells of a move to this state.
std::size_t moves_to(const TestNode& node, const std::string& state) {
    const auto log = node.log();
    const auto move = "-> " + state;
    std::size_t count = 0;
    for (auto at = log.find(move); at != std::string::npos; at = log.find(move, at + 1)) {
        ++count;
    }
    return count;
}

//! The state that the log told last.
bool died_in(const TestNode& node, const std::string& state) {
    const auto log = node.log();
    const auto last = log.rfind("-> ");
    return last != std::string::npos && log.compare(last + 3, state.size(), state) == 0;
}

void ask(const TestNode& node, Life& life, Instant began) {
    const auto now = node.status();
    if (!now) {
        return;
    }
    life.last = now->at("current_height").to_number<std::uint64_t>();
    life.state = std::string(now->at("state").as_string());
    if (!std::exchange(life.answered, true)) {
        life.first = life.last;
        life.first_answer_s = seconds_since(began);
    }
}

Life live(TestNode& node, const std::string& phase, std::mt19937_64& random) {
    Life life;
    const auto began = mono_now();
    if (phase == "start") {
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000));
        life.reached = true;
        return life;
    }
    if (phase == kHeaders) {
        const auto had_moved = moves_to(node, kHeaders);
        while (moves_to(node, kHeaders) == had_moved && mono_now() - began < kPhaseTime && node.running()) {
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3'000));
        return life;
    }
    const bool watched = phase == "commit" || phase == "checkpoint";
    const auto had = log_size(node);
    while (!life.reached && mono_now() - began < kPhaseTime && node.running()) {
        if (!watched || !life.answered) {
            ask(node, life, began);
        }
        life.reached = life.answered && (phase == "commit"       ? log_size(node) != had
                                         : phase == "checkpoint" ? makes_checkpoint(node)
                                                                 : life.state == phase);
        if (stage_of(life.state) > stage_of(watched ? "downloading_blocks" : phase)) {
            break;  // it is past it
        }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(watched ? random() % 3'000 : random() % 25'000));
    return life;
}

void expect_sound(const fs::path& folder, const TestNode& node, const ForgedChain& chain) {
    int code = -1;
    const auto said = verify_chain(folder, node, chain, code);
    INFO(said);
    CHECK(code == 0);
    const auto listed = run_to_end(folder, {"checkpoint", "list", node.manifest().string()});
    INFO(listed.output);
    CHECK(listed.code == 0);
    CHECK(listed.output.find("DAMAGED") == std::string::npos);
}

}  // namespace

TEST_CASE("kill -9 in every phase: nothing that was announced is lost") {
    const TestFolder folder("kills");
    auto random = dice();
    const int kills = rounds(16, 500);
    const auto chain = forge_chain(folder.path(), "forge", kBlocks, {"--txs", "1"});
    const auto servers = start_servers(folder.path(), chain, 2);
    NodeSetup setup;
    setup.folder = folder.path() / "killed";
    setup.genesis = chain.genesis();
    setup.peers = addresses_of(servers);
    setup.sync = "  mode: full\n";  // slower than fast: more moments lie in the middle
    setup.checkpoint = "  interval: 1000\n";
    setup.workers = 1;
    TestNode node(setup);

    Stored before;
    std::map<std::string, int> reached;
    std::vector<double> answers;
    for (int i = 0; i < kills; ++i) {
        const auto& phase = kPhases[static_cast<std::size_t>(i) % kPhases.size()];
        if (before.committed + 3 >= kBlocks && phase != "synced") {
            expect_sound(folder.path(), node, chain);
            fs::remove_all(node.data());  // it has everything: from nothing again
            fs::create_directories(node.data());
            before = {};
        }
        node.start();
        const auto life = live(node, phase, random);
        INFO("kill " << i << " in " << phase << ", stored before " << before.committed << ".." << before.head << "\n"
                     << node.log());
        REQUIRE(node.running());
        node.kill();
        const auto now = stored_by(node, folder.path());
        reached[phase] += (phase == kHeaders ? died_in(node, kHeaders) : life.reached) ? 1 : 0;
        if (life.answered) {
            CHECK(life.first >= before.head);
            answers.push_back(life.first_answer_s);
        }
        CHECK(now.committed >= before.committed);
        CHECK(now.head >= life.last);
        before = now;
        if (i % kVerifyEvery == kVerifyEvery - 1 && now.committed > 0) {
            expect_sound(folder.path(), node, chain);
        }
    }
    std::string where;
    for (const auto& [phase, count] : reached) {
        where += " " + phase + " " + std::to_string(count);
    }
    std::sort(answers.begin(), answers.end());
    REQUIRE_FALSE(answers.empty());
    MESSAGE(kills << " kills; in the phase meant:" << where << "; first answer after a start: median "
                  << answers[answers.size() / 2] << " s, longest " << answers.back() << " s");
    // A phase can be over before it is seen; most are not.
    CHECK(std::count_if(reached.begin(), reached.end(), [](const auto& r) { return r.second > 0; }) >= 5);

    node.start();
    const bool there = node.wait_until_at(kBlocks, kWholeSync);
    INFO(node.log());
    REQUIRE(there);
    CHECK(node.status()->at("head_hash").as_string() == chain.head);
    CHECK(node.stop() == 0);
    expect_sound(folder.path(), node, chain);
}
