// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What every plugin's test does first: run on the static entry and on the built library alike, and look at the library
//! from outside. The folder's CMake file gives PLUGIN_FILE, the library's path.
#include <synod/plugin.hpp>
#include <synod/testing.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <string>

namespace plugin_test {

/// Calls test(entry) for the static variant, then for the library at PLUGIN_FILE.
template <class F> void with_both(const synod_entry& static_entry, F&& test) {
    SUBCASE("static") { test(static_entry); }
    SUBCASE("library") {
        std::string why;
        const synod_entry* entry = synod::testing::open_entry(PLUGIN_FILE, &why);
        INFO(why);
        REQUIRE(entry != nullptr);
        test(*entry);
    }
}

/// The names that the library defines for others, one a line, as binutils sees them.
inline std::string exported_symbols() {
    std::string out;
    FILE* pipe = ::popen("nm -D --defined-only --format=posix '" PLUGIN_FILE "'", "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 512> line{};
    while (std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) {
        const std::string text = line.data();
        out += text.substr(0, text.find(' ')) + "\n";
    }
    REQUIRE(::pclose(pipe) == 0);
    return out;
}

/// Checks what holds for every plugin of the project.
inline void check_descriptor(const synod_entry& entry, const std::string& id, const std::string& kind) {
    CHECK(std::string(reinterpret_cast<const char*>(entry.magic), 8) == SYNOD_ENTRY_MAGIC);
    CHECK(entry.abi_major == SYNOD_ABI_MAJOR);
    CHECK(entry.abi_minor_needed <= SYNOD_ABI_MINOR);
    REQUIRE(entry.n_plugins == 1);
    const synod_descriptor& d = *entry.plugins[0];
    CHECK(std::string(d.id) == id);
    CHECK(std::string(d.kind) == kind);
    CHECK((d.flags & SYNOD_F_DETERMINISTIC) != 0);
    const synod::Value schema = synod::parse_json(d.config_schema);
    CHECK(schema.at("type").as_string() == "object");
    CHECK_FALSE(schema.at("additionalProperties").as_bool());
    for (const auto& [name, property] : schema.at("properties").members()) {
        CAPTURE(name);
        CHECK_FALSE(property.at("description").as_string().empty());
        CHECK(property.find("default") != nullptr);
    }
}

} // namespace plugin_test
