// SPDX-License-Identifier: Apache-2.0
#include "core/app/forge/authorities.hpp"

#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace synod::app::forge {

namespace {

constexpr std::string_view kAuthorityTag = "synod forge authority";
constexpr std::size_t kSeedBytes = 32;
//! The plugin's default and largest value of max_blocks_without_pow, blocks.
constexpr std::uint64_t kUsualWithoutPow = 10'000;
constexpr std::uint64_t kMostWithoutPow = 1'048'576;
//! Half of all hashes are below it: a record costs about two tries.
constexpr std::uint32_t kEasyBits = 0x207fffff;

void append_little(Bytes& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
}

}  // namespace

Bytes authority_seed(std::uint64_t seed, std::uint32_t index) {
    Bytes input(kAuthorityTag.begin(), kAuthorityTag.end());
    append_little(input, seed, 8);
    append_little(input, index, 4);
    Bytes out(kSeedBytes);
    crypto_generichash(out.data(), out.size(), input.data(), input.size(), nullptr, 0);
    return out;
}

Authorities make_authorities(std::uint64_t seed, std::uint32_t count) {
    Authorities out;
    for (std::uint32_t i = 0; i < count; ++i) {
        out.push_back(SecretKey::from_seed(authority_seed(seed, i)));
    }
    return out;
}

std::string genesis_text(const Authorities& authorities, const GenesisFacts& facts) {
    const std::uint64_t without_pow =
        facts.max_without_pow != 0 ? facts.max_without_pow
        : facts.record_every == 0
            ? 0
            : std::min(std::max(kUsualWithoutPow, std::uint64_t{2} * facts.record_every), kMostWithoutPow);
    std::string out = "# Made by `synod chain forge`. The keys of this chain are public: for tests only.\n";
    out += "name: forged\nchain_id: 1\n";
    out += "slot_ms: " + std::to_string(facts.slot_ms) + "\n";
    out += "genesis_time_ms: " + std::to_string(facts.start_slot * facts.slot_ms) + "\n";
    out += "max_blocks_without_pow: " + std::to_string(without_pow) + "\n";
    out += "pow_limit_bits: " + std::to_string(kEasyBits) + "\n";
    out += "authorities:\n";
    for (const auto& key : authorities) {
        out += "  - \"" + to_hex(key->public_key().view()) + "\"\n";
    }
    return out;
}

Result<void> write_new(const std::filesystem::path& file, const std::string& text) {
    std::FILE* out = std::fopen(file.c_str(), "wx");
    if (out == nullptr) {
        return fail(errno == EEXIST ? "forge.exists" : "forge.io", std::strerror(errno), file.string(),
                    errno == EEXIST ? "choose another folder; nothing is overwritten" : "");
    }
    const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
    if (std::fclose(out) != 0 || !written) {
        return fail("forge.io", std::strerror(errno), file.string());
    }
    return {};
}

std::filesystem::path key_file(const std::filesystem::path& dir, std::uint32_t index) {
    return dir / ("authority-" + std::to_string(index) + ".key");
}

Result<void> write_keys(const std::filesystem::path& dir, const Authorities& authorities) {
    for (std::uint32_t i = 0; i < authorities.size(); ++i) {
        if (auto written = write_seed(key_file(dir, i).string(), authorities[i]->seed()); !written) {
            return written;
        }
    }
    return {};
}

}  // namespace synod::app::forge
