// SPDX-License-Identifier: Apache-2.0
//! `synod chain forge` and `synod chain verify` through the real program.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/integration/chain/program.hpp"

namespace {

using namespace synod::testing;

//! Blocks that every test forges: more than one finality record, fewer than one store batch.
constexpr const char* kSize = " --blocks 100 --authorities 4 --txs 2 --record-every 30";

std::string forge(const std::string& dir, const std::string& more) {
    const auto ran = run("chain forge --out " + dir + kSize + " " + more);
    INFO(ran.output);
    REQUIRE(ran.code == 0);
    const auto line = line_of(ran.output, "head ");
    REQUIRE(line.size() == std::string("head ").size() + 64 + std::string(" height 100").size());
    return line;
}

//! Where the blocks lie: the pack is by far the largest thing in the file.
std::size_t inside_a_pack(std::size_t file_bytes) { return file_bytes / 2; }

}  // namespace

TEST_CASE("the same arguments forge the same chain, with either backend") {
    const Folder folder;
    const auto first = forge(folder / "a", "--seed 7");
    CHECK(forge(folder / "b", "--seed 7") == first);
    CHECK(forge(folder / "c", "--seed 7 --validation reference") == first);
    CHECK(read_file(folder / "a/genesis.yaml") == read_file(folder / "b/genesis.yaml"));
    CHECK(read_file(folder / "a/authority-3.key") == read_file(folder / "b/authority-3.key"));
    CHECK(forge(folder / "d", "--seed 8") != first);
    CHECK(forge(folder / "e", "--seed 7 --tx-bytes 101") != first);
}

TEST_CASE("keys are private files and nothing is overwritten") {
    const Folder folder;
    forge(folder / "a", "");
    struct stat info {};
    REQUIRE(::stat((folder / "a/authority-0.key").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(read_file(folder / "a/authority-0.key").size() == 65);
    const auto before = read_file(folder / "a/authority-0.key");
    const auto again = run("chain forge --out " + (folder / "a") + kSize + " --seed 9");
    CHECK(again.code == 1);
    CHECK(again.output.find("forge.exists") != std::string::npos);
    CHECK(read_file(folder / "a/authority-0.key") == before);
}

TEST_CASE("wrong arguments are usage errors and leave nothing") {
    const Folder folder;
    CHECK(run("chain forge --out " + (folder / "a") + " --blocks 0").code == 2);
    CHECK(run("chain forge --out " + (folder / "a") + " --blocks 5 --authorities 65").code == 2);
    CHECK(run("chain forge --out " + (folder / "a") + " --blocks 5 --txs 100000 --tx-bytes 1000").code == 2);
    CHECK(run("chain forge --blocks 5").code == 2);
    CHECK_FALSE(std::filesystem::exists(folder / "a"));
}

TEST_CASE("a forged chain verifies, fully and fast, with either backend") {
    const Folder folder;
    const auto head = forge(folder / "a", "").substr(5, 64);
    for (const char* how : {"", "--level fast", "--validation reference"}) {
        const auto ran = run("chain verify " + (folder / "a/chain") + " " + how);
        INFO(ran.output);
        CHECK(ran.code == 0);
        CHECK(ran.output.find("sound: head " + head + " height 100 certified") != std::string::npos);
    }
    // A short chain has no committed block above genesis.
    REQUIRE(run("chain forge --blocks 2 --authorities 1 --out " + (folder / "short")).code == 0);
    CHECK(run("chain verify " + (folder / "short/chain")).code == 0);
}

TEST_CASE("another genesis is not this chain's") {
    const Folder folder;
    forge(folder / "a", "");
    forge(folder / "b", "--seed 2");
    const auto ran =
        run("chain verify " + (folder / "a/chain") + " --genesis " + (folder / "b/genesis.yaml"));
    CHECK(ran.code == 1);
    CHECK(ran.output.find("store.wrong_network") != std::string::npos);
}

TEST_CASE("a flipped byte is found and named") {
    const Folder folder;
    const std::string size = " --blocks 100 --txs 10 --tx-bytes 2000";
    REQUIRE(run("chain forge --out " + (folder / "a") + size).code == 0);
    const auto file = folder / "a/chain/synod.db";
    const auto whole = read_file(file);
    REQUIRE(whole.size() > 2'000'000);  // nearly all of it is blocks
    int named = 0;
    for (const int part : {2, 3, 4}) {
        auto damaged = whole;
        const auto at = inside_a_pack(damaged.size()) + damaged.size() / 10 * static_cast<std::size_t>(part - 3);
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        write_file(file, damaged);
        const auto ran = run("chain verify " + (folder / "a/chain"));
        INFO("byte " << at << ": " << ran.output);
        CHECK(ran.code == 1);
        named += line_of(ran.output, "FAILED ").empty() ? 0 : 1;
    }
    CHECK(named == 3);
    write_file(file, whole);
    CHECK(run("chain verify " + (folder / "a/chain")).code == 0);
}
