// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Which checkpoints to keep, and which to try first when one is needed. Pure functions over what
//! is known of each file; the files themselves are the app's.

#include <string>
#include <vector>

#include "core/checkpoint/contents.hpp"

namespace synod::checkpoint {

//! How thoroughly a checkpoint is checked. basic: it can be read and its content root holds. full:
//! its block is on our chain, the state that it holds is that block's, by the state root in the
//! block's header, and the block's certificate holds when the checkpoint has one.
enum class Level : std::uint8_t { kNone, kBasic, kFull };
std::string_view name(Level level);
std::optional<Level> level_of(std::string_view text);

//! What is known of a file: nothing but its metadata, that its content root (at least) holds, or
//! that it can't be used.
enum class Standing : std::uint8_t { kUnknown, kVerified, kDamaged };

struct Entry {
    std::string file;   //!< its name, unique
    Metadata metadata;  //!< of a damaged one only what its name says
    Standing standing = Standing::kUnknown;
    std::string why;  //!< damaged: the error
};

//! Damaged files that are kept as evidence.
inline constexpr std::size_t kKeptDamaged = 2;

//! Newest first: by height, then creation time, then id.
void sort_newest_first(std::vector<Entry>& entries);

//! Names of the files to remove so that `keep` usable ones stay (at least one). The newest verified
//! one is never among them.
std::vector<std::string> surplus(std::vector<Entry> entries, std::size_t keep);

struct RecoveryLimits {
    Hash genesis;                             //!< of the chain to recover
    std::optional<std::uint64_t> max_height;  //!< for example the last final block's
    //! Refuse what is older, in ms; for example the key-retirement window. One that is named may
    //! be.
    std::optional<std::uint64_t> max_age_ms;
    UnixMs now = 0;
    std::optional<Id> named;  //!< only this one, however old
};

struct Candidate {
    Entry entry;
    //! Empty: try it. Otherwise why it is skipped, as "code: reason"; codes are checkpoint.damaged,
    //! .newer, .other_chain, .too_high, .stale, .not_named.
    std::string skipped;
};

//! All of them, newest first.
std::vector<Candidate> recovery_order(std::vector<Entry> entries, const RecoveryLimits& limits);

}  // namespace synod::checkpoint
