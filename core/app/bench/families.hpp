// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The families, one function and one file each. Every one gives all the figures of its family, absent
//! or failed ones with the reason. Main thread.

#include <vector>

#include "core/app/bench/figure.hpp"
#include "core/app/bench/workspace.hpp"

namespace synod::app::bench {

using Figures = std::vector<Figure>;

Figures bench_hash(Workspace& work);
Figures bench_verify(Workspace& work);
Figures bench_pipeline(Workspace& work);
Figures bench_sync(Workspace& work);
Figures bench_store(Workspace& work);
Figures bench_bus(Workspace& work);
Figures bench_abi(Workspace& work);
Figures bench_tip(Workspace& work);
Figures bench_slots(Workspace& work);
Figures bench_memory(Workspace& work);
Figures bench_restart(Workspace& work);

//! All figures of a family, failed for one reason.
Figures all_failed(std::string_view family, const Error& why);

}  // namespace synod::app::bench
