// SPDX-License-Identifier: Apache-2.0
#pragma once
//! By what gossip is known again. Pure; any thread.

#include <sodium.h>

#include "core/base/bytes.hpp"

namespace synod::app {

//! BLAKE2b of 32 bytes.
inline Hash gossip_digest(ByteView bytes) {
    Hash out;
    crypto_generichash(out.data.data(), out.size(), bytes.data(), bytes.size(), nullptr, 0);
    return out;
}

}  // namespace synod::app
