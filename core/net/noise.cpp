// SPDX-License-Identifier: Apache-2.0
#include "core/net/noise.hpp"

#include <sodium.h>

#include <cassert>
#include <limits>
#include <string_view>

namespace synod::net {

namespace {

constexpr std::string_view kProtocolName = "Noise_XX_25519_ChaChaPoly_BLAKE2b";
static_assert(kProtocolName.size() <= kNoiseHashBytes, "longer names are hashed, not padded");
constexpr std::size_t kBlake2BlockBytes = 128;  // BLOCKLEN of BLAKE2b, Noise section 4.3

void blake2b(std::initializer_list<ByteView> parts, NoiseHash& out) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, out.size());
    for (const auto part : parts) {
        crypto_generichash_update(&state, part.data(), part.size());
    }
    crypto_generichash_final(&state, out.data(), out.size());
    sodium_memzero(&state, sizeof state);
}

//! HMAC (RFC 2104) over unkeyed BLAKE2b; libsodium has no such function of its own. Keys here are
//! always HASHLEN bytes, so never longer than a block.
void hmac(const NoiseHash& key, std::initializer_list<ByteView> parts, NoiseHash& out) {
    std::array<std::uint8_t, kBlake2BlockBytes> inner_pad{};
    std::array<std::uint8_t, kBlake2BlockBytes> outer_pad{};
    for (std::size_t i = 0; i < kBlake2BlockBytes; ++i) {
        const std::uint8_t k = i < key.size() ? key[i] : 0;
        inner_pad[i] = k ^ 0x36;
        outer_pad[i] = k ^ 0x5c;
    }
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, out.size());
    crypto_generichash_update(&state, inner_pad.data(), inner_pad.size());
    for (const auto part : parts) {
        crypto_generichash_update(&state, part.data(), part.size());
    }
    NoiseHash inner{};
    crypto_generichash_final(&state, inner.data(), inner.size());
    blake2b({outer_pad, inner}, out);
    sodium_memzero(inner_pad.data(), inner_pad.size());
    sodium_memzero(outer_pad.data(), outer_pad.size());
    sodium_memzero(inner.data(), inner.size());
    sodium_memzero(&state, sizeof state);
}

//! Noise section 4.3, two outputs.
void hkdf2(const NoiseHash& chaining_key, ByteView input, NoiseHash& out1, NoiseHash& out2) {
    static constexpr std::uint8_t kOne[] = {1};
    static constexpr std::uint8_t kTwo[] = {2};
    NoiseHash temp{};
    NoiseHash first{};
    hmac(chaining_key, {input}, temp);
    hmac(temp, {kOne}, first);
    hmac(temp, {first, kTwo}, out2);
    out1 = first;
    sodium_memzero(temp.data(), temp.size());
    sodium_memzero(first.data(), first.size());
}

//! 32 zero bits, then the counter in little endian (Noise section 12, ChaChaPoly).
std::array<std::uint8_t, crypto_aead_chacha20poly1305_IETF_NPUBBYTES> nonce_bytes(std::uint64_t n) {
    std::array<std::uint8_t, crypto_aead_chacha20poly1305_IETF_NPUBBYTES> out{};
    for (std::size_t i = 0; i < 8; ++i) {
        out[4 + i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return out;
}

}  // namespace

NoiseKeyPair::~NoiseKeyPair() {
    sodium_memzero(secret.data(), secret.size());
}

NoiseKeyPair NoiseKeyPair::from_secret(ByteView secret) {
    assert(secret.size() == kNoiseKeyBytes);
    NoiseKeyPair out;
    std::memcpy(out.secret.data(), secret.data(), kNoiseKeyBytes);
    crypto_scalarmult_base(out.public_key.data.data(), out.secret.data());
    return out;
}

NoiseKeyPair NoiseKeyPair::generate() {
    std::array<std::uint8_t, kNoiseKeyBytes> secret{};
    randombytes_buf(secret.data(), secret.size());
    auto out = from_secret(secret);
    sodium_memzero(secret.data(), secret.size());
    return out;
}

CipherState::CipherState(ByteView key) : has_key_(true) {
    assert(key.size() >= kNoiseKeyBytes);
    std::memcpy(key_.data(), key.data(), kNoiseKeyBytes);
}

CipherState::CipherState(CipherState&& other) noexcept {
    *this = std::move(other);
}

CipherState& CipherState::operator=(CipherState&& other) noexcept {
    if (this != &other) {
        key_ = other.key_;
        nonce_ = other.nonce_;
        has_key_ = other.has_key_;
        sodium_memzero(other.key_.data(), other.key_.size());
        other.has_key_ = false;
    }
    return *this;
}

CipherState::~CipherState() {
    sodium_memzero(key_.data(), key_.size());
}

bool CipherState::encrypt(ByteView ad, ByteView plain, std::uint8_t* out) {
    if (!has_key_ || nonce_ == std::numeric_limits<std::uint64_t>::max()) {
        return false;
    }
    const auto nonce = nonce_bytes(nonce_);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, plain.data(), plain.size(), ad.data(),
                                              ad.size(), nullptr, nonce.data(), key_.data());
    ++nonce_;
    return true;
}

