// SPDX-License-Identifier: Apache-2.0
//! The YAML traps and the exact text of a few errors.
#include <doctest/doctest.h>

#include "core/host/loader.hpp"
#include "core/host/manifest/manifest.hpp"

using namespace synod::host;

TEST_CASE("YAML traps are refused by code") {
    const auto code = [](const char* text) {
        auto r = parse_yaml(text, "n.yaml");
        return r ? std::string("ok") : r.error().code;
    };
    CHECK(code("a: 1\na: 2\n") == "config.duplicate_key");
    CHECK(code("a: yes\n") == "config.ambiguous");
    CHECK(code("a: 010\n") == "config.ambiguous");
    CHECK(code("a: &x 1\nb: *x\n") == "config.alias");
    CHECK(code("a: 1\n---\nb: 2\n") == "config.documents");
    CHECK(code("a: [1\n") == "config.syntax");
    CHECK(code("a: 'yes'\nb: 10\n") == "ok");
    CHECK(code((std::string(40, '[') + std::string(40, ']')).c_str()) == "config.too_deep");
}

TEST_CASE("an unknown key names its place and the nearest key") {
    auto d = parse_yaml("sync:\n  batch_sise: 4\n", "n.yaml");
    REQUIRE(d);
    const auto schema = boost::json::parse(R"({"type":"object","additionalProperties":false,"properties":
        {"sync":{"type":"object","additionalProperties":false,"properties":
        {"batch_size":{"type":"integer","default":128}}}}})");
    std::vector<Problem> problems;
    const auto value = check_tree(d->root, schema, "", problems);
    REQUIRE(problems.size() == 1);
    CHECK(render(*d, problems[0]) ==
          "n.yaml:2:3: error[config.unknown_key]: `sync.batch_sise` is not a known key\n"
          "      batch_sise: 4\n      ^\n"
          "    help: did you mean `batch_size`? the keys of `sync` are batch_size\n");
    CHECK(boost::json::serialize(value) == R"({"sync":{"batch_size":128}})");
}

TEST_CASE("a file that is missing or not a library is refused before it is mapped") {
    CHECK(precheck_library("/nonexistent.so").error().code == "plugin.missing");
    CHECK(precheck_library(SYNOD_SOURCE_DIR "/CMakeLists.txt").error().code == "plugin.not_a_library");
}
