// SPDX-License-Identifier: Apache-2.0
//! Arbitrary bytes as handshake messages to both roles; none may complete a handshake.
#include <algorithm>
#include <cstdlib>

#include "core/net/identity.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace synod;
    using namespace synod::net;
    static const auto key = NoiseKeyPair::from_secret(Bytes(32, 5));
    static const auto ephemeral = NoiseKeyPair::from_secret(Bytes(32, 6));
    HelloPolicy policy;
    const auto first = std::min<std::size_t>(size, 32);
    Handshake responder(NoiseRole::responder, key, ephemeral, policy);
    (void)responder.on_message({data, first});
    (void)responder.on_message({data + first, size - first});
    Handshake initiator(NoiseRole::initiator, key, ephemeral, policy);
    (void)initiator.start();
    (void)initiator.on_message({data, size});
    (void)decode_hello({data, size});
    if (responder.complete() || initiator.complete()) {
        std::abort();
    }
    return 0;
}
