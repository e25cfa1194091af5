// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Remembers which Ed25519 keys are valid: a federation signs with few keys, and judging one costs more than a
//! signature. Bounded; safe from any thread.

#include <synod/extra/ed25519_rule.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace synod::simd {

class KeyCache {
public:
    static constexpr std::size_t kMaxKeys = 1024;  // keys; when full it starts anew

    //! key_is_valid(key), from memory when it was asked before. Throws std::bad_alloc.
    bool valid(const std::uint8_t* key) {
        Key name;
        std::memcpy(name.data(), key, name.size());
        {
            const std::shared_lock lock(mutex_);
            if (const auto found = known_.find(name); found != known_.end()) {
                return found->second;
            }
        }
        const bool answer = ed25519::key_is_valid(key);
        const std::unique_lock lock(mutex_);
        if (known_.size() >= kMaxKeys) {
            known_.clear();
        }
        known_.emplace(name, answer);
        return answer;
    }

private:
    using Key = std::array<std::uint8_t, 32>;
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept {
            std::size_t h;
            std::memcpy(&h, key.data(), sizeof h);
            return h;
        }
    };
    std::shared_mutex mutex_;
    std::unordered_map<Key, bool, Hash> known_;
};

}  // namespace synod::simd
