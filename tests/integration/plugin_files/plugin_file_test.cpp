// SPDX-License-Identifier: Apache-2.0
//! Plugin files that can't be used, through the real program: it says which file, why and what to
//! do, exits as documented, and never crashes, whatever the dynamic linker would make of them.
#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>

#include <synod/abi.h>

#include "tests/integration/plugin_files/rig.hpp"

namespace {

using namespace synod::testing;

constexpr std::size_t kMachine = 18;       // e_machine in an ELF header
constexpr std::size_t kClass = 4;          // EI_CLASS
constexpr std::size_t kHeaders = 64 + 56 * 10;  // ELF header and ten program headers, bytes
constexpr std::size_t kHeaderStep = 5;     // every fifth byte of them is flipped
constexpr std::size_t kMapped = 4096;      // symbols, relocations, code and data end before it
constexpr std::size_t kMappedStep = 4;     // every fourth byte of them is flipped
constexpr int kElsewhere = 60;             // flips anywhere in the file

std::string with(std::string bytes, std::size_t at, char value) {
    bytes.at(at) = value;
    return bytes;
}

struct Broken {
    std::string file;
    std::vector<std::string> says;  // code, reason and advice
};

void refused_by_both(const NodeFolder& node, const Broken& broken) {
    CAPTURE(broken.file);
    const auto described = run("plugin describe " + broken.file);
    CHECK(described.code == 1);
    contains(described, broken.file);
    const auto ran = run("run " + node.manifest("plugins:\n  scoring: " + broken.file + "\n") + " --timeout 20");
    CHECK(ran.code == 1);
    contains(ran, broken.file);
    for (const auto& text : broken.says) {
        contains(described, text);
        contains(ran, text);
    }
    CHECK_FALSE(std::filesystem::exists(node / "data/synod.db"));  // nothing was begun
}

}  // namespace

TEST_CASE("a plugin file that is missing, no library or not whole is refused by path and reason") {
    const NodeFolder node;
    const auto whole = read_file(host_plugin("good"));
    REQUIRE(whole.size() > 4096);
    const auto file = [&](const std::string& name, const std::string& bytes) {
        write_file(node / name, bytes);
        return node / name;
    };
    const std::vector<Broken> all = {
        {node / "none.so", {"plugin.missing", "plugin_dir"}},
        {file("empty.so", ""), {"plugin.not_a_library"}},
        {file("text.so", "#!/bin/sh\necho a plugin\n"), {"plugin.not_a_library"}},
        {file("half.so", whole.substr(0, whole.size() / 2)), {"plugin.truncated", "copy it again"}},
        {file("start.so", whole.substr(0, 40)), {"plugin.truncated", "copy it again"}},
        {file("arm.so", with(whole, kMachine, static_cast<char>(183))),
         {"plugin.not_a_library", "x86-64", "build the plugin for this machine"}},
        {file("narrow.so", with(whole, kClass, 1)), {"plugin.not_a_library", "x86-64"}},
    };
    for (const auto& broken : all) {
        refused_by_both(node, broken);
    }
}

TEST_CASE("a plugin of another ABI is refused with both versions and what to do") {
    const NodeFolder node;
    const auto version = [](unsigned minor) {
        return std::to_string(SYNOD_ABI_MAJOR) + "." + std::to_string(minor);
    };
    const auto ours = version(SYNOD_ABI_MINOR);
    refused_by_both(node, {host_plugin("older_major"),
                           {"plugin.abi", "ABI major 0, which is older than this node's " + ours,
                            "build the plugin again"}});
    refused_by_both(node, {host_plugin("newer_major"),
                           {"plugin.abi", "ABI major 2, which is newer than this node's " + ours,
                            "update the node"}});
    refused_by_both(node, {host_plugin("newer_minor"),
                           {"plugin.abi", "needs ABI " + version(SYNOD_ABI_MINOR + 3) + ", this node has " + ours, "update the node"}});
    refused_by_both(node, {host_plugin("wrong_magic"), {"plugin.abi", "SYNODPLG", "rebuild"}});
    refused_by_both(node, {host_plugin("no_entry"), {"plugin.no_entry", "synod_entry_v1"}});
    refused_by_both(node, {host_plugin("bad_kind"), {"plugin.bad_descriptor", "synod.weather/1"}});
}

