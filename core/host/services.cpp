// SPDX-License-Identifier: Apache-2.0
#include "core/host/services.hpp"

#include <sodium.h>

#include <chrono>

namespace synod::host {
namespace {

struct SystemClock final : Clock {
    Instant mono() override {
        return std::chrono::duration_cast<Instant>(
            std::chrono::steady_clock::now().time_since_epoch());
    }
    UnixMs unix_ms() override {
        return static_cast<UnixMs>(std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch()).count());
    }
};

struct PortableHasher final : Hasher {
    void sha256d(std::span<const synod_bytes> spans, std::uint8_t* out) override {
        for (const synod_bytes& span : spans) {
            std::uint8_t once[32];
            crypto_hash_sha256(once, span.p, span.n);
            crypto_hash_sha256(out, once, sizeof once);
            out += 32;
        }
    }
};

}  // namespace

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

Hasher& portable_hasher() {
    static PortableHasher hasher;
    return hasher;
}

}  // namespace synod::host
