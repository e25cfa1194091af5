// SPDX-License-Identifier: Apache-2.0
//! Events reach everybody before a block carries them: while nothing is produced, whoever comes later or was killed.

#include "tests/integration/governance/operators.hpp"

namespace {

using namespace synod;
using namespace synod::testing;

constexpr Duration kStreams = std::chrono::seconds(30);

bool knows(const json::value& status, std::uint64_t events, std::uint64_t carried) {
    const auto& g = status.at("governance");
    return number_at(g, "known") == events && number_at(g, "sequence") == carried;
}

}  // namespace

TEST_CASE("events are streamed before they are in a block, and survive a kill") {
    TestFolder folder("governance-stream");
    Federation federation(folder.path(), {});
    // Two of four can't produce.
    federation[0].start();
    federation[1].start();
    REQUIRE(federation[0].wait_until_up());
    REQUIRE(federation[1].wait_until_up());
    for (const std::uint64_t i : {0, 1, 2}) {
        govern(folder.path(), federation, i % 2, 60 + i,
               {"parameter", "--parameter", "max_blocks_without_pow", "--value", std::to_string(5'000 + i)});
        for (const std::size_t node : {0, 1}) {
            CHECK_MESSAGE(federation[node].wait_for(kStreams, [&](const json::value& s) { return knows(s, i + 1, 0); }),
                          federation[node].log());
        }
    }
    // Who comes later asks for what it hears of.
    auto late = federation.stranger("late");
    late.start();
    CHECK_MESSAGE(late.wait_for(kStreams, [](const json::value& s) { return knows(s, 3, 0); }), late.log());
    federation[0].kill();
    federation[1].kill();
    federation[0].start();
    CHECK(federation[0].wait_for(kStreams, [](const json::value& s) { return knows(s, 3, 0); }));
    federation[1].start();
    federation[2].start();
    federation[3].start();
    for (std::size_t i = 0; i < federation.size(); ++i) {
        CHECK_MESSAGE(federation[i].wait_for(kStreams, [](const json::value& s) { return knows(s, 3, 3); }),
                      federation[i].log());
    }
    CHECK(late.wait_for(kStreams, [](const json::value& s) { return knows(s, 3, 3); }));
    const auto status = run_to_end(folder.path(), {"governance", "status", federation[2].manifest().string()});
    CHECK(status.code == 0);
    CHECK(status.output.find("carried        event 3: parameter parameter max_blocks_without_pow value 5002") !=
          std::string::npos);
}

TEST_CASE("what isn't signed by enough authorities, or comes twice, is refused by its name") {
    TestFolder folder("governance-refused");
    Federation federation(folder.path(), {});
    federation[0].start();
    REQUIRE(federation[0].wait_until_up());
    const auto manifest = federation[0].manifest().string();
    const auto file = (folder.path() / "halt.json").string();
    const auto run = [&](std::vector<std::string> arguments) { return run_to_end(folder.path(), std::move(arguments)); };
    REQUIRE(run({"governance", "propose", manifest, "halt", "--at", "50", "--out", file}).code == 0);
    const auto sign = [&](std::uint32_t i) {
        REQUIRE(run({"governance", "sign", file, "--key", federation.key(i).string()}).code == 0);
    };
    sign(0);
    sign(1);
    const auto few = run({"governance", "submit", manifest, file});
    CHECK(few.code == 1);
    CHECK(few.output.find("governance.event_approvals") != std::string::npos);
    sign(2);
    CHECK(run({"governance", "submit", manifest, file}).code == 0);
    const auto twice = run({"governance", "submit", manifest, file});
    CHECK(twice.code == 1);
    CHECK(twice.output.find("governance.event_sequence") != std::string::npos);
    // What the file says beside its bytes is for people: a lie in it changes nothing.
    auto text = text_of(file);
    text.replace(text.find("\"halt\""), 6, "\"resume\"");
    std::ofstream(file) << text;
    const auto shown = run({"governance", "sign", file, "--key", federation.key(3).string()});
    CHECK(shown.output.find("event 1: halt") == 0);
}
