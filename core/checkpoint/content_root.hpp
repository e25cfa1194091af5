// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The content root: one hash over the logical records, whatever format carries them. A Merkle tree
//! of BLAKE2b-256 keyed with the text "synod checkpoint content root/1" (RFC 7693 keying), with a
//! prefix byte for each kind of input, so that a leaf never passes for a node (as RFC 6962, section
//! 2.1, whose tree shape it has):
//!   leaf  H(00 | section u32 LE | key length u32 LE | key | value)
//!   node  H(01 | left 32 | right 32); a node without a right neighbour moves up unchanged
//!   root  H(02 | number of records u64 LE | topmost node 32, or 32 zero bytes when there is none)
//! Records come strictly ascending by section, then key; `seal` is not among them. Plain state; one
//! thread; memory is one hash a level.

#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace synod::checkpoint {

class ContentRoot {
  public:
    //! Errors: checkpoint.order (not after the one before, or a record of `seal`),
    //! checkpoint.too_large (key, value, their number or their sum).
    Result<void> add(std::uint32_t section, ByteView key, ByteView value);
    //! The root of what was added; more may be added afterwards.
    [[nodiscard]] Hash root() const;
    [[nodiscard]] std::uint64_t records() const { return records_; }

  private:
    std::vector<Hash> levels_;  //!< levels_[i] is used when bit i of records_ is set
    std::uint64_t records_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint32_t last_section_ = 0;
    Bytes last_key_;
};

}  // namespace synod::checkpoint
