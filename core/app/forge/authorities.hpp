// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The authorities of a forged chain and its genesis file. Every key follows from the forge's seed,
//! so that two machines forge the same chain; such keys are public and for tests and devnets only.

#include <filesystem>
#include <memory>
#include <vector>

#include "core/app/node/signer.hpp"

namespace synod::app::forge {

//! A certificate's bitmap has so many bits.
inline constexpr std::uint32_t kMaxAuthorities = 64;

//! BLAKE2b-256("synod forge authority" | seed, 8 bytes little-endian | index, 4 bytes little-endian).
Bytes authority_seed(std::uint64_t seed, std::uint32_t index);

using Authorities = std::vector<std::shared_ptr<SecretKey>>;
//! Precondition: sodium_init() was called; 1 <= count <= kMaxAuthorities.
Authorities make_authorities(std::uint64_t seed, std::uint32_t count);

struct GenesisFacts {
    std::uint64_t slot_ms = 0;
    std::uint64_t start_slot = 0;
    std::uint32_t record_every = 0;  //!< blocks; 0: no merged mining
    std::uint64_t max_without_pow = 0;  //!< blocks; 0: what suits record_every
};
//! The genesis file of the federation plugin, as YAML.
std::string genesis_text(const Authorities& authorities, const GenesisFacts& facts);

//! Writes a new file. Errors: forge.exists, forge.io.
Result<void> write_new(const std::filesystem::path& file, const std::string& text);
//! DIR/authority-<i>.key, mode 0600. Errors: key.exists, key.io.
Result<void> write_keys(const std::filesystem::path& dir, const Authorities& authorities);
std::filesystem::path key_file(const std::filesystem::path& dir, std::uint32_t index);

}  // namespace synod::app::forge
