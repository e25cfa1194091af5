// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The plugins that were linked into this program, from the list that CMake was given
//! (SYNOD_STATIC_PLUGINS). They pass the same checks as libraries do.

#include <synod/abi.h>

#include <vector>

namespace synod::app {

std::vector<const synod_entry*> static_plugins();

}  // namespace synod::app
