// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The checks of one batch as columns: the consensus plugin writes them (synod_check_writer), the
//! validation backend answers them, and the first failure in chain order is read back. Owned by one
//! job; used by one thread at a time. Memory that the plugin asks for lives until the set is emptied or
//! destroyed.

#include <synod/consensus.h>
#include <synod/validation.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/bytes.hpp"

namespace synod::pipeline {

//! Scratch that one batch's plan may ask for, in bytes; past it the plugin is told that none is left.
inline constexpr std::size_t kMaxArenaBytes = 64u << 20;

//! A check that did not hold: the block's index in the run and the plugin's number for the rule.
struct FailedCheck {
    std::uint32_t block = 0;
    std::uint32_t rule = 0;
};

//! A set that is emptied keeps the memory of so many checks and of so much scratch for the next batch.
inline constexpr std::size_t kKeptChecks = 65'536;
inline constexpr std::size_t kKeptArenaBytes = 256u << 10;

class CheckSet {
  public:
    CheckSet();
    CheckSet(const CheckSet&) = delete;
    CheckSet& operator=(const CheckSet&) = delete;

    //! As new, but for memory that it keeps, so that a batch like the last one allocates nothing.
    void clear();

    //! What is handed to the plugin; stays valid as long as the set.
    [[nodiscard]] const synod_check_writer* writer() const { return &writer_; }
    //! The columns with every verdict set to unknown. Pointers stay valid until the set changes.
    synod_check_batch batch();
    //! After the backend answered: the failure with the lowest block, then the lowest rule. A
    //! verdict that was left unknown counts as a failure.
    [[nodiscard]] std::optional<FailedCheck> first_failure() const;
    [[nodiscard]] std::size_t size() const;
    //! The highest block index that any check stands for; 0 when there are none.
    [[nodiscard]] std::uint32_t last_block() const { return last_block_; }
    //! A check came without its bytes. Such a set must not reach a backend.
    [[nodiscard]] bool has_null() const { return has_null_; }
    //! Every verdict is there: holds or fails.
    [[nodiscard]] bool answered() const;
    //! What it is about, for a crash's report: the height of the run's first block; 0: unknown.
    [[nodiscard]] std::uint64_t number() const { return number_; }
    void set_number(std::uint64_t number) { number_ = number; }
    [[nodiscard]] std::size_t signatures() const { return signatures_.at.size(); }
    //! Verdict bytes of all groups in order, for comparing two backends.
    [[nodiscard]] Bytes verdicts() const;
    //! Where they differ from these: how often, and the first place. `other` is of verdicts() of this set.
    struct Difference {
        std::size_t count = 0;
        const char* kind = "";    //!< signature, digest, merkle root or target
        std::uint32_t block = 0;  //!< index in the run
        std::uint8_t here = 0, there = 0;
    };
    [[nodiscard]] Difference difference(ByteView other) const;

  private:
    struct Where {
        std::uint32_t block, rule;
    };
    struct Group {
        std::vector<Where> at;
        Bytes verdicts;
    };

    std::uint8_t* allocate(std::uint64_t bytes);
    void add(Group& group, std::uint32_t block, std::uint32_t rule,
             std::initializer_list<const std::uint8_t*> spans);

    synod_check_writer writer_{};
    std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
    std::size_t chunk_used_ = 0, chunk_size_ = 0, first_chunk_bytes_ = 0, arena_bytes_ = 0;

    std::uint32_t last_block_ = 0;
    bool has_null_ = false;
    std::uint64_t number_ = 0;
    Group signatures_, digests_, merkles_, targets_;
    std::vector<const std::uint8_t*> keys_, sigs_;
    std::vector<synod_bytes> messages_, spans_;
    std::vector<const std::uint8_t*> digest_values_;
    std::vector<const std::uint8_t*> leaves_, roots_;
    std::vector<std::uint64_t> leaf_counts_;
    std::vector<const std::uint8_t*> headers_, target_values_;
};

}  // namespace synod::pipeline
