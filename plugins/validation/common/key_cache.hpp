// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Remembers what was found out about Ed25519 keys: a federation signs with few keys, and judging one costs more than
//! a signature. Bounded; safe from any thread.

#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace synod::simd {

template <class Answer>
class KeyCache {
public:
    static constexpr std::size_t kMaxKeys = 1024;  // keys; when full it starts anew

    //! find(key), from memory when it was asked before. Two threads may both ask the first time. Throws what copying
    //! an Answer and `find` throw, and std::bad_alloc.
    template <class Find>
    Answer of(const std::uint8_t* key, Find&& find) {
        Key name;
        std::memcpy(name.data(), key, name.size());
        {
            const std::shared_lock lock(mutex_);
            if (const auto found = known_.find(name); found != known_.end()) {
                return found->second;
            }
        }
        const Answer answer = find(key);
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
    std::unordered_map<Key, Answer, Hash> known_;
};

}  // namespace synod::simd
