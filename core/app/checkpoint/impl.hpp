// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The insides of Checkpointer: checkpointer.cpp has what it knows and answers, making.cpp how one
//! is made and checked, recovering.cpp which one serves. Members belong to the control thread
//! unless they say otherwise.

#include <condition_variable>
#include <mutex>

#include "core/app/checkpoint/checkpointer.hpp"
#include "core/app/checkpoint/codec.hpp"

namespace synod::app {

struct Checkpointer::Impl : std::enable_shared_from_this<Impl> {
    //! One that is being made or verified. Used by one thread at a time: each step hands it on.
    struct Job {
        CheckpointInfo info;
        checkpoint::Contents contents;
        CommittedBlock from;
        bool keep_state = false;  //!< a check of the level full leaves what it loaded in `checked`
        CheckedState checked;
        checkpoint::Level level = checkpoint::Level::kNone;
        std::optional<NewCheckpoint> file;
        std::vector<Done<CheckpointInfo>> waiters;
    };
    using JobPtr = std::shared_ptr<Job>;
    using Then = std::function<void(Result<void>)>;

    Impl(CheckpointConfig c, CheckpointParts p, CheckpointFolder f)
        : config(std::move(c)), parts(std::move(p)), folder(std::move(f)), policy(config.policy) {}

    // checkpointer.cpp
    void scan();
    void scanned(Result<std::vector<CheckpointInfo>> found);
    void when_scanned(std::function<void()> task, std::function<void(Error)> refused);
    void try_to_make();
    void made(const JobPtr& job, Result<void> outcome);
    void prune();
    Result<CheckpointInfo> find(const std::string& which) const;
    void remember(const CheckpointInfo& info);
    [[nodiscard]] std::vector<checkpoint::Entry> entries() const;
    //! Runs a task on a strand or on the control thread unless it is closing. Any thread.
    void on_format(std::function<void()> task);
    void on_consensus(std::function<void()> task);
    void on_control(std::function<void()> task);
    void close();
    [[nodiscard]] bool is_closing() const;  //!< any thread

    // making.cpp
    void make(const JobPtr& job);
    Result<void> write(Job& job);  //!< [format]
    void publish(const JobPtr& job);
    //! Reads info.file, or what is being written, to contents. [format]
    Result<void> read(Job& job, const std::filesystem::path& file) const;
    //! From basic to the job's level; `then` on the control thread. [format]
    void check(const JobPtr& job, Then then);

    // recovering.cpp
    struct Recovery {
        std::vector<checkpoint::Candidate> order;
        std::size_t next = 0;
        std::vector<std::string> skipped;
        Done<Recovered> done;
    };
    void try_next(const std::shared_ptr<Recovery>& recovery);

    const CheckpointConfig config;
    const CheckpointParts parts;
    CheckpointFolder folder;  //!< create, publish and remove: [format]
    checkpoint::Policy policy;
    std::vector<CheckpointInfo> known;  //!< newest first
    std::optional<Error> unreadable;    //!< the folder
    CheckpointFigures figures;
    bool has_scanned = false;
    std::vector<std::function<void()>> waiting;  //!< for the scan
    std::optional<CommittedBlock> latest;
    std::vector<Done<CheckpointInfo>> asked;
    JobPtr current;

  private:
    std::function<void()> guarded(std::function<void()> task);
    mutable std::mutex mutex;  //!< of the two below
    std::condition_variable idle;
    std::size_t running = 0;
    bool closing = false;
};

//! What a file's contents say; `file` is its name.
CheckpointInfo describe(const checkpoint::Contents& contents, const Hash& root, std::string file,
                        std::uint64_t bytes);
//! Notes what reading it ended in, unless that says nothing about the file.
void mark_damaged(CheckpointInfo& info, const Error& error);

}  // namespace synod::app
