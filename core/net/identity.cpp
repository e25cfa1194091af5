// SPDX-License-Identifier: Apache-2.0
#include "core/net/identity.hpp"

#include <sodium.h>

#include <cassert>

#include "core/base/codec.hpp"

namespace synod::net {

namespace {

ByteView view_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Bytes hello_preimage(const PublicKey& noise_static, const Hash& network_id) {
    Writer out;
    out.raw(view_of(kHelloTag)).fixed(noise_static).fixed(network_id);
    return out.take();
}

std::string both(const Hash& theirs, const Hash& ours) {
    return "theirs is " + to_hex(theirs.view()) + ", ours is " + to_hex(ours.view());
}

}  // namespace

Identity Identity::from_seed(ByteView seed) {
    assert(seed.size() == crypto_sign_SEEDBYTES);
    Identity out;
    crypto_sign_seed_keypair(out.public_key_.data.data(), out.secret_.data(), seed.data());
    return out;
}

Identity Identity::generate() {
    Identity out;
    crypto_sign_keypair(out.public_key_.data.data(), out.secret_.data());
    return out;
}

Identity::~Identity() {
    sodium_memzero(secret_.data(), secret_.size());
}

Signature Identity::sign(ByteView message) const {
    Signature out;
    crypto_sign_detached(out.data.data(), nullptr, message.data(), message.size(), secret_.data());
    return out;
}

Bytes encode_hello(const Hello& hello) {
    Writer out;
    out.put(hello.version).fixed(hello.network_id).fixed(hello.genesis).fixed(hello.identity);
    out.fixed(hello.signature).put(hello.listen_port).put(hello.capabilities).put(hello.nonce);
    return out.take();
}

Result<Hello> decode_hello(ByteView bytes) {
    Reader in(bytes);
    Hello out;
    out.version = in.get<std::uint32_t>();
    out.network_id = in.fixed<Hash>();
    out.genesis = in.fixed<Hash>();
    out.identity = in.fixed<PublicKey>();
    out.signature = in.fixed<Signature>();
    out.listen_port = in.get<std::uint16_t>();
    out.capabilities = in.get<std::uint32_t>();
    out.nonce = in.get<std::uint64_t>();
    if (!in.done()) {
        return fail("net.hello_malformed",
                    "a hello of " + std::to_string(bytes.size()) + " bytes does not decode",
                    "handshake");
    }
    return out;
}

void sign_hello(Hello& hello, const Identity& identity, const PublicKey& noise_static) {
    hello.identity = identity.public_key();
    hello.signature = identity.sign(hello_preimage(noise_static, hello.network_id));
}

Result<void> check_hello(const Hello& theirs, const HelloPolicy& policy,
                         const PublicKey& their_noise_static) {
    const auto& mine = policy.mine;
    if (theirs.version != mine.version) {
        return fail("net.version_mismatch",
                    "the peer speaks protocol " + std::to_string(theirs.version) + ", we speak " +
                        std::to_string(mine.version),
                    "handshake", "run the same release on both sides");
    }
    if (theirs.network_id != mine.network_id) {
        return fail("net.network_mismatch",
                    "another network: " + both(theirs.network_id, mine.network_id), "handshake",
                    "check the network's name in both manifests");
    }
    if (theirs.genesis != mine.genesis) {
        return fail("net.genesis_mismatch",
                    "another genesis block: " + both(theirs.genesis, mine.genesis), "handshake",
                    "use the same genesis file on both sides");
    }
    if (theirs.nonce == mine.nonce || theirs.identity == mine.identity) {
        return fail("net.self_connection", "the other side has this node's own identity",
                    "handshake", "remove this node's own address, or give each node its own key");
    }
    if (policy.expected_identity && *policy.expected_identity != theirs.identity) {
        return fail("net.identity_mismatch",
                    "expected " + to_hex(policy.expected_identity->view()) + ", found " +
                        to_hex(theirs.identity.view()),
                    "handshake", "the address belongs to another node now");
    }
    const auto preimage = hello_preimage(their_noise_static, theirs.network_id);
    if (crypto_sign_verify_detached(theirs.signature.data.data(), preimage.data(), preimage.size(),
                                    theirs.identity.data.data()) != 0) {
        return fail("net.hello_signature", "the peer did not prove the identity that it claims",
                    "handshake");
    }
    return {};
}

Handshake::Handshake(NoiseRole role, const NoiseKeyPair& static_key,
                     const NoiseKeyPair& ephemeral_key, HelloPolicy policy)
    : role_(role),
      noise_(role, view_of(kHandshakePrologue), static_key, ephemeral_key),
      policy_(std::move(policy)) {}

Result<Bytes> Handshake::start() {
    return noise_.write_message({});
}

Result<HandshakeStep> Handshake::on_message(ByteView message) {
    auto payload = noise_.read_message(message);
    if (!payload) {
        return std::unexpected(std::move(payload.error()));
    }
    HandshakeStep step;
    const bool responder_opening = role_ == NoiseRole::responder && !noise_.complete();
    if (responder_opening) {
        if (!payload->empty()) {
            return fail("net.hello_malformed", "the first handshake message carries a payload",
                        "handshake");
        }
    } else {
        auto hello = decode_hello(*payload);
        if (!hello) {
            return std::unexpected(std::move(hello.error()));
        }
        remote_ = *hello;
        const auto checked = check_hello(remote_, policy_, noise_.remote_static());
        if (!checked) {
            step.refused = checked.error();
            const auto& code = step.refused->code;
            const bool tell = code == "net.network_mismatch" || code == "net.genesis_mismatch";
            if (!tell || role_ == NoiseRole::responder) {
                return std::unexpected(std::move(*step.refused));
            }
        }
    }
    if (noise_.my_turn()) {
        auto reply = noise_.write_message(encode_hello(policy_.mine));
        if (!reply) {
            return std::unexpected(std::move(reply.error()));
        }
        step.reply = std::move(*reply);
    }
    accepted_ = noise_.complete() && !step.refused;
    return step;
}

}  // namespace synod::net
