// SPDX-License-Identifier: Apache-2.0
//! The decoder on arbitrary bytes, and an encoded frame that must come back whole.
#include <cstdlib>

#include "core/net/frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace synod;
    using namespace synod::net;
    const Bytes key(32, 7);
    std::vector<SharedBytes> out;
    FrameDecoder raw{CipherState(key)};
    (void)raw.feed({data, size}, out);
    if (!out.empty() || raw.buffered() > size) {
        std::abort();  // a forged frame, or more memory than bytes received
    }
    Bytes wire;
    FrameEncoder encoder{CipherState(key)};
    FrameDecoder decoder{CipherState(key)};
    if (encoder.append(ByteView(data, size), wire)) {
        if (!decoder.feed(wire, out) || out.size() != 1 ||
            Bytes(out[0].view.begin(), out[0].view.end()) != Bytes(data, data + size)) {
            std::abort();
        }
    }
    return 0;
}
