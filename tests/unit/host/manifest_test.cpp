// SPDX-License-Identifier: Apache-2.0
//! The manifest: exact place, caret and advice of each refusal; defaults; the shipped files.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "core/host/manifest/manifest.hpp"

using namespace synod;
using namespace synod::host;

namespace {

constexpr const char* kNode = "node:\n  name: node\n  data_dir: d\n  genesis: g.yaml\n";

//! The refusal's whole text.
std::string refused(const std::string& text) {
    auto manifest = parse_manifest(text, "n.yaml");
    REQUIRE_MESSAGE(!manifest, text);
    return manifest.error().message;
}

bool begins(const std::string& text, const std::string& start) {
    return text.starts_with(start);
}

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("each mistake is shown at its line and column") {
    CHECK(begins(refused(std::string(kNode) + "sync:\n  batch_sise: 64\n"),
                 "n.yaml:6:3: error[config.unknown_key]: `sync.batch_sise` is not a known key\n"
                 "      batch_sise: 64\n      ^\n    help: did you mean `batch_size`?"));
    CHECK(begins(refused(std::string(kNode) + "sync:\n  batch_size: 64\n  batch_size: 65\n"),
                 "n.yaml:7:3: error[config.duplicate_key]: "));
    CHECK(begins(refused(std::string(kNode) + "sync:\n  batch_size: many\n"),
                 "n.yaml:6:15: error[config.type]: `sync.batch_size` must be a whole number\n"
                 "      batch_size: many\n                  ^\n"));
    CHECK(begins(refused(std::string(kNode) + "sync:\n  batch_size: 8\n"),
                 "n.yaml:6:15: error[config.range]: `sync.batch_size` is out of range: 8\n"
                 "      batch_size: 8\n                  ^\n    help: at least 16, at most 4096\n"));
    CHECK(begins(refused(std::string(kNode) + "sync:\n  mode: fastt\n"),
                 "n.yaml:6:9: error[config.option]: `sync.mode` can't be `fastt`\n"
                 "      mode: fastt\n            ^\n    help: did you mean `fast`?"));
    CHECK(begins(refused("node:\n  name: node\n  data_dir: d\n"),
                 "n.yaml:2:3: error[config.missing_key]: `node.genesis` is missing\n"));
    CHECK(begins(refused(std::string(kNode) + "federation:\n  consensus_timeout: 10\n"),
                 "n.yaml:6:22: error[config.type]: `federation.consensus_timeout` must be a duration"));
    CHECK(begins(refused("just text\n"), "n.yaml:1:1: error[config.type]: the file must be a map of keys"));
    CHECK(begins(refused(""), "n.yaml:1:1: error[config."));
}

TEST_CASE("several mistakes are reported at once") {
    const auto text = refused(std::string(kNode) + "sync:\n  mode: x\n  batch_size: 1\nlogs: {}\n");
    CHECK(text.find("n.yaml:6:9:") != std::string::npos);
    CHECK(text.find("n.yaml:7:15:") != std::string::npos);
    CHECK(text.find("n.yaml:8:1:") != std::string::npos);
    CHECK(text.find("did you mean `log`?") != std::string::npos);
}

TEST_CASE("a peer's identity must be a key, and the place is the value's") {
    const auto peer = [](const std::string& identity) {
        return std::string(kNode) + "network:\n  peers:\n    - {address: \"h:1\", identity: \"" + identity + "\"}\n";
    };
    CHECK(begins(refused(peer("abc")), "n.yaml:7:34: error[config.key]: `network.peers[0].identity` is not a public key"));
    auto good = parse_manifest(peer(std::string(64, 'a')), "n.yaml");
    REQUIRE(good);
    CHECK(good->peers.at(0).identity.has_value());
}

TEST_CASE("miners are a list of keys, and the place of a bad one is the value's") {
    const auto miners = [](const std::string& list) {
        return std::string(kNode) + "network:\n  miners: " + list + "\n";
    };
    const std::string a(64, 'a'), b(64, 'b');
    auto good = parse_manifest(miners("[\"" + a + "\", \"" + b + "\"]"), "n.yaml");
    REQUIRE_MESSAGE(good, (good ? "" : good.error().message));
    REQUIRE(good->miners.size() == 2);
    CHECK(to_hex(good->miners[0].view()) == a);
    CHECK(to_hex(good->miners[1].view()) == b);
    CHECK(begins(refused(miners("[\"" + a + "\", \"" + a.substr(1) + "\"]")),
                 "n.yaml:6:80: error[config.key]: `network.miners[1]` is not a public key"));
    CHECK(begins(refused(miners("\"" + a + "\"")), "n.yaml:6:11: error[config.type]"));
    auto none = parse_manifest(kNode, "n.yaml");
    REQUIRE(none);
    CHECK(none->miners.empty());
}

TEST_CASE("a plugin is a name or a map") {
    auto m = parse_manifest(std::string(kNode) +
        "plugins:\n  validation: reference\n  scoring: {use: ./mine.so, as: rank, config: {a: 1}, budget: 5ms,"
        " on_failure: continue}\n", "/etc/node/n.yaml");
    REQUIRE_MESSAGE(m, (m ? "" : m.error().message));
    REQUIRE(m->plugins.size() == 5);
    for (const auto& use : m->plugins) {
        if (use.kind == "validation") {
            CHECK(use.use == "reference");
            CHECK(use.alias == "validation");
            CHECK(use.required);
        } else if (use.kind == "scoring") {
            CHECK(use.alias == "rank");
            CHECK(use.file == "/etc/node/mine.so");
            CHECK(use.config == R"({"a":1})");
            CHECK(use.budget == std::chrono::milliseconds(5));
            CHECK(!use.required);
        } else if (use.kind == "consensus") {
            CHECK(use.use == "federation");
        }
    }
    CHECK(begins(refused(std::string(kNode) + "plugins:\n  scoring: {as: x}\n"), "n.yaml:6:12: error[config.missing_key]"));
    CHECK(begins(refused(std::string(kNode) + "plugins:\n  scoring: [a]\n"), "n.yaml:6:12: error[config.type]"));
    CHECK(begins(refused(std::string(kNode) + "plugins:\n  scoring: 7\n"), "n.yaml:6:12: error[config.type]"));
}

TEST_CASE("performance.simd reaches the backends that have more than plain registers unless their own config decides") {
    const auto config = [](const std::string& rest) {
        auto m = parse_manifest(std::string(kNode) + rest, "n.yaml");
        REQUIRE_MESSAGE(m, (m ? "" : m.error().message));
        for (const auto& use : m->plugins) {
            if (use.kind == "validation") {
                return use.config;
            }
        }
        return std::string("none");
    };
    CHECK(config("") == "{}");
    CHECK(parse_manifest(kNode, "n.yaml")->json.at("plugins").at("validation") == kDefaultBackend);
    CHECK(config("performance: {simd: false}\n") == R"({"isa":"portable"})");
    CHECK(config("performance: {simd: false}\nplugins: {validation: {use: batch, config: {isa: avx2}}}\n") ==
          R"({"isa":"avx2"})");
    CHECK(config("performance: {simd: false}\nplugins: {validation: simd}\n") == R"({"simd":false})");
    CHECK(config("performance: {simd: false}\nplugins: {validation: reference}\n") == "{}");
    CHECK(config("performance: {simd: false}\nplugins: {validation: {use: simd, config: {simd: true}}}\n") ==
          R"({"simd":true})");
}

TEST_CASE("checkpoint.compression reaches the binary format unless its own config decides") {
    const auto config = [](const std::string& rest) {
        auto m = parse_manifest(std::string(kNode) + rest, "n.yaml");
        REQUIRE_MESSAGE(m, (m ? "" : m.error().message));
        for (const auto& use : m->plugins) {
            if (use.kind == "checkpoint") {
                return use.config;
            }
        }
        return std::string("none");
    };
    CHECK(config("") == "{}");
    CHECK(config("checkpoint: {compression: false}\n") == R"({"compression":false})");
    CHECK(config("checkpoint: {compression: false}\nplugins: {checkpoint: other}\n") == "{}");
    CHECK(config("checkpoint: {compression: false}\n"
                 "plugins: {checkpoint: {use: binary, config: {compression: true}}}\n") ==
          R"({"compression":true})");
}

TEST_CASE("paths start at the manifest's folder, defaults are filled in") {
    auto m = parse_manifest(kNode, "/etc/node/n.yaml");
    REQUIRE(m);
    CHECK(m->genesis == "/etc/node/g.yaml");
    CHECK(m->data_dir == "/etc/node/d");
    CHECK(m->identity_key.empty());
    CHECK(m->checkpoint_dir.empty());
    CHECK(m->integer("checkpoint", "interval") == 1'000);
    CHECK(m->text("checkpoint", "verification") == "full");
    CHECK(m->integer("sync", "batch_size") == 128);
    CHECK(m->duration("federation", "consensus_timeout") == std::chrono::seconds(10));
    CHECK(m->ratio("sync", "production_threshold") == doctest::Approx(0.995));
}

TEST_CASE("every shipped manifest is valid and names files that are there") {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(SYNOD_SOURCE_DIR "/configs")) {
        if (entry.path().extension() != ".yaml") {
            continue;
        }
        ++count;
        CAPTURE(entry.path().string());
        CHECK(read(entry.path()).starts_with("# For "));
        auto m = load_manifest(entry.path());
        REQUIRE_MESSAGE(m, (m ? "" : m.error().message));
        CHECK(std::filesystem::exists(m->genesis));
        CHECK(m->data_dir.string().find("/data/") != std::string::npos);
    }
    CHECK(count == 5);
}

TEST_CASE("the key table of configs/README.md is the schema's") {
    const auto page = read(SYNOD_SOURCE_DIR "/configs/README.md");
    const std::string begin = "<!-- keys: begin -->\n", end = "<!-- keys: end -->";
    const auto from = page.find(begin), to = page.find(end);
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);
    const auto shown = page.substr(from + begin.size(), to - from - begin.size());
    const bool current = shown == reference_markdown();
    CHECK_MESSAGE(current, "put this between the markers:\n" << reference_markdown());
}
