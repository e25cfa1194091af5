// SPDX-License-Identifier: Apache-2.0
//! What a descriptor says is copied once, and what would have no end is refused.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "core/host/normalise.hpp"

using namespace synod;
using namespace synod::host;

namespace {

const synod_plugin_api kApi{.size = sizeof(synod_plugin_api)};

//! A descriptor with something of everything, before or after a change.
Result<std::vector<Plugin>> read(const std::function<void(synod_descriptor&, synod_entry&)>& change = {}) {
    static const char* const needs[] = {"synod.log/1", "synod.clock/1", nullptr};
    static const char* const uses[] = {"synod.exec/1", nullptr};
    static const char* const none[] = {nullptr};
    synod_descriptor descriptor{sizeof descriptor, SYNOD_F_HOT_SWAP, 7, 0, "an.id", "name", "1.2", "vendor",
                                "licence", "url", SYNOD_KIND_SCORING, needs, uses, none, "{}", &kApi};
    const synod_descriptor* list[] = {&descriptor};
    synod_entry entry{{'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'}, sizeof entry, SYNOD_ABI_MAJOR, 0, 0,
                      "compiler", list, 1};
    if (change) {
        change(descriptor, entry);
    }
    return read_entry(&entry, "file.so");
}

std::string refusal(const std::function<void(synod_descriptor&, synod_entry&)>& change) {
    const auto all = read(change);
    REQUIRE(!all);
    CHECK(all.error().code == "plugin.bad_descriptor");
    CHECK(all.error().where == "file.so");
    return all.error().message;
}

}  // namespace

TEST_CASE("all that a descriptor says is there after the library is forgotten") {
    const auto all = read();
    REQUIRE(all);
    REQUIRE(all->size() == 1);
    const auto& plugin = all->front();
    CHECK(plugin.id == "an.id");
    CHECK(plugin.version == "1.2");
    CHECK(plugin.vendor == "vendor");
    CHECK(plugin.license == "licence");
    CHECK(plugin.url == "url");
    CHECK(plugin.needs == std::vector<std::string>{"synod.log/1", "synod.clock/1"});
    CHECK(plugin.uses == std::vector<std::string>{"synod.exec/1"});
    CHECK(plugin.provides.empty());
    CHECK(plugin.flags == SYNOD_F_HOT_SWAP);
    CHECK(plugin.state_rev == 7);
    CHECK(plugin.built_with == "compiler");
    CHECK(plugin.file == "file.so");
}

TEST_CASE("what a descriptor may leave out is empty") {
    const auto all = read([](synod_descriptor& d, synod_entry& e) {
        d.vendor = d.license = d.url = d.config_schema = nullptr;
        d.requires_ = d.optional = d.provides = nullptr;
        e.built_with = nullptr;
    });
    REQUIRE(all);
    CHECK(all->front().vendor.empty());
    CHECK(all->front().schema.empty());
    CHECK(all->front().needs.empty());
    CHECK(all->front().built_with.empty());
}

TEST_CASE("overlong names, texts and lists are refused") {
    const std::string long_name(129, 'x'), long_text(4097, 'x'), long_schema((1 << 20) + 1, ' ');
    CHECK(refusal([&](auto& d, auto&) { d.id = long_name.c_str(); }).find("id, name") != std::string::npos);
    CHECK(refusal([](auto& d, auto&) { d.version = ""; }).find("id, name") != std::string::npos);
    CHECK(refusal([&](auto& d, auto&) { d.vendor = long_text.c_str(); }).find("vendor") != std::string::npos);
    CHECK(refusal([&](auto& d, auto&) { d.url = long_text.c_str(); }).find("url") != std::string::npos);
    CHECK(refusal([&](auto& d, auto&) { d.config_schema = long_schema.c_str(); }).find("schema") !=
          std::string::npos);
    std::vector<const char*> endless(66, "synod.log/1");
    CHECK(refusal([&](auto& d, auto&) { d.requires_ = endless.data(); }).find("list of ids") != std::string::npos);
    const char* const overlong[] = {long_name.c_str(), nullptr};
    CHECK(refusal([&](auto& d, auto&) { d.provides = overlong; }).find("overlong id") != std::string::npos);
    endless[64] = nullptr;  // as many as are taken
    CHECK(read([&](auto& d, auto&) { d.optional = endless.data(); }));
}

TEST_CASE("a descriptor that an entry names and doesn't have is refused") {
    refusal([](auto&, auto& e) {
        static const synod_descriptor* const missing[] = {nullptr};
        e.plugins = missing;
    });
    refusal([](auto& d, auto&) { d.api = nullptr; });
}
