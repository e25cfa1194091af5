// SPDX-License-Identifier: Apache-2.0
#pragma once
//! By what gossip is known again. Plain values.

#include <sodium.h>

#include <unordered_set>

#include "core/base/bytes.hpp"

namespace synod::app {

//! BLAKE2b of 32 bytes.
inline Hash gossip_digest(ByteView bytes) {
    Hash out;
    crypto_generichash(out.data.data(), out.size(), bytes.data(), bytes.size(), nullptr, 0);
    return out;
}

//! What came already, so that each piece is looked at and passed on once. A full memory forgets everything: then some
//! come once more, which costs time and nothing else.
class SeenGossip {
  public:
    //! `most`: pieces remembered.
    explicit SeenGossip(std::size_t most) : most_(most) {}
    //! Notes it; false when it was noted before.
    bool first_time(ByteView bytes) {
        if (digests_.size() >= most_) {
            digests_.clear();
        }
        return digests_.insert(gossip_digest(bytes)).second;
    }
    //! It may hold in a moment: let it come again.
    void forget(ByteView bytes) { digests_.erase(gossip_digest(bytes)); }

  private:
    const std::size_t most_;
    std::unordered_set<Hash> digests_;
};

}  // namespace synod::app
