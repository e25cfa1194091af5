// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Who of the federation produced in its slots and who missed them, as far as this node saw it since its
//! start. A plain value; control thread. Whose slot it was is the consensus plugin's to say.

#include <cstdint>
#include <vector>

#include "core/base/bytes.hpp"

namespace synod::app {

//! Slots of one gap between two blocks that are counted; of a longer one the newest.
inline constexpr std::uint64_t kMaxCountedGap = 256;

struct Attendant {
    std::uint32_t index = 0;
    PublicKey key;
    std::uint64_t blocks = 0;       //!< seen in its slots
    std::uint64_t missed = 0;       //!< slots of its that have no block
    std::uint64_t last_height = 0;  //!< of its newest block; 0: none seen
    std::uint64_t last_slot = 0;
};

class Attendance {
  public:
    //! The head moved to a block of this slot: the slots that it settles, oldest first, the block's own the
    //! last. The first call settles nothing, and a slot is settled once.
    std::vector<std::uint64_t> settle(std::uint64_t head_slot);
    //! This authority has this place; who had it before is forgotten with its counts.
    void know(std::uint32_t index, const PublicKey& key);
    //! The slot was this authority's; `height` is the block's, 0 when there is none.
    void count(std::uint64_t slot, std::uint32_t index, const PublicKey& key, std::uint64_t height);
    //! By index.
    [[nodiscard]] const std::vector<Attendant>& list() const { return list_; }

  private:
    std::uint64_t settled_ = 0;
    std::vector<Attendant> list_;
};

}  // namespace synod::app
