// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Checkpoints of a node that doesn't run: a Runtime of the plugins that it takes, the store for
//! reading, a Checkpointer. Main thread, which is the control thread here.

#include <memory>

#include "core/app/checkpoint/checkpointer.hpp"
#include "core/app/node/chain_restore.hpp"
#include "core/app/runtime.hpp"

namespace synod::app {

//! What a recovery did, or would do.
struct RecoveryReport {
    std::optional<CheckpointInfo> from;  //!< nothing: from the genesis
    std::vector<std::string> skipped;    //!< checkpoints that don't serve, each with its reason
    Restoration restored;
    Duration took{};
};
std::string to_json(const RecoveryReport& report);

class OfflineCheckpoints {
  public:
    enum class Use : std::uint8_t { kRead, kMake, kRecover };

    //! `where`: a manifest, or a data folder with genesis.yaml in it or beside it. Errors:
    //! config.*, genesis.*, plugin.*, store.* (store.locked: a node runs), checkpoint.locked.
    static Result<std::unique_ptr<OfflineCheckpoints>> open(const std::filesystem::path& where, Use use);
    ~OfflineCheckpoints();

    // One call of one of these: the control loop ends with it.
    Result<CheckpointInfo> create();
    Result<std::vector<CheckpointInfo>> list();
    Result<CheckpointInfo> verify(const std::string& which, checkpoint::Level level);
    //! Makes the store readable again from the newest checkpoint that serves, or from the one whose id
    //! is or begins with `which` ("latest": any), or from the genesis when there is none. A dry run
    //! writes nothing. Errors: checkpoint.none_usable (only of one that is named), checkpoint.missing,
    //! checkpoint.ambiguous, store.*, plugin.*.
    Result<RecoveryReport> recover(const std::string& which, bool dry_run);
    [[nodiscard]] const std::filesystem::path& dir() const { return checkpointer_->dir(); }

  private:
    OfflineCheckpoints() = default;
    //! Turns the control loop until `begin` called its argument.
    template <typename T>
    Result<T> wait(const std::function<void(Checkpointer::Done<T>)>& begin);

    std::unique_ptr<Runtime> runtime_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<Checkpointer> checkpointer_;
};

}  // namespace synod::app
