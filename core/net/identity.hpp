// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Who a node is: an Ed25519 key, proven inside the Noise XX handshake by a signed Hello, and the
//! handshake as a pure state machine (bytes in, bytes out) that checks it. The responder's Hello
//! travels in message 2, the initiator's in message 3. No socket, clock or thread in here.

#include <optional>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/net/noise.hpp"

namespace synod::net {

inline constexpr std::uint32_t kProtocolVersion = 1;
//! Bytes; a handshake message is refused unread above this. Message 2 needs 343.
inline constexpr std::size_t kMaxHandshakeMessage = 1'024;
//! Mixed into the handshake hash first, so that another protocol on this port fails at once.
inline constexpr std::string_view kHandshakePrologue = "synod/net/1";
//! Domain tag of the Hello's signature.
inline constexpr std::string_view kHelloTag = "synod/hello/1";

//! An Ed25519 identity (RFC 8032). Copyable; every copy wipes its secret.
class Identity {
  public:
    //! Precondition: `seed` has 32 bytes.
    static Identity from_seed(ByteView seed);
    //! A fresh one from the system's random source.
    static Identity generate();
    Identity(const Identity&) = default;
    Identity& operator=(const Identity&) = default;
    ~Identity();
    [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
    [[nodiscard]] Signature sign(ByteView message) const;

  private:
    Identity() = default;
    std::array<std::uint8_t, 64> secret_{};
    PublicKey public_key_;
};

//! What each side says of itself inside the handshake.
struct Hello {
    std::uint32_t version = kProtocolVersion;
    Hash network_id;
    Hash genesis;
    PublicKey identity;
    Signature signature;  //!< over kHelloTag || noise static public key || network_id
    std::uint16_t listen_port = 0;
    std::uint32_t capabilities = 0;
    std::uint64_t nonce = 0;  //!< of this process's network; detects connections to oneself

    bool operator==(const Hello&) const = default;
};

Bytes encode_hello(const Hello& hello);
//! Strict: exactly one Hello. Error: net.hello_malformed.
Result<Hello> decode_hello(ByteView bytes);
//! Signs `hello` for a Noise static key: fills identity and signature.
void sign_hello(Hello& hello, const Identity& identity, const PublicKey& noise_static);

//! What this side insists on.
struct HelloPolicy {
    Hello mine;                                   //!< signed by sign_hello
    std::optional<PublicKey> expected_identity;  //!< the dialled node must be this one
};

//! Checks the other side's Hello, cheapest first. Errors: net.version_mismatch,
//! net.network_mismatch and net.genesis_mismatch (both hashes in the message),
//! net.self_connection, net.identity_mismatch, net.hello_signature.
Result<void> check_hello(const Hello& theirs, const HelloPolicy& policy,
                         const PublicKey& their_noise_static);

//! What the caller has to do after feeding a message.
struct HandshakeStep {
    Bytes reply;             //!< to be sent as one handshake message when not empty
    std::optional<Error> refused;  //!< after sending `reply`, close for this reason
};

//! One side of the handshake. Not thread-safe. On a network or genesis mismatch the initiator still
//! sends its own Hello first, so that both operators see both hashes.
class Handshake {
  public:
    Handshake(NoiseRole role, const NoiseKeyPair& static_key, const NoiseKeyPair& ephemeral_key,
              HelloPolicy policy);

    //! The initiator's first message; call once, on the initiator only.
    Result<Bytes> start();
    //! Takes the other side's next message. Errors: those of NoiseXX, decode_hello, check_hello.
    Result<HandshakeStep> on_message(ByteView message);

    [[nodiscard]] bool complete() const { return noise_.complete() && accepted_; }
    //! Preconditions: complete().
    [[nodiscard]] const Hello& remote() const { return remote_; }
    NoiseTransport split() { return noise_.split(); }

  private:
    NoiseRole role_;
    NoiseXX noise_;
    HelloPolicy policy_;
    Hello remote_;
    bool accepted_ = false;
};

}  // namespace synod::net
