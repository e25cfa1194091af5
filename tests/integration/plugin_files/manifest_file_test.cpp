// SPDX-License-Identifier: Apache-2.0
//! Manifests and genesis files with one mistake each, through `synod run`: exit code 2, the place as
//! file:line:column, the line with a caret under it, and the nearest right word.
#include "tests/integration/plugin_files/rig.hpp"

namespace {

using namespace synod::testing;

struct Mistake {
    std::string text;   // after the node's section, which has four lines
    std::string place;  // line:column
    std::string code;
    std::string help;
};

}  // namespace

TEST_CASE("a manifest's mistake is shown where it is") {
    const NodeFolder node;
    const std::vector<Mistake> all = {
        {"snyc:\n  mode: full\n", "5:1", "config.unknown_key", "did you mean `sync`"},
        {"sync:\n  batch_sise: 128\n", "6:3", "config.unknown_key", "did you mean `batch_size`"},
        {"sync:\n  mode: fast\n  mode: full\n", "7:3", "config.duplicate_key", "first given on line 6"},
        {"sync:\n  batch_size: many\n", "6:15", "config.type", ""},
        {"sync:\n  batch_size: 3\n", "6:15", "config.range", "at least 16"},
        {"sync:\n  mode: fats\n", "6:9", "config.option", "did you mean `fast`"},
        {"performance:\n  simd: yes\n", "6:9", "config.ambiguous", "true or false"},
        {"plugins:\n  validation: [simd]\n", "6:15", "config.type", ""},
        {"plugins:\n  scoring: {use: weighted, on_failure: ignore}\n", "6:40", "config.option", "stop"},
        {"sync: {mode: fast\n", "6:1", "config.syntax", ""},
    };
    for (const auto& mistake : all) {
        CAPTURE(mistake.text);
        const auto file = node.manifest(mistake.text);
        const auto ran = run("run " + file);
        CHECK(ran.code == 2);
        contains(ran, file + ":" + mistake.place + ": error[" + mistake.code + "]");
        contains(ran, mistake.help);
        if (mistake.code != "config.syntax") {
            const auto column = std::stoul(mistake.place.substr(mistake.place.find(':') + 1));
            contains(ran, "\n    " + std::string(column - 1, ' ') + "^\n");
        }
    }
    const auto none = run("run " + (node / "nowhere.yaml"));
    CHECK(none.code == 2);
    contains(none, "nowhere.yaml");
    contains(none, "can't read the manifest");
}

TEST_CASE("a genesis file's mistake is shown where it is") {
    const NodeFolder node;
    write_file(node / "genesis.yaml", "name: a\nauthorities: [\"00\"]\nname: b\n");
    const auto twice = run("run " + node.manifest(""));
    CHECK(twice.code == 2);
    contains(twice, node / "genesis.yaml:3:1: error[config.duplicate_key]");
    write_file(node / "genesis.yaml", "name: a\nauthorities: [\"00\"]\n");
    const auto key = run("run " + node.manifest(""));
    CHECK((key.code == 1 || key.code == 2));
    contains(key, "genesis.authorities");
    std::filesystem::remove(node / "genesis.yaml");
    const auto missing = run("run " + node.manifest(""));
    CHECK(missing.code == 2);
    contains(missing, "genesis.missing");
    contains(missing, node / "genesis.yaml");
}

TEST_CASE("a plugin's own configuration is checked before its code runs") {
    const NodeFolder node;
    const auto ran = run("run " + node.manifest("plugins:\n  scoring: {use: " + host_plugin("good") +
                                                ", config: {depht: 4}}\n"));
    CHECK(ran.code == 2);
    contains(ran, "config.unknown_key");
    contains(ran, "did you mean `depth`");
    const auto range = run("run " + node.manifest("plugins:\n  scoring: {use: " + host_plugin("good") +
                                                  ", config: {depth: 40}}\n"));
    CHECK(range.code == 2);
    contains(range, "config.range");
}

TEST_CASE("a data folder or a log file that can't be written is a setting to correct, not a crash") {
    const NodeFolder node;
    write_file(node / "file", "");
    const auto file = node / "node.yaml";
    write_file(file, "node: {name: a, data_dir: file/data, genesis: genesis.yaml}\n");
    const auto folder = run("run " + file);
    CHECK(folder.code == 2);
    contains(folder, "config.data_dir");
    contains(folder, node / "file/data");
    write_file(file, "node: {name: a, data_dir: data, genesis: genesis.yaml}\nlog: {file: file/x.log}\n");
    const auto log = run("run " + file);
    CHECK(log.code == 2);
    contains(log, "config.log_file");
    contains(log, node / "file/x.log");
}
