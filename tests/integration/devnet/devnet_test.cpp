// SPDX-License-Identifier: Apache-2.0
//! A federation of four and a fresh node as real processes: the node syncs, its gate opens, live
//! blocks arrive, all agree, everything stops cleanly.

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

struct Ran {
    int code = -1;
    std::string out;
};

Ran run(const std::string& arguments) {
    const std::string command = "'" SYNOD_BINARY_DIR "/bin/synod' " + arguments;
    Ran ran;
    auto* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> part{};
    while (const auto n = std::fread(part.data(), 1, part.size(), pipe)) {
        ran.out.append(part.data(), n);
    }
    const int state = ::pclose(pipe);
    ran.code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return ran;
}

}  // namespace

TEST_CASE("a fresh node syncs from a devnet of four, may produce and sees live blocks") {
    constexpr std::uint64_t kBlocks = 2'000, kLive = 2;
    const auto ran =
        run("devnet --authorities 4 --blocks 2000 --txs 1 --live 2 --timeout 200 --json");
    CAPTURE(ran.out);
    REQUIRE(ran.code == 0);
    const auto summary = json::parse(ran.out).as_object();
    CHECK(summary.at("ok").as_bool());
    CHECK(summary.at("error").is_null());
    CHECK(summary.at("gate_open").as_bool());
    CHECK(summary.at("heads_agree").as_bool());
    CHECK(summary.at("live_blocks").to_number<std::uint64_t>() >= kLive);
    CHECK(summary.at("agreed_height").to_number<std::uint64_t>() >= kBlocks + kLive);
    CHECK(summary.at("agreed_hash").as_string().size() == 64);
    CHECK(summary.at("sync").at("start_to_height_seconds").to_number<double>() > 0);
    const auto& nodes = summary.at("nodes").as_array();
    REQUIRE(nodes.size() == 5);
    for (const auto& node : nodes) {
        CAPTURE(json::serialize(node));
        CHECK(node.at("exit_code").to_number<int>() == 0);
        const auto& status = node.at("status").as_object();
        CHECK(status.at("current_height").to_number<std::uint64_t>() >= kBlocks + kLive);
        // Whoever stops well takes back the file by which commands find it.
        const fs::path folder(std::string(node.at("folder").as_string()));
        CHECK(fs::exists(folder / "data" / "synod.db"));
        CHECK_FALSE(fs::exists(folder / "data" / "control.json"));
    }
    // The fresh node began with nothing and is no authority.
    CHECK(nodes[4].at("name").as_string() == "fresh");
    CHECK(nodes[4].at("status").at("can_produce").as_bool());
    CHECK(nodes[4].at("status").at("last_checkpoint").at("verified").as_string() == "full");
    CHECK_FALSE(nodes[4].at("status").at("federation").at("is_authority").as_bool());
    CHECK(nodes[0].at("status").at("federation").at("is_authority").as_bool());
    fs::remove_all(fs::path(std::string(summary.at("dir").as_string())));
}

TEST_CASE("devnet refuses a folder that isn't empty, as a usage error, and starts nothing") {
    const auto dir =
        fs::temp_directory_path() / ("synod-devnet-test-" + std::to_string(::getpid()));
    fs::create_directories(dir / "something");
    const auto ran = run("devnet --blocks 10 --json --dir '" + dir.string() + "' 2>/dev/null");
    CHECK(ran.code == 2);
    const auto summary = json::parse(ran.out).as_object();
    CHECK_FALSE(summary.at("ok").as_bool());
    CHECK(summary.at("error").at("code").as_string() == "devnet.folder");
    CHECK(summary.at("nodes").as_array().empty());
    CHECK(std::distance(fs::directory_iterator(dir), fs::directory_iterator{}) == 1);
    fs::remove_all(dir);
}

TEST_CASE("a federation that can't start ends with its reason, and nothing keeps running") {
    const auto ran =
        run("devnet --authorities 1 --blocks 5 --validation no-such-plugin --json 2>/dev/null");
    CHECK(ran.code == 1);
    const auto summary = json::parse(ran.out).as_object();
    CHECK(summary.at("error").at("code").as_string() == "devnet.ended");
    CHECK(summary.at("error").at("message").as_string().find("no-such-plugin") !=
          json::string::npos);
    for (const auto& node : summary.at("nodes").as_array()) {
        CHECK(node.at("exit_code").is_int64());
    }
    fs::remove_all(fs::path(std::string(summary.at("dir").as_string())));
}
