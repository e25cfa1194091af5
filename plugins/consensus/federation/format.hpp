// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The bytes of blocks, certificates, attestations and head proofs: reading and writing, one valid encoding each. Pure
//! functions, any thread; views point into the caller's bytes; nothing is allocated by a length that was read.
//! The format is described field by field in README.md.
#include <synod/consensus.h>

#include "plugins/consensus/federation/auxpow/wire.hpp"
#include "plugins/consensus/federation/rules.hpp"

namespace synod::federation {

inline constexpr size_t kPrefixBytes = 119;
inline constexpr size_t kSignatureBytes = 64;
inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kTagBytes = 16;
inline constexpr size_t kBitmapBytes = 8;
inline constexpr size_t kCountsBytes = 12;
inline constexpr uint32_t kMaxAuthorities = 64;      // bits of a certificate's bitmap
inline constexpr uint8_t kBlockVersion = 1;
inline constexpr uint32_t kMaxItems = 1u << 17;      // items of one block's body
inline constexpr size_t kMinBlockBytes = kPrefixBytes + kSignatureBytes + kBitmapBytes + kCountsBytes;
inline constexpr size_t kAttestationBytes = 1 + 2 + 8 + 8 + 32 + kSignatureBytes;
inline constexpr size_t kHashMessageBytes = kTagBytes + 32;    // propose, approve
inline constexpr size_t kStalledMessageBytes = kTagBytes + 40; // and the slot

inline constexpr char kProposeTag[kTagBytes + 1] = "synod/propose/1\0";
inline constexpr char kApproveTag[kTagBytes + 1] = "synod/approve/1\0";
inline constexpr char kStalledTag[kTagBytes + 1] = "synod/stalled/1\0";
inline constexpr char kNetworkTag[kTagBytes + 1] = "synod/network/1\0";
inline constexpr char kGovernTag[kTagBytes + 1] = "synod/govern/1\0\0";
inline constexpr char kStateTag[kTagBytes + 1] = "synod/state/v/1\0";

inline constexpr uint8_t kTagTransaction = 1;
inline constexpr uint8_t kTagEvent = 2;
inline constexpr uint8_t kTagRecord = 3;

inline uint64_t get_little(const uint8_t* p, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; ++i) {
        v |= static_cast<uint64_t>(p[i]) << (8 * i);
    }
    return v;
}
inline void put_little(uint8_t* p, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        p[i] = static_cast<uint8_t>(v >> (8 * i));
    }
}

/// The 119 bytes that a block's hash covers.
struct Prefix {
    uint16_t author = 0;
    uint32_t authority_set = 0;
    uint64_t height = 0, slot = 0;
    Hash32 parent{}, body_root{}, state_root{};

    std::array<uint8_t, kPrefixBytes> encode() const;
};
/// `p` has kPrefixBytes; false when the version is not known.
bool read_prefix(const uint8_t* p, Prefix& out);

/// Where the parts of one block lie. `item` starts at the first item's length field.
struct BlockParts {
    const uint8_t* base = nullptr;
    uint64_t length = 0;
    uint64_t bitmap = 0;
    uint32_t signatures = 0;            ///< population count of the bitmap
    const uint8_t* certificate = nullptr; ///< bitmap and signatures
    uint32_t transactions = 0, events = 0, records = 0;
    const uint8_t* item = nullptr;

    const uint8_t* signature() const noexcept { return base + kPrefixBytes; }
    size_t certificate_bytes() const noexcept { return kBitmapBytes + size_t{signatures} * kSignatureBytes; }
    uint32_t items() const noexcept { return transactions + events + records; }
};

/// Reads the block that starts `bytes`; false with `why` when it is cut, too large or of another version.
bool read_block(ByteView bytes, BlockParts& out, const char** why);

/// The tag of item number i of a block.
constexpr uint8_t item_tag(const BlockParts& b, uint32_t i) {
    return i < b.transactions ? kTagTransaction : i < b.transactions + b.events ? kTagEvent : kTagRecord;
}

/// A certificate on its own. Empty bytes read as the empty certificate.
struct CertificateView {
    uint64_t bitmap = 0;
    uint32_t signatures = 0;
    const uint8_t* first = nullptr;
};
bool read_certificate(ByteView bytes, CertificateView& out);

/// Writes the message that purpose signs (SYNOD_SIGN_...) to `out` (64 bytes); returns its length.
uint32_t sign_message(uint32_t purpose, const uint8_t* hash, uint64_t slot, uint8_t* out);

struct Attestation {
    uint8_t purpose = 0;
    uint16_t author = 0;
    uint64_t height = 0, slot = 0;
    Hash32 hash{};
    std::array<uint8_t, kSignatureBytes> signature{};

    std::array<uint8_t, kAttestationBytes> encode() const;
};
/// Exactly kAttestationBytes with a purpose that gossip carries.
bool read_attestation(ByteView bytes, Attestation& out);

/// What a leaf of the body's tree hashes, for leaf 0: the parent author's signature, this certificate, the counts.
void body_leaf0(const uint8_t* parent_signature, ByteView certificate, const uint8_t* counts, Bytes& out);
/// Merkle root by the rule of synod/validation.h; no leaves give zeros.
Hash32 merkle_root(std::vector<Hash32> leaves, const Hasher& hash);

} // namespace synod::federation
