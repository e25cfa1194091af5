// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Makes, lists, verifies and removes checkpoints. Its functions belong to the control thread and
//! return at once; the work is done on the strands of the consensus and of the format plugin, and
//! ends with a call of `done` on the control thread. One checkpoint is made at a time. It decides
//! nothing: when, what and which are core/checkpoint's.

#include <memory>
#include <optional>

#include "core/app/checkpoint/chain_check.hpp"
#include "core/app/checkpoint/files.hpp"
#include "core/app/checkpoint/info.hpp"
#include "core/checkpoint/policy.hpp"
#include "core/host/manifest/manifest.hpp"
#include "core/pipeline/pipeline.hpp"

namespace synod::app {

//! Requests that wait for the folder to be read, or for one checkpoint; more are refused.
inline constexpr std::size_t kMaxCheckpointWaiters = 64;

struct CheckpointConfig {
    std::filesystem::path dir;
    checkpoint::PolicyConfig policy;
    std::size_t keep = 10;
    checkpoint::Level verification = checkpoint::Level::kFull;
    Hash genesis;
    std::string version;  //!< of the program
    //! false: lists and verifies; makes and removes nothing and takes no lock.
    bool writer = true;
    StepHook hook;  //!< for tests
};

//! The manifest's section `checkpoint`.
CheckpointConfig checkpoint_config(const host::Manifest& manifest, const Hash& genesis);

//! What it stands on. All of it outlives the Checkpointer.
struct CheckpointParts {
    pipeline::Pipeline& pipeline;
    store::Store& store;
    host::Instance& format;  //!< of kind synod.checkpoint/1
    //! Runs a task as [worker] of `format`, never two at once.
    std::function<void(std::function<void()>)> on_format;
    //! Runs a task on the control thread. Any thread.
    std::function<void(std::function<void()>)> deliver;
    //! Both on the control thread; may be empty.
    std::function<void(const CheckpointInfo&)> created;
    std::function<void(const Error&)> failed;
    host::Clock& clock = host::system_clock();
};

struct RecoveryRequest {
    std::optional<checkpoint::Id> named;      //!< only this one, however old
    std::optional<std::uint64_t> max_height;  //!< none above it
    std::optional<std::uint64_t> max_age_ms;
};

//! A state to go on from, and why newer checkpoints weren't taken ("<file> <code>: ...", newest
//! first).
struct Recovered {
    CheckpointInfo info;
    pipeline::State state;  //!< after info.height; nobody else holds it
    synod_weight weight{};
    std::vector<std::string> skipped;
};

class Checkpointer {
  public:
    template <typename T>
    using Done = std::function<void(Result<T>)>;

    //! Opens the folder (blocking, a writer removes leftovers) and begins to read what is in it on
    //! a worker. Errors: checkpoint.locked, checkpoint.io.
    static Result<std::unique_ptr<Checkpointer>> open(CheckpointConfig config,
                                                      CheckpointParts parts);
    ~Checkpointer();  //!< close()

    //! The committed block moved. Cheap: makes one only when it is due and none is being made. Give
    //! the newest state at or below the committed block: while a node catches up it has none of
    //! that very block. A null state changes nothing. Both blocks are stored already.
    void on_committed(CommittedBlock block);
    //! Makes one of the newest committed block whatever the interval says. Errors for `done`:
    //! checkpoint.no_state (nothing was committed yet), checkpoint.read_only, checkpoint.busy,
    //! checkpoint.*, plugin.*, store.*.
    void create_now(checkpoint::Kind kind, Done<CheckpointInfo> done);
    //! The newest usable one; nothing until the folder was read.
    [[nodiscard]] std::optional<CheckpointInfo> last() const;
    //! Newest first, damaged ones included. Waits until the folder was read. Errors:
    //! checkpoint.busy, checkpoint.io.
    void list(Done<std::vector<CheckpointInfo>> done);
    //! `which`: "latest" (the newest, damaged or not), an id or a beginning of one that is unique.
    //! Errors: checkpoint.missing, checkpoint.ambiguous, checkpoint.misnamed, those of
    //! decode_checkpoint, check_checkpoint; checkpoint.certificate.
    void verify(std::string which, checkpoint::Level level, Done<CheckpointInfo> done);
    //! Errors: checkpoint.missing, checkpoint.ambiguous, checkpoint.last_verified (the newest
    //! verified one stays), checkpoint.read_only, checkpoint.io.
    void remove(std::string which, Done<CheckpointInfo> done);
    //! The newest one that passes the level full, its state loaded. Changes nothing, neither files
    //! nor the store. Errors: checkpoint.none_usable (the message says why each isn't),
    //! checkpoint.busy, checkpoint.io.
    void recover(RecoveryRequest request, Done<Recovered> done);
    [[nodiscard]] bool making() const;
    //! Control thread.
    [[nodiscard]] CheckpointFigures figures() const;
    [[nodiscard]] const std::filesystem::path& dir() const;
    //! Nothing is begun any more; returns when no task of it runs. Control thread, before what it
    //! stands on goes. A checkpoint that was being made is dropped.
    void close();

  private:
    struct Impl;
    explicit Checkpointer(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace synod::app
