// SPDX-License-Identifier: Apache-2.0
#pragma once
//! When to take a checkpoint: each time the committed height passes a multiple of the interval, and
//! when asked; never two at once. A state machine that is told the time; one thread, the owner's.

#include <optional>

#include "core/base/time.hpp"
#include "core/checkpoint/contents.hpp"

namespace synod::checkpoint {

struct PolicyConfig {
    std::uint64_t interval = 1'000;  //!< committed blocks; 0: only when asked
    //! Between two that the interval asks for: while a node catches up, thousands of blocks a
    //! second pass, and one checkpoint in a while is enough.
    Duration min_gap = std::chrono::seconds(10);
    //! After a failure, doubled with each further one up to retry_max.
    Duration retry_first = std::chrono::seconds(10);
    Duration retry_max = std::chrono::minutes(10);
};

class Policy {
  public:
    //! `last_height`: of the newest checkpoint that is there already.
    explicit Policy(PolicyConfig config, std::optional<std::uint64_t> last_height = {});

    //! What to make now, if anything; then `making()` until done() or failed(). Height: committed.
    std::optional<Kind> due(std::uint64_t height, Instant now);
    //! Asked for by somebody: the next due() answers `kind`, whatever height and time it is. Of two
    //! requests the first stands.
    void ask(Kind kind);
    void begin();
    void done(std::uint64_t height, Instant now);
    void failed(Instant now);
    [[nodiscard]] bool making() const { return making_; }
    [[nodiscard]] std::uint32_t failures() const { return failures_; }  //!< in a row

  private:
    PolicyConfig config_;
    std::optional<std::uint64_t> last_height_;
    std::optional<Instant> last_done_;
    std::optional<Instant> not_before_;
    std::optional<Kind> asked_;
    std::uint32_t failures_ = 0;
    bool making_ = false;
};

}  // namespace synod::checkpoint