bool CipherState::decrypt(ByteView ad, ByteView cipher, std::uint8_t* out) {
    if (!has_key_ || nonce_ == std::numeric_limits<std::uint64_t>::max() ||
        cipher.size() < kNoiseTagBytes) {
        return false;
    }
    const auto nonce = nonce_bytes(nonce_);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, nullptr, nullptr, cipher.data(),
                                                  cipher.size(), ad.data(), ad.size(), nonce.data(),
                                                  key_.data()) != 0) {
        return false;
    }
    ++nonce_;
    return true;
}

NoiseXX::NoiseXX(NoiseRole role, ByteView prologue, const NoiseKeyPair& static_key,
                 const NoiseKeyPair& ephemeral_key)
    : role_(role), static_(static_key), ephemeral_(ephemeral_key) {
    std::memcpy(h_.data(), kProtocolName.data(), kProtocolName.size());
    ck_ = h_;
    mix_hash(prologue);
}

NoiseXX::~NoiseXX() {
    sodium_memzero(ck_.data(), ck_.size());
}

bool NoiseXX::my_turn() const {
    return !failed_ && step_ < 3 && (step_ % 2 == 0) == (role_ == NoiseRole::initiator);
}

void NoiseXX::mix_hash(ByteView data) {
    const NoiseHash before = h_;
    blake2b({before, data}, h_);
}

void NoiseXX::mix_key(ByteView input) {
    NoiseHash key{};
    hkdf2(ck_, input, ck_, key);
    cipher_ = CipherState(ByteView(key).first(kNoiseKeyBytes));
    sodium_memzero(key.data(), key.size());
}

bool NoiseXX::mix_dh(const NoiseKeyPair& mine, const PublicKey& theirs) {
    std::array<std::uint8_t, kNoiseKeyBytes> shared{};
    // Refuses the all-zero output of low-order keys (Noise section 9.1 permits this).
    if (crypto_scalarmult(shared.data(), mine.secret.data(), theirs.data.data()) != 0) {
        return false;
    }
    mix_key(shared);
    sodium_memzero(shared.data(), shared.size());
    return true;
}

bool NoiseXX::mix_es() {
    return role_ == NoiseRole::initiator ? mix_dh(ephemeral_, remote_static_)
                                         : mix_dh(static_, remote_ephemeral_);
}

bool NoiseXX::mix_se() {
    return role_ == NoiseRole::initiator ? mix_dh(static_, remote_ephemeral_)
                                         : mix_dh(ephemeral_, remote_static_);
}

bool NoiseXX::encrypt_and_hash(ByteView plain, Bytes& out) {
    const auto at = out.size();
    if (cipher_.has_key()) {
        out.resize(at + plain.size() + kNoiseTagBytes);
        if (!cipher_.encrypt(h_, plain, out.data() + at)) {
            return false;
        }
    } else {
        out.insert(out.end(), plain.begin(), plain.end());
    }
    mix_hash(ByteView(out).subspan(at));
    return true;
}

