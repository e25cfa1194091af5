// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Noise_XX_25519_ChaChaPoly_BLAKE2b (noiseprotocol.org, revision 34) on libsodium's primitives:
//! the handshake state and the two transport cipher states that it ends in. Pure: keys are injected,
//! nothing here touches a socket, a clock or a thread. Secrets are wiped on destruction.

#include <cstdint>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace synod::net {

inline constexpr std::size_t kNoiseKeyBytes = 32;    //!< X25519 and ChaCha20-Poly1305 keys
inline constexpr std::size_t kNoiseHashBytes = 64;   //!< HASHLEN of BLAKE2b
inline constexpr std::size_t kNoiseTagBytes = 16;    //!< Poly1305 tag
inline constexpr std::size_t kNoiseMaxMessage = 65'535;  //!< bytes; Noise section 3

using NoiseHash = std::array<std::uint8_t, kNoiseHashBytes>;

//! An X25519 key pair. Copyable, because a handshake keeps its own; each copy wipes its secret.
struct NoiseKeyPair {
    std::array<std::uint8_t, kNoiseKeyBytes> secret{};
    PublicKey public_key;

    NoiseKeyPair() = default;
    NoiseKeyPair(const NoiseKeyPair&) = default;
    NoiseKeyPair& operator=(const NoiseKeyPair&) = default;
    ~NoiseKeyPair();

    //! The pair of a 32-byte secret. Precondition: `secret` has 32 bytes.
    static NoiseKeyPair from_secret(ByteView secret);
    //! A fresh pair from the system's random source (any thread).
    static NoiseKeyPair generate();
};

//! One direction of an encrypted stream (Noise section 5.1). Not thread-safe. The nonce counts up
//! and is never reused: at 2^64-1 the state refuses to work.
class CipherState {
  public:
    CipherState() = default;
    explicit CipherState(ByteView key);  //!< Precondition: 32 bytes.
    CipherState(const CipherState&) = delete;
    CipherState& operator=(const CipherState&) = delete;
    CipherState(CipherState&& other) noexcept;
    CipherState& operator=(CipherState&& other) noexcept;
    ~CipherState();

    [[nodiscard]] bool has_key() const { return has_key_; }
    [[nodiscard]] std::uint64_t nonce() const { return nonce_; }
    //! Writes plain.size() + kNoiseTagBytes bytes to `out`. `out` may be plain.data() itself.
    //! False when no key is set or the nonce is used up. Precondition: `out` has the room.
    bool encrypt(ByteView ad, ByteView plain, std::uint8_t* out);
    //! Writes cipher.size() - kNoiseTagBytes bytes to `out`. False when the tag is wrong, the input
    //! shorter than a tag, or the nonce used up; the nonce then stays where it was.
    bool decrypt(ByteView ad, ByteView cipher, std::uint8_t* out);

  private:
    std::array<std::uint8_t, kNoiseKeyBytes> key_{};
    std::uint64_t nonce_ = 0;
    bool has_key_ = false;
};

//! What a finished handshake leaves: one state a direction.
struct NoiseTransport {
    CipherState send;
    CipherState receive;
};

enum class NoiseRole : std::uint8_t { initiator, responder };

//! The XX handshake (Noise section 7.5): -> e; <- e, ee, s, es; -> s, se. Call write_message and
//! read_message in turn. After the first error the state is dead and only answers errors.
class NoiseXX {
  public:
    NoiseXX(NoiseRole role, ByteView prologue, const NoiseKeyPair& static_key,
            const NoiseKeyPair& ephemeral_key);
    NoiseXX(const NoiseXX&) = delete;
    NoiseXX& operator=(const NoiseXX&) = delete;
    ~NoiseXX();

    //! The next handshake message around `payload` (copied). Errors: net.noise_order,
    //! net.noise_key, net.noise_too_large.
    Result<Bytes> write_message(ByteView payload);
    //! The payload of the other side's next message. Errors: net.noise_order, net.noise_short,
    //! net.noise_key (a public key of low order), net.noise_tag.
    Result<Bytes> read_message(ByteView message);

    //! All three messages passed and nothing failed.
    [[nodiscard]] bool complete() const { return !failed_ && step_ == 3; }
    //! True when the next step is this side's write_message.
    [[nodiscard]] bool my_turn() const;
    //! Channel binding; the same on both sides once complete (Noise section 11.2).
    [[nodiscard]] const NoiseHash& handshake_hash() const { return h_; }
    //! The other side's static key; zero until its message was read.
    [[nodiscard]] const PublicKey& remote_static() const { return remote_static_; }
    //! The two transport states. Precondition: complete(), called once.
    NoiseTransport split();

  private:
    void mix_hash(ByteView data);
    void mix_key(ByteView input);
    bool mix_dh(const NoiseKeyPair& mine, const PublicKey& theirs);
    bool encrypt_and_hash(ByteView plain, Bytes& out);
    bool decrypt_and_hash(ByteView cipher, Bytes& out);
    bool mix_es();
    bool mix_se();

    NoiseRole role_;
    NoiseKeyPair static_;
    NoiseKeyPair ephemeral_;
    PublicKey remote_static_;
    PublicKey remote_ephemeral_;
    NoiseHash h_{};
    NoiseHash ck_{};
    CipherState cipher_;
    int step_ = 0;
    bool failed_ = false;
};

}  // namespace synod::net
