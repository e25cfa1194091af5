// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What authorities said lately, one statement of each for a slot, so that a second one is noticed. A plain
//! value; control thread. What a testimony is, is the consensus plugin's.

#include <cstdint>
#include <map>
#include <optional>

#include "core/base/bytes.hpp"

namespace synod::app {

//! Statements that are remembered; those of the oldest slots go first.
inline constexpr std::size_t kMaxTestimonies = 8'192;

struct Said {
    std::uint64_t slot = 0;
    std::uint32_t purpose = 0;  //!< SYNOD_SIGN_PROPOSE or SYNOD_SIGN_APPROVE
    std::uint32_t author = 0;   //!< index
    Hash block;
};

class Testimonies {
  public:
    //! What the same authority said otherwise for the slot; nothing when this is its first statement, or the
    //! same again.
    std::optional<Bytes> note(const Said& said, Bytes testimony);
    [[nodiscard]] bool knows(const Said& said) const;
    [[nodiscard]] std::size_t size() const { return known_.size(); }

  private:
    using Key = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>;
    struct Known {
        Hash block;
        Bytes testimony;
    };
    static Key key_of(const Said& said) { return {said.slot, said.purpose, said.author}; }
    std::map<Key, Known> known_;
};

}  // namespace synod::app
