// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The control door's methods about evidence: evidence.list -> {"evidence": [...]} without the bytes,
//! evidence.show {"id"} -> one with its bytes in hex; an id's first 8 characters or more will do. They hand
//! everything to the control thread. Errors: control.invalid_params, evidence.unknown.

#include <functional>

#include "core/app/evidence/evidence_book.hpp"
#include "core/control/server.hpp"

namespace synod::app {

//! `deliver` posts to the control thread, where `book` is asked for.
void add_evidence_methods(control::Handlers& handlers, std::function<void(std::function<void()>)> deliver,
                          std::function<const EvidenceBook&()> book);

}  // namespace synod::app
