// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The control door's methods about checkpoints: checkpoint.create {"kind"?}, checkpoint.list,
//! checkpoint.verify {"id", "level"?}, checkpoint.remove {"id"}. They run on the I/O thread and
//! hand everything to the control thread. Results: the JSON of to_json(CheckpointInfo); of list
//! {"dir", "checkpoints"}.

#include "core/app/checkpoint/checkpointer.hpp"
#include "core/control/server.hpp"

namespace synod::app {

//! `deliver` posts to the control thread. The Checkpointer outlives the server.
void add_checkpoint_methods(control::Handlers& handlers,
                            std::function<void(std::function<void()>)> deliver,
                            Checkpointer& checkpointer);

//! The result of checkpoint.list.
std::string to_json(const std::filesystem::path& dir, const std::vector<CheckpointInfo>& list);

}  // namespace synod::app
