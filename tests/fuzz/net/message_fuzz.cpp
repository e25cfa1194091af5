// SPDX-License-Identifier: Apache-2.0
//! Whatever decodes has exactly one encoding: the bytes that it came from.
#include <cstdlib>

#include "core/net/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace synod;
    const Bytes bytes(data, data + size);
    const auto message = net::decode_message(SharedBytes(bytes));
    if (message && net::encode_message(*message) != bytes) {
        std::abort();
    }
    return 0;
}
