// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The long look at a whole file: what Store::check answers. Uses its own connection.

#include "core/store/store.hpp"

namespace synod::store {

class Database;

//! Reads everything in one snapshot. Damage goes into the report; an Error means that the check
//! itself could not run (store.io, store.no_memory, store.locked).
Result<IntegrityReport> check_database(Database& db);

}  // namespace synod::store