bool NoiseXX::decrypt_and_hash(ByteView cipher, Bytes& out) {
    if (cipher_.has_key()) {
        if (cipher.size() < kNoiseTagBytes) {
            return false;
        }
        out.resize(cipher.size() - kNoiseTagBytes);
        if (!cipher_.decrypt(h_, cipher, out.data())) {
            return false;
        }
    } else {
        out.assign(cipher.begin(), cipher.end());
    }
    mix_hash(cipher);
    return true;
}

Result<Bytes> NoiseXX::write_message(ByteView payload) {
    if (!my_turn()) {
        return fail("net.noise_order", "a handshake message was written out of turn", "noise");
    }
    constexpr std::size_t kOverhead = 2 * kNoiseKeyBytes + 2 * kNoiseTagBytes;
    if (payload.size() > kNoiseMaxMessage - kOverhead) {
        return fail("net.noise_too_large", "the handshake payload does not fit a message", "noise");
    }
    failed_ = true;  // until the step is through
    Bytes out;
    bool ok = true;
    if (step_ < 2) {
        out.assign(ephemeral_.public_key.data.begin(), ephemeral_.public_key.data.end());
        mix_hash(ephemeral_.public_key.view());
    }
    if (step_ == 1) {
        ok = mix_dh(ephemeral_, remote_ephemeral_) &&
             encrypt_and_hash(static_.public_key.view(), out) && mix_es();
    } else if (step_ == 2) {
        ok = encrypt_and_hash(static_.public_key.view(), out) && mix_se();
    }
    if (!ok || !encrypt_and_hash(payload, out)) {
        return fail("net.noise_key", "the other side's key is not usable", "noise",
                    "the peer sent a public key of low order");
    }
    failed_ = false;
    ++step_;
    return out;
}

Result<Bytes> NoiseXX::read_message(ByteView message) {
    if (failed_ || step_ >= 3 || my_turn()) {
        return fail("net.noise_order", "a handshake message came out of turn", "noise");
    }
    failed_ = true;
    const std::size_t static_bytes = step_ == 0 ? 0 : kNoiseKeyBytes + kNoiseTagBytes;
    const std::size_t ephemeral_bytes = step_ < 2 ? kNoiseKeyBytes : 0;
    if (message.size() < ephemeral_bytes + static_bytes || message.size() > kNoiseMaxMessage) {
        return fail("net.noise_short",
                    "handshake message " + std::to_string(step_ + 1) + " has " +
                        std::to_string(message.size()) + " bytes",
                    "noise");
    }
    if (step_ < 2) {
        remote_ephemeral_ = PublicKey::copy(message.data());
        mix_hash(remote_ephemeral_.view());
        message = message.subspan(kNoiseKeyBytes);
    }
    if (step_ == 1 && !mix_dh(ephemeral_, remote_ephemeral_)) {
        return fail("net.noise_key", "the other side's ephemeral key is not usable", "noise");
    }
    if (step_ >= 1) {
        Bytes key;
        if (!decrypt_and_hash(message.first(static_bytes), key)) {
            return fail("net.noise_tag", "the other side's static key does not authenticate",
                        "noise", "another protocol, or the bytes were altered on the way");
        }
        remote_static_ = PublicKey::copy(key.data());
        message = message.subspan(static_bytes);
        if (!(step_ == 1 ? mix_es() : mix_se())) {
            return fail("net.noise_key", "the other side's static key is not usable", "noise");
        }
    }
    Bytes payload;
    if (!decrypt_and_hash(message, payload)) {
        return fail("net.noise_tag", "the handshake payload does not authenticate", "noise",
                    "another protocol, or the bytes were altered on the way");
    }
    failed_ = false;
    ++step_;
    return payload;
}

NoiseTransport NoiseXX::split() {
    assert(complete());
    NoiseHash k1{};
    NoiseHash k2{};
    hkdf2(ck_, {}, k1, k2);
    CipherState first(ByteView(k1).first(kNoiseKeyBytes));
    CipherState second(ByteView(k2).first(kNoiseKeyBytes));
    sodium_memzero(k1.data(), k1.size());
    sodium_memzero(k2.data(), k2.size());
    sodium_memzero(ck_.data(), ck_.size());
    NoiseTransport out;
    out.send = std::move(role_ == NoiseRole::initiator ? first : second);
    out.receive = std::move(role_ == NoiseRole::initiator ? second : first);
    return out;
}

}  // namespace synod::net
