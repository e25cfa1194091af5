// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The folder of checkpoints. A checkpoint appears whole or not at all: it is written beside the
//! others under a temporary name, synced, checked by whoever writes it, renamed, and the folder is
//! synced. A crash at any point leaves the others as they were and at most a temporary file, which
//! the next writer removes. One writer, by a lock on the folder; readers need none, since a
//! published file never changes. Functions block on the disk: never on the control or the I/O
//! thread, but at start.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/contents.hpp"
#include "core/store/folder_lock.hpp"

namespace synod::app {

//! Bytes of one file, written or read.
inline constexpr std::uint64_t kMaxCheckpointFileBytes = 256u << 20;
//! Files of a folder that are looked at; more is an error, not a long wait.
inline constexpr std::size_t kMaxCheckpointFiles = 20'000;

//! Where a writer stands; for tests that kill it there.
enum class CheckpointStep : std::uint8_t {
    kCreated,
    kHalfWritten,
    kWritten,
    kSynced,
    kVerified,
    kRenamed,
    kFolderSynced
};
using StepHook = std::function<void(CheckpointStep)>;

//! "<height, 12 digits>-<id, 32 hex>.checkpoint"
std::string checkpoint_file_name(std::uint64_t height, const checkpoint::Id& id);

struct CheckpointFile {
    std::string name;
    std::uint64_t height = 0;  //!< by its name
    checkpoint::Id id;         //!< by its name
    std::uint64_t bytes = 0;
};

//! A file that is being written. Destroyed before publish(): removed.
class NewCheckpoint {
  public:
    NewCheckpoint(NewCheckpoint&& other) noexcept;
    NewCheckpoint& operator=(NewCheckpoint&&) = delete;
    ~NewCheckpoint();
    //! Errors: checkpoint.io, checkpoint.too_large.
    Result<void> write(ByteView bytes);
    //! Everything is on the disk afterwards. Errors: checkpoint.io.
    Result<void> sync();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  private:
    friend class CheckpointFolder;
    NewCheckpoint(int fd, std::filesystem::path path, std::string name, StepHook hook);
    void step(CheckpointStep at) const;

    int fd_;
    std::filesystem::path path_;  //!< temporary
    std::string name_;            //!< final
    StepHook hook_;
    std::uint64_t bytes_ = 0;
};

class CheckpointFolder {
  public:
    //! `writer`: makes the folder, takes its lock, removes temporary files. A reader's folder may
    //! be missing: then it is empty. Errors: checkpoint.locked, checkpoint.io.
    static Result<CheckpointFolder> open(std::filesystem::path dir, bool writer,
                                         StepHook hook = {});

    //! Every checkpoint by its name, in no order; other files are left alone and not listed.
    //! Errors: checkpoint.io, checkpoint.too_many.
    [[nodiscard]] Result<std::vector<CheckpointFile>> list() const;
    //! Errors: checkpoint.io; checkpoint.exists.
    Result<NewCheckpoint> create(std::uint64_t height, const checkpoint::Id& id);
    //! The file counts from here on. Errors: checkpoint.io.
    Result<void> publish(NewCheckpoint file);
    //! A missing one is success. Errors: checkpoint.io.
    Result<void> remove(const std::string& name);
    [[nodiscard]] std::filesystem::path path_of(const std::string& name) const {
        return dir_ / name;
    }
    [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }

  private:
    CheckpointFolder(std::filesystem::path dir, StepHook hook)
        : dir_(std::move(dir)), hook_(std::move(hook)) {}
    void remove_leftovers() const;

    std::filesystem::path dir_;
    StepHook hook_;
    store::FolderLock lock_;
};

//! Reads a file from its start. Errors of open: checkpoint.missing, checkpoint.io,
//! checkpoint.too_large.
class CheckpointReader {
  public:
    static Result<CheckpointReader> open(const std::filesystem::path& file);
    CheckpointReader(CheckpointReader&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_) {}
    CheckpointReader& operator=(CheckpointReader&&) = delete;
    ~CheckpointReader();
    //! Up to `capacity` bytes; 0 at the end; nothing on a failure of the disk.
    std::optional<std::size_t> read(std::uint8_t* buffer, std::size_t capacity);
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  private:
    CheckpointReader(int fd, std::uint64_t bytes) : fd_(fd), bytes_(bytes) {}
    int fd_;
    std::uint64_t bytes_;
};

}  // namespace synod::app
