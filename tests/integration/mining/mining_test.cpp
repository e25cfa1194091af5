// SPDX-License-Identifier: Apache-2.0
//! Merged mining over real processes: without proofs a federation warns and halts, a proof makes it go on,
//! and each thing that is wrong with a proof is refused by its own code.

#include "tests/support/federation.hpp"
#include "tools/miner/rpc.hpp"
#include "tools/miner/work.hpp"

using namespace synod;
using namespace synod::testing;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t kMost = 10;  // blocks without proof of work
constexpr const char* kPayout = "00112233445566778899aabbccddeeff00112233";

std::string stage_of(const json::value& status) { return std::string(status.at("mining").at("stage").as_string()); }

//! The mining door of a node, which chose its port.
miner::Node door_of(TestNode& node) {
    miner::Node out;
    REQUIRE(node.wait_for(kStartTime, [&](const json::value& now) {
        const auto& port = now.at("mining").at("port");
        out.port = port.is_number() ? port.to_number<std::uint16_t>() : 0;
        return out.port != 0;
    }));
    out.password = text_of(node.data() / "mining.token");
    out.password.erase(out.password.find_last_not_of('\n') + 1);
    return out;
}

struct Given {
    std::string hash;
    miner::Work work;
};

Given work_from(const miner::Node& door, const char* payout = kPayout) {
    const auto answer = miner::call(door, "createauxblock", {payout});
    INFO(answer.problem);
    REQUIRE(answer.result.is_object());
    const auto& object = answer.result.as_object();
    CHECK(object.at("coinbasevalue").to_number<int>() == 0);
    CHECK(object.at("bits").as_string().size() == 8);
    CHECK(object.at("previousblockhash").as_string().size() == 64);
    Given out{std::string(object.at("hash").as_string()), {}};
    const auto work = miner::read_work(out.hash, std::string(object.at("_target").as_string()),
                                       object.at("chainid").to_number<std::uint32_t>());
    REQUIRE(work);
    out.work = *work;
    return out;
}

struct Proofs {
    std::string good;
    std::string weak;  //!< the nonce before: its hash is above the target
};

//! Fresh coinbases until one is solved by another nonce than its first.
Proofs solve(const miner::Work& work) {
    for (std::uint32_t extra = 1;; ++extra) {
        miner::Parent parent(work, 1'700'000'000, extra);
        auto before = parent.proof();
        for (std::uint32_t nonce = 0; !parent.grind(1); ++nonce) {
            before = parent.proof();
            REQUIRE(nonce < 1'000'000);
        }
        if (before.substr(before.size() - 8) == parent.proof().substr(before.size() - 8)) {
            continue;
        }
        return {parent.proof(), before};
    }
}

//! `digits` in place of as many hex digits that end `from_end` digits before the end.
std::string with(std::string hex, std::size_t from_end, const std::string& digits) {
    return hex.replace(hex.size() - from_end - digits.size(), digits.size(), digits);
}

std::string submit(const miner::Node& door, const std::string& hash, const std::string& proof) {
    const auto answer = miner::call(door, "submitauxblock", {hash, proof});
    if (answer.result.is_bool() && answer.result.as_bool()) {
        return "accepted";
    }
    return answer.code.empty() ? answer.problem : answer.code;
}

void refuse_each(const miner::Node& door, const Given& given, const Proofs& proofs) {
    constexpr std::size_t kHeader = 160;  // hex digits of the parent's header, which ends the proof
    CHECK(submit(door, std::string(64, '0'), proofs.good) == "mining.unknown_work");
    CHECK(submit(door, "12", proofs.good) == "control.invalid_params");
    CHECK(submit(door, given.hash, "nonsense") == "mining.record_shape");
    CHECK(submit(door, given.hash, proofs.good.substr(2)) == "mining.record_shape");
    CHECK(submit(door, given.hash, proofs.good + "00") == "mining.record_shape");
    // The parent's version says that it is of our own chain, which has the id 1.
    CHECK(submit(door, given.hash, with(proofs.good, kHeader - 8, "00000100")) == "mining.record_parent_chain");
    CHECK(submit(door, given.hash, with(proofs.good, kHeader, "01000000")) == "mining.record_index");
    CHECK(submit(door, given.hash, with(proofs.good, kHeader - 8 - 64 - 2, "ab")) == "mining.record_proof");
    CHECK(submit(door, given.hash, proofs.weak) == "mining.record_target");
    const auto other = work_from(door, "ffffffffffffffffffffffffffffffffffffffff");
    CHECK(submit(door, other.hash, proofs.good) == "mining.record_proof");
    auto stranger = door;
    stranger.password = std::string(64, '0');
    CHECK(submit(stranger, given.hash, proofs.good) == "control.unauthorized");
    CHECK(miner::call(door, "createauxblock", {"abc"}).code == "control.invalid_params");
    CHECK(miner::call(door, "node.stop", {}).code == "control.method_not_found");
}

void wait_for_halt(Federation& federation, std::uint64_t height) {
    for (const char* stage : {"warning", "critical", "halted"}) {
        CAPTURE(stage);
        const bool reached =
            federation[1].wait_for(seconds(60), [&](const json::value& now) { return stage_of(now) == stage; });
        INFO(federation.logs());
        REQUIRE(reached);
    }
    const auto now = federation[1].status();
    REQUIRE(now);
    CHECK(number_at(*now, "current_height") == height);
    // The gate says why nothing is produced.
    REQUIRE(federation[1].wait_for(seconds(20), [](const json::value& status) {
        const auto& gate = status.at("gate").as_array();
        return !status.at("can_produce").as_bool() && std::ranges::any_of(gate, [](const json::value& c) {
            return c.at("name").as_string() == "proof_of_work" && !c.at("met").as_bool();
        });
    }));
}

//! With `mining` as its one trigger, as the command tells it too.
bool alarmed(const json::value& status) {
    const auto& emergency = status.at("emergency").as_object();
    const auto& triggers = emergency.at("triggers").as_array();
    return emergency.at("active").as_bool() && triggers.size() == 1 && triggers[0].at("trigger") == "mining";
}

void expect_alarm(const TestFolder& folder, TestNode& node) {
    REQUIRE_MESSAGE(node.wait_for(seconds(10), alarmed), node.log());
    const auto said = run_to_end(folder.path(), {"emergency", "status", node.manifest().string()});
    CHECK(said.code == 0);
    CHECK(said.output.find("emergency\n  mining        production waits for a proof of work\n") == 0);
}

//! Nobody but the proof says that it is over.
void expect_all_clear(TestNode& node) {
    const bool over = node.wait_for(seconds(20), [](const json::value& now) {
        return !now.at("emergency").at("active").as_bool() && now.at("can_produce").as_bool();
    });
    CHECK_MESSAGE(over, node.log());
}

}  // namespace

