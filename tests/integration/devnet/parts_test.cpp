// SPDX-License-Identifier: Apache-2.0
//! The parts of a devnet by themselves: its files, its children, what it reads and draws.

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "core/app/devnet/layout.hpp"
#include "core/app/devnet/process.hpp"
#include "core/app/devnet/watch.hpp"
#include "core/app/node/signer.hpp"
#include "core/host/manifest/manifest.hpp"

namespace fs = std::filesystem;
using namespace synod;
using namespace synod::app::devnet;

namespace {

struct Folder {
    fs::path path = *make_folder({});
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
};

//! What `chain forge` leaves: keys, a genesis, a store. The store's content doesn't matter here.
void forged(const fs::path& dir, int authorities) {
    fs::create_directories(dir / "forge" / "chain");
    for (int i = 0; i < authorities; ++i) {
        const auto key = dir / "forge" / ("authority-" + std::to_string(i) + ".key");
        REQUIRE(app::write_seed(key.string(), Bytes(32, static_cast<std::uint8_t>(i + 1))));
    }
    std::ofstream(dir / "forge" / "genesis.yaml") << "name: test\n";
    std::ofstream(dir / "forge" / "chain" / "synod.db") << "blocks";
}

unsigned mode_of(const fs::path& file) {
    struct stat info {};
    return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 0777u : 0;
}

std::string content(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("every node gets a manifest that the host accepts, with all other authorities as peers") {
    const Folder dir;
    forged(dir.path, 4);
    const auto nodes = lay_out(dir.path, 4, "reference");
    REQUIRE(nodes);
    REQUIRE(nodes->size() == 5);
    std::set<std::uint16_t> ports;
    std::set<std::string> identities;
    for (const auto& node : *nodes) {
        CAPTURE(node.name);
        const auto manifest = host::load_manifest(node.manifest());
        REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().message));
        CHECK(manifest->name == node.name);
        CHECK(manifest->data_dir == node.data());
        CHECK(manifest->genesis == dir.path / "forge" / "genesis.yaml");
        CHECK(manifest->listen == "127.0.0.1:" + std::to_string(node.port));
        CHECK(manifest->authority_key == (node.authority ? node.key() : fs::path()));
        CHECK(manifest->identity_key == (node.authority ? fs::path() : node.key()));
        REQUIRE(manifest->peers.size() == (node.authority ? 3u : 4u));
        for (const auto& peer : manifest->peers) {
            CHECK(peer.identity.has_value());
            CHECK(peer.identity != node.identity);
        }
        CHECK(std::ranges::any_of(manifest->plugins, [](const auto& use) {
            return use.kind == "validation" && use.use == "reference";
        }));
        CHECK(mode_of(node.key()) == 0600);
        ports.insert(node.port);
        identities.insert(to_hex(node.identity.view()));
    }
    CHECK(ports.size() == 5);
    CHECK(identities.size() == 5);
    CHECK(content((*nodes)[2].data() / "synod.db") == "blocks");
    CHECK(fs::is_empty((*nodes)[4].data()));
}

TEST_CASE("a forged chain without a key is refused by the key's name") {
    const Folder dir;
    forged(dir.path, 1);
    const auto nodes = lay_out(dir.path, 2, "simd");
    REQUIRE_FALSE(nodes);
    CHECK(nodes.error().code == "key.missing");
    CHECK(nodes.error().text().find("authority-1.key") != std::string::npos);
}

TEST_CASE("a child's exit code, output and death by a signal are told apart") {
    const Folder dir;
    auto ends = Process::start("ends", {"/bin/sh", "-c", "echo said; exit 7"}, dir.path / "a");
    REQUIRE(ends);
    REQUIRE(ends->wait(std::chrono::seconds(30)));
    CHECK(ends->exit_code() == 7);
    CHECK(ends->log_tail() == "said\n");

    auto sleeps = Process::start("sleeps", {"/bin/sleep", "600"}, dir.path / "b");
    REQUIRE(sleeps);
    CHECK(sleeps->running());
    CHECK_FALSE(sleeps->exit_code());
    sleeps->terminate();
    sleeps->finish();
    CHECK(sleeps->exit_code() == 128 + SIGTERM);

    auto missing = Process::start("missing", {"/no/such/program"}, dir.path / "c");
    REQUIRE(missing);
    REQUIRE(missing->wait(std::chrono::seconds(30)));
    CHECK(missing->exit_code() == 127);
}

TEST_CASE("no child outlives its Process") {
    const Folder dir;
    pid_t pid = -1;
    {
        auto child = Process::start("child", {"/bin/sleep", "600"}, dir.path / "log");
        REQUIRE(child);
        auto moved = std::move(*child);
        pid = moved.pid();
        CHECK(::kill(pid, 0) == 0);
    }
    CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("a status is read, and what is none is refused") {
    const auto view = read_view(R"({"state":"Synced","current_height":12,"target_height":null,
        "percentage":0.5,"blocks_per_second":1234.5,"eta_seconds":[2,4.4],"peers":1,"can_produce":false,
        "gate":[{"name":"a","met":true},{"name":"b","met":false},{"name":"c","met":false}],
        "committed_height":9,"head_hash":"ab","stalled":null})");
    REQUIRE(view);
    CHECK(view->height == 12);
    CHECK_FALSE(view->target);
    CHECK(view->missing == "b, c");
    CHECK(view->committed == 9);
    CHECK_FALSE(view->stalled);
    CHECK(bar(*view) ==
          "[###############---------------]  50.00 %  Synced  12/?  1,234 blocks/s  ETA 2-4 s  1 "
          "peer  "
          "gate shut");
    for (const char* bad : {"", "[]", "{}", "nonsense", R"({"state":"Synced","head_hash":"ab"})",
                            R"({"state":"Synced","head_hash":"ab","current_height":-1})",
                            R"({"state":1,"head_hash":"ab","current_height":1})"}) {
        CAPTURE(bad);
        const auto refused = read_view(bad);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == "devnet.bad_status");
    }
}

TEST_CASE("the bar names a stall and stays within its cells whatever a node claims") {
    View view;
    view.state = "DownloadingBlocks";
    view.percentage = 1e300;
    view.target = 10;
    view.stalled = "no peers";
    CHECK(bar(view) ==
          "[##############################] 100.00 %  DownloadingBlocks  0/10  "
          "stalled: no peers");
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1'000) == "1,000");
    CHECK(grouped(12'345'678) == "12,345,678");
}
