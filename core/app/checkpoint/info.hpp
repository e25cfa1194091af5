// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What people and status are told of one checkpoint. A value; any thread.

#include <string>

#include "core/checkpoint/choice.hpp"

namespace synod::app {

struct CheckpointInfo {
    std::string id;    //!< 32 hexadecimal characters
    std::string file;  //!< its name in the folder of checkpoints
    std::uint64_t height = 0;
    Hash block;
    Hash root;           //!< content root; zero while damaged
    std::string parent;  //!< id; empty: none
    std::string kind;    //!< interval, on-demand, emergency, upgrade
    UnixMs created = 0;
    std::uint64_t bytes = 0;  //!< of the file
    //! The most thorough check that it passed in this process; none with `damaged` set: it failed.
    checkpoint::Level verified = checkpoint::Level::kNone;
    std::string damaged;  //!< empty, or why it can't be used: "code: message"
};

struct CheckpointFigures {
    std::uint64_t made = 0, failed = 0;  //!< since the start
};

//! As JSON text: an object with the members above, `created` as created_unix_ms, `root`, `parent`
//! and `damaged` null when there is none.
std::string to_json(const CheckpointInfo& info);

}  // namespace synod::app
