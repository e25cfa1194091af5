// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A batch of checks that a backend may hold on to: all that it points to is copied. A backend that may
//! answer PENDING gets one, so that the host can give up on it without waiting for its memory: what such
//! a backend still reads and writes afterwards is its copy alone. One thread at a time on our side.

#include <synod/validation.h>

#include <memory>
#include <vector>

#include "core/base/bytes.hpp"

namespace synod::pipeline {

class LentBatch {
  public:
    //! Ticket, deadline and flags are those of `of`; every verdict is unknown.
    explicit LentBatch(const synod_check_batch& of);
    LentBatch(const LentBatch&) = delete;
    LentBatch& operator=(const LentBatch&) = delete;

    [[nodiscard]] const synod_check_batch* batch() const { return &batch_; }
    //! Copies the verdicts to the batch that this is a copy of.
    void give_back(const synod_check_batch& to) const;
    //! Never frees it: a backend that never completed it may write to it as long as the process lives.
    static void abandon(std::shared_ptr<const LentBatch> lent);

  private:
    const std::uint8_t* copy(const std::uint8_t* bytes, std::size_t n);
    std::vector<const std::uint8_t*> copy(const std::uint8_t* const* column, std::uint64_t rows,
                                          std::size_t n);
    std::vector<synod_bytes> copy(const synod_bytes* column, std::uint64_t rows);
    std::uint8_t* unknown(std::uint64_t rows);

    synod_check_batch batch_{};
    Bytes bytes_, verdicts_;  // never grow: what points into them stays
    std::size_t used_ = 0, verdicts_used_ = 0;
    std::vector<const std::uint8_t*> keys_, signatures_, digests_, leaves_, roots_, headers_, targets_;
    std::vector<synod_bytes> messages_, spans_;
    std::vector<std::uint64_t> leaf_counts_;
};

}  // namespace synod::pipeline