// The dynamic linker would lay it over what the host has behind the library: that can look well for a long time.
TEST_CASE("a segment that reaches over the next one, or lies before it, is refused unmapped") {
    const NodeFolder node;
    const auto whole = read_file(host_plugin("good"));
    Elf64_Ehdr head;
    std::memcpy(&head, whole.data(), sizeof head);
    std::vector<std::size_t> loaded;  // where the headers of these segments are
    for (unsigned i = 0; i < head.e_phnum; ++i) {
        Elf64_Phdr segment;
        const auto at = head.e_phoff + i * sizeof segment;
        std::memcpy(&segment, whole.data() + at, sizeof segment);
        if (segment.p_type == PT_LOAD) {
            loaded.push_back(at);
        }
    }
    REQUIRE(loaded.size() > 2);
    const auto changed = [&](const std::string& name, std::size_t at, auto&& change) {
        auto bytes = whole;
        Elf64_Phdr segment;
        std::memcpy(&segment, bytes.data() + at, sizeof segment);
        change(segment);
        std::memcpy(bytes.data() + at, &segment, sizeof segment);
        write_file(node / name, bytes);
        return node / name;
    };
    const std::vector<Broken> all = {
        {changed("over.so", loaded[loaded.size() - 2], [](Elf64_Phdr& s) { s.p_memsz += 8 << 20; }),
         {"plugin.damaged", "overlap", "copy it again"}},
        {changed("before.so", loaded.back(), [](Elf64_Phdr& s) { s.p_vaddr = s.p_paddr = 0; }),
         {"plugin.damaged", "out of order", "copy it again"}},
        {changed("endless.so", loaded.back(), [](Elf64_Phdr& s) { s.p_memsz = ~std::uint64_t{0}; }),
         {"plugin.damaged", "overlap", "copy it again"}},
        {changed("short.so", loaded[1], [](Elf64_Phdr& s) { s.p_memsz = s.p_filesz - 1; }),
         {"plugin.damaged", "overlap", "copy it again"}},
    };
    for (const auto& broken : all) {
        refused_by_both(node, broken);
    }
}

TEST_CASE("flipped bits of a plugin file are refused or harmless, and the program lives") {
    const NodeFolder node;
    const auto whole = read_file(host_plugin("good"));
    std::mt19937 random(5);
    int refused = 0, crashed_alone = 0;
    const auto flip = [&](std::size_t at, int bit) {
        write_file(node / "flipped.so", with(whole, at, static_cast<char>(whole[at] ^ (1 << bit))));
        const auto ran = run("plugin describe " + (node / "flipped.so"));
        CAPTURE(at);
        CAPTURE(bit);
        CAPTURE(ran.output);
        CHECK((ran.code == 0 || ran.code == 1));
        if (ran.code == 1) {
            ++refused;
            CHECK(ran.output.find("flipped.so") != std::string::npos);
            CHECK(ran.output.find("[plugin.") != std::string::npos);
            crashed_alone += ran.output.find("plugin.damaged") != std::string::npos ? 1 : 0;
        }
    };
    for (std::size_t at = 0; at < kHeaders; at += kHeaderStep) {
        flip(at, static_cast<int>(random() % 8));
    }
    for (std::size_t at = kHeaders; at < std::min(kMapped, whole.size()); at += kMappedStep) {
        flip(at, static_cast<int>(random() % 8));
    }
    for (int i = 0; i < kElsewhere; ++i) {
        flip(random() % whole.size(), static_cast<int>(random() % 8));
    }
    // The end of a segment's address lies far outside: what maps it blindly crashes.
    flip(64 + 2 * 56 + 16 + 3, 5);
    MESSAGE("refused " << refused << ", of them in the child's mapping " << crashed_alone);
    CHECK(refused > 40);
    CHECK(crashed_alone > 0);
}

TEST_CASE("a node goes on without a plugin that it may do without") {
    const NodeFolder node;
    write_file(node / "text.so", "no library");
    const auto ran = run("run " +
                         node.manifest("plugins:\n  optimizer: {use: " + (node / "text.so") + ", on_failure: continue}\n") +
                         " --timeout 1 --json");
    CHECK(ran.code == 3);  // it ran until its time was over
    CHECK(std::filesystem::exists(node / "data/synod.db"));
}
