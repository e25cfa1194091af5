// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Evidence that an operator names: by the id under which a running node knows it, or as a file. Main thread.

#include <string>

#include "core/base/result.hpp"

namespace synod::app {

struct NamedEvidence {
    std::string bytes;   //!< hex; what they prove is not looked at
    std::string author;  //!< public key in hex; empty when the source doesn't say
};

//! `what` is a file, if there is one of that name: what `synod evidence show --json` printed, or the bytes in hex.
//! Else an id, 8 digits of it or more, and the node whose manifest or data folder is `node` is asked.
//! Errors: evidence.file; config.*, control.*, evidence.unknown, evidence.ambiguous.
Result<NamedEvidence> evidence_from(const std::string& node, const std::string& what);

}  // namespace synod::app
