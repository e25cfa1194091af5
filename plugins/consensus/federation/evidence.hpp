// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Evidence of equivocation: two prefixes of one slot and two signatures of one key, one over each, so that whoever has
//! the bytes needs nothing else to judge them. One valid encoding, described in README.md. Pure functions, any thread;
//! nothing is verified here but shape.
#include <optional>

#include "plugins/consensus/federation/format.hpp"

namespace synod::federation {

inline constexpr uint8_t kEvidenceVersion = 1;
inline constexpr size_t kStatementBytes = kPrefixBytes + kSignatureBytes;
inline constexpr size_t kTestimonyBytes = 1 + 2 + kStatementBytes;
inline constexpr size_t kEvidenceBytes = 1 + 1 + kKeyBytes + 2 * kStatementBytes;

/// A prefix and a signature over its hash.
struct Statement {
    std::array<uint8_t, kPrefixBytes> prefix{};
    std::array<uint8_t, kSignatureBytes> signature{};
};

/// One statement, by an authority that only its index names.
struct Testimony {
    uint8_t purpose = 0; ///< SYNOD_SIGN_PROPOSE or SYNOD_SIGN_APPROVE
    uint16_t author = 0;
    Statement statement;

    Bytes encode() const;
};
std::optional<Testimony> read_testimony(ByteView bytes);

struct Evidence {
    uint8_t purpose = 0;
    std::array<uint8_t, kKeyBytes> key{};
    Statement first, second; ///< the smaller hash first

    Bytes encode() const;
};
/// Exactly kEvidenceBytes of a known version and purpose; whether it convicts is check_contradiction's to say.
std::optional<Evidence> read_evidence(ByteView bytes);

/// Two different blocks of one slot, the smaller hash first; fills their prefixes and hashes.
struct Contradiction {
    Prefix first, second;
    Hash32 first_hash{}, second_hash{};
};
Broken check_contradiction(const Evidence& evidence, const Hasher& hash, Contradiction& out);
/// What an event carries that removes the authority with `key`: evidence against that key and nobody else. The two
/// signatures are left. Breaks kEventEvidence; the detail says what of it.
Broken check_removal_evidence(ByteView bytes, const std::array<uint8_t, kKeyBytes>& key, const Hasher& hash,
                              Evidence& out, Contradiction& found);
/// Emits the two signatures as checks of `rule`. False when the arena is used up.
bool emit_statements(const Evidence& evidence, const Contradiction& found, uint32_t block, RuleId rule,
                     const synod_check_writer& writer);

} // namespace synod::federation
