// SPDX-License-Identifier: Apache-2.0
//! Damaged store files through `synod chain verify`: a typed failure that names what and where, and
//! a program that comes to its end by itself. Nothing is changed by looking.
#include "tests/integration/plugin_files/rig.hpp"

namespace {

using namespace synod::testing;

constexpr std::size_t kPage = 4096;

struct Damage {
    std::string name;
    std::string bytes;
};

}  // namespace

TEST_CASE("a store that is cut, emptied, foreign or flipped is named as what it is") {
    const Folder folder;
    REQUIRE(run("chain forge --out " + (folder / "a") + " --blocks 100 --authorities 2 --txs 4 --tx-bytes 500").code == 0);
    const auto file = folder / "a/chain/synod.db";
    const auto whole = read_file(file);
    REQUIRE(whole.size() > 100'000);
    auto page = whole;
    page.replace(0, 100, 100, '\0');  // SQLite's header
    auto root = whole;
    root.replace(100, kPage - 100, kPage - 100, '\x5a');  // what says which tables there are
    auto middle = whole;
    middle.replace(whole.size() / 2 / kPage * kPage, kPage, kPage, '\x5a');  // blocks
    const std::vector<Damage> all = {
        {"half", whole.substr(0, whole.size() / 2)},
        {"one page", whole.substr(0, kPage)},
        {"a byte short", whole.substr(0, whole.size() - 1)},
        {"empty", ""},
        {"text", "this is no database\n"},
        {"header", page},
        {"tables", root},
        {"middle page", middle},
    };
    for (const auto& damage : all) {
        CAPTURE(damage.name);
        write_file(file, damage.bytes);
        const auto ran = run("chain verify " + (folder / "a/chain"));
        CAPTURE(ran.output);
        CHECK(ran.code == 1);
        CHECK((!line_of(ran.output, "FAILED ").empty() || ran.output.find("[store.") != std::string::npos));
        const auto json = run("chain verify --json " + (folder / "a/chain"));
        CHECK(json.code == 1);
        CHECK(json.output.find("\"ok\":false") != std::string::npos);
        CHECK(read_file(file) == damage.bytes);
    }
    std::filesystem::remove(file);
    const auto missing = run("chain verify " + (folder / "a/chain"));
    CHECK(missing.code == 1);
    contains(missing, "store.");
    write_file(file, whole);
    CHECK(run("chain verify " + (folder / "a/chain")).code == 0);
}