TEST_CASE("a federation without proofs warns and halts; a proof, and then a miner, makes it go on") {
    const TestFolder folder("mining");
    FederationFacts facts;
    facts.max_without_pow = kMost;
    facts.first_more = "mining:\n  listen: \"127.0.0.1:0\"\n";
    Federation federation(folder.path(), facts);
    federation.start();
    wait_for_halt(federation, kMost);
    expect_alarm(folder, federation[1]);

    // Work outlives the node that gave it, killed.
    auto door = door_of(federation[0]);
    const auto given = work_from(door);
    const auto proofs = solve(given.work);
    refuse_each(door, given, proofs);
    federation[0].kill();
    federation[0].start();
    door = door_of(federation[0]);
    std::string taken;
    REQUIRE(federation[0].wait_for(seconds(30), [&](const json::value&) {
        taken = submit(door, given.hash, proofs.good);
        return taken == "accepted";
    }));
    CHECK(submit(door, given.hash, proofs.good) == "mining.duplicate");
    const bool resumed = federation[1].wait_until_at(kMost + 2, seconds(60));
    INFO(federation.logs());
    REQUIRE(resumed);
    CHECK(federation[1].log().find("mining halted") != std::string::npos);
    expect_all_clear(federation[1]);

    // Nobody mines: it halts again. What was given before is stale by now.
    const auto first = federation[0].status();
    REQUIRE(first);
    const auto final_height = number_at(*first, "final_height");
    CHECK(final_height > 0);
    wait_for_halt(federation, final_height + kMost);
    expect_alarm(folder, federation[2]);
    CHECK(federation[0].status()->at("mining").at("accepted").to_number<int>() == 1);
    const auto late = work_from(door);
    CHECK(late.hash != given.hash);

    auto worker = Process::start("miner",
                                 {SYNOD_BINARY_DIR "/bin/synod-miner", "--port", std::to_string(door.port),
                                  "--token-file", (federation[0].data() / "mining.token").string(), "--refresh", "2"},
                                 folder.path() / "miner.txt");
    REQUIRE(worker);
    const bool mined = federation[2].wait_for(seconds(90), [&](const json::value& now) {
        return number_at(now, "final_height") > final_height + kMost && stage_of(now) == "fine";
    });
    INFO(text_of(folder.path() / "miner.txt"));
    INFO(federation.logs());
    REQUIRE(mined);
    expect_all_clear(federation[2]);
    CHECK(submit(door, late.hash, solve(late.work).good) == "mining.stale");

    // A new node learns all of it from the others.
    auto fresh = federation.stranger("fresh");
    fresh.start();
    bool agreed = false;
    const auto end = mono_now() + seconds(60);
    while (!agreed && mono_now() < end) {
        std::vector<std::uint64_t> finals;
        for (std::size_t i = 0; i < federation.size(); ++i) {
            if (const auto now = federation[i].status()) {
                finals.push_back(number_at(*now, "final_height"));
            }
        }
        const auto now = fresh.status();
        agreed = now && finals.size() == federation.size() && finals[0] > final_height + kMost &&
                 std::ranges::all_of(finals, [&](auto f) { return f == number_at(*now, "final_height"); });
    }
    INFO(fresh.log());
    CHECK(agreed);
    worker->terminate();
    worker->finish();
    CHECK(worker->exit_code() == 0);
    CHECK(text_of(folder.path() / "miner.txt").find("accepted") != std::string::npos);
    CHECK(fresh.stop() == 0);
    for (std::size_t i = 0; i < federation.size(); ++i) {
        CHECK(federation[i].stop() == 0);
    }
}
