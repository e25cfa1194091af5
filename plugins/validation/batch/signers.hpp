// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Keys that were seen before, with the multiples of each that the equation wants.

#include "common/key_cache.hpp"
#include "points.hpp"

#include <synod/extra/ed25519_rule.hpp>

#include <memory>

namespace synod::batch {

//! Null for a key that the rule refuses. One is 8 KiB, so a full cache holds 8 MiB.
using Signer = std::shared_ptr<const FixedPoint>;

class Signers {
public:
    //! Throws std::bad_alloc. Any thread.
    Signer of(const std::uint8_t* key) {
        return cache_.of(key, [](const std::uint8_t* unknown) -> Signer {
            if (!ed25519::key_is_valid(unknown)) {
                return nullptr;
            }
            auto known = std::make_shared<FixedPoint>();
            return make_fixed(unknown, *known) ? std::move(known) : nullptr;
        });
    }

private:
    simd::KeyCache<Signer> cache_;
};

}  // namespace synod::batch
