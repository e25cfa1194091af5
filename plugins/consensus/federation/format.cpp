// SPDX-License-Identifier: Apache-2.0
//! Reading and writing of the chain's bytes. Pure, any thread.
#include "plugins/consensus/federation/format.hpp"

#include "plugins/consensus/federation/auxpow/bundle.hpp"

#include <bit>
#include <cstdarg>
#include <cstdio>

namespace synod::federation {

Broken broken(RuleId rule, const char* format, ...) {
    Broken out;
    out.rule = rule;
    va_list args;
    va_start(args, format);
    (void)std::vsnprintf(out.detail, sizeof(out.detail), format, args);
    va_end(args);
    return out;
}

std::array<uint8_t, kPrefixBytes> Prefix::encode() const {
    std::array<uint8_t, kPrefixBytes> out{};
    out[0] = kBlockVersion;
    put_little(&out[1], author, 2);
    put_little(&out[3], authority_set, 4);
    put_little(&out[7], height, 8);
    put_little(&out[15], slot, 8);
    std::memcpy(&out[23], parent.data(), 32);
    std::memcpy(&out[55], body_root.data(), 32);
    std::memcpy(&out[87], state_root.data(), 32);
    return out;
}

bool read_prefix(const uint8_t* p, Prefix& out) {
    out.author = static_cast<uint16_t>(get_little(p + 1, 2));
    out.authority_set = static_cast<uint32_t>(get_little(p + 3, 4));
    out.height = get_little(p + 7, 8);
    out.slot = get_little(p + 15, 8);
    std::memcpy(out.parent.data(), p + 23, 32);
    std::memcpy(out.body_root.data(), p + 55, 32);
    std::memcpy(out.state_root.data(), p + 87, 32);
    return p[0] == kBlockVersion;
}

bool read_block(ByteView bytes, BlockParts& out, const char** why) {
    const auto no = [&](const char* text) {
        *why = text;
        return false;
    };
    if (bytes.size() < kMinBlockBytes) {
        return no("fewer bytes than the smallest block");
    }
    out.base = bytes.data();
    if (out.base[0] != kBlockVersion) {
        return no("unknown block version");
    }
    size_t at = kPrefixBytes + kSignatureBytes;
    out.certificate = out.base + at;
    out.bitmap = get_little(out.certificate, kBitmapBytes);
    out.signatures = static_cast<uint32_t>(std::popcount(out.bitmap));
    at += out.certificate_bytes();
    if (bytes.size() < at + kCountsBytes) {
        return no("cut inside the certificate");
    }
    out.transactions = static_cast<uint32_t>(get_little(out.base + at, 4));
    out.events = static_cast<uint32_t>(get_little(out.base + at + 4, 4));
    out.records = static_cast<uint32_t>(get_little(out.base + at + 8, 4));
    const uint64_t items = uint64_t{out.transactions} + out.events + out.records;
    at += kCountsBytes;
    out.item = out.base + at;
    if (items > kMaxItems || items > (bytes.size() - at) / 4) {
        return no("more items than the bytes can hold");
    }
    for (uint64_t i = 0; i < items; ++i) {
        if (bytes.size() - at < 4) {
            return no("cut inside the body");
        }
        const uint64_t n = get_little(out.base + at, 4);
        at += 4;
        if (n > bytes.size() - at) {
            return no("an item is longer than the bytes that are left");
        }
        at += static_cast<size_t>(n);
    }
    if (at > SYNOD_BLOCK_MAX) {
        return no("larger than a block may be");
    }
    out.length = at;
    return true;
}

bool read_certificate(ByteView bytes, CertificateView& out) {
    out = {};
    if (bytes.empty()) {
        return true;
    }
    if (bytes.size() < kBitmapBytes) {
        return false;
    }
    out.bitmap = get_little(bytes.data(), kBitmapBytes);
    out.signatures = static_cast<uint32_t>(std::popcount(out.bitmap));
    out.first = bytes.data() + kBitmapBytes;
    return bytes.size() == kBitmapBytes + size_t{out.signatures} * kSignatureBytes;
}

uint32_t sign_message(uint32_t purpose, const uint8_t* hash, uint64_t slot, uint8_t* out) {
    const char* tag = purpose == SYNOD_SIGN_PROPOSE   ? kProposeTag
                      : purpose == SYNOD_SIGN_APPROVE ? kApproveTag
                                                      : kStalledTag;
    std::memcpy(out, tag, kTagBytes);
    std::memcpy(out + kTagBytes, hash, 32);
    if (purpose != SYNOD_SIGN_STALLED) {
        return kHashMessageBytes;
    }
    put_little(out + kHashMessageBytes, slot, 8);
    return kStalledMessageBytes;
}

std::array<uint8_t, kAttestationBytes> Attestation::encode() const {
    std::array<uint8_t, kAttestationBytes> out{};
    out[0] = purpose;
    put_little(&out[1], author, 2);
    put_little(&out[3], height, 8);
    put_little(&out[11], slot, 8);
    std::memcpy(&out[19], hash.data(), 32);
    std::memcpy(&out[51], signature.data(), kSignatureBytes);
    return out;
}

bool read_attestation(ByteView bytes, Attestation& out) {
    if (bytes.size() != kAttestationBytes) {
        return false;
    }
    out.purpose = bytes[0];
    out.author = static_cast<uint16_t>(get_little(&bytes[1], 2));
    out.height = get_little(&bytes[3], 8);
    out.slot = get_little(&bytes[11], 8);
    std::memcpy(out.hash.data(), &bytes[19], 32);
    std::memcpy(out.signature.data(), &bytes[51], kSignatureBytes);
    return out.purpose == SYNOD_SIGN_APPROVE || out.purpose == SYNOD_SIGN_STALLED;
}

void body_leaf0(const uint8_t* parent_signature, ByteView certificate, const uint8_t* counts, Bytes& out) {
    out.insert(out.end(), parent_signature, parent_signature + kSignatureBytes);
    out.insert(out.end(), certificate.begin(), certificate.end());
    out.insert(out.end(), counts, counts + kCountsBytes);
}

Hash32 merkle_root(std::vector<Hash32> leaves, const Hasher& hash) {
    const auto root = range_root(std::move(leaves), hash); // the same tree
    return root ? *root : Hash32{};
}

} // namespace synod::federation
