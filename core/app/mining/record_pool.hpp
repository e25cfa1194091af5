// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Finality records that hold and wait for a block to carry them. The one that reaches furthest counts:
//! it alone may end a halt. A plain value without clock or I/O; control thread.

#include <optional>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace synod::app {

//! Records that wait at once; those that reach least far go first.
inline constexpr std::size_t kMaxWaitingRecords = 4;

struct WaitingRecord {
    Hash hash;  //!< what it proves, internal order
    std::uint64_t range_start = 0, range_end = 0;
    Bytes record;
    auto operator<=>(const WaitingRecord&) const = default;
};

class RecordPool {
  public:
    //! False when it reaches no further than one that waits already.
    bool add(WaitingRecord record);
    //! Drops what begins at or below the final height: a block carries it, or one like it. Whether any went.
    bool settle(std::uint64_t final_height);
    void clear() { waiting_.clear(); }
    //! Furthest first.
    [[nodiscard]] const std::vector<WaitingRecord>& waiting() const { return waiting_; }
    //! The last height that a waiting record makes final.
    [[nodiscard]] std::optional<std::uint64_t> reach() const;

    [[nodiscard]] Bytes encode() const;
    //! What was encoded; it has to be checked anew. Errors: mining.record_damaged.
    static Result<std::vector<Bytes>> decode(ByteView bytes);

  private:
    std::vector<WaitingRecord> waiting_;
};

}  // namespace synod::app
