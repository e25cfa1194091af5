// SPDX-License-Identifier: Apache-2.0
#include "core/app/checkpoint/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

namespace synod::app {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".checkpoint";
constexpr std::string_view kTemporary = ".tmp";
constexpr std::string_view kLock = "checkpoints.lock";
constexpr std::size_t kHeightDigits = 12, kIdDigits = 32;

std::unexpected<Error> io(const std::string& what, const fs::path& path) {
    return fail("checkpoint.io", what + ": " + std::generic_category().message(errno),
                path.string(), "look at the disk and at the folder's owner and mode");
}

std::optional<CheckpointFile> parse_name(const std::string& name) {
    CheckpointFile out;
    out.name = name;
    const auto dash = name.find('-');
    if (!name.ends_with(kSuffix) || dash == std::string::npos || dash < kHeightDigits ||
        dash > 20) {
        return std::nullopt;
    }
    const auto* end = name.data() + dash;
    const auto height = std::from_chars(name.data(), end, out.height);
    const auto id = fixed_from_hex<checkpoint::Id>(
        std::string_view(name).substr(dash + 1, std::min(kIdDigits, name.size())));
    if (height.ec != std::errc{} || height.ptr != end || !id ||
        name != checkpoint_file_name(out.height, *id)) {
        return std::nullopt;
    }
    out.id = *id;
    return out;
}

}  // namespace

std::string checkpoint_file_name(std::uint64_t height, const checkpoint::Id& id) {
    auto digits = std::to_string(height);
    if (digits.size() < kHeightDigits) {
        digits.insert(0, kHeightDigits - digits.size(), '0');
    }
    return digits + "-" + to_hex(id.view()) + std::string(kSuffix);
}

// ---- one that is being written
// -------------------------------------------------------------------

NewCheckpoint::NewCheckpoint(int fd, fs::path path, std::string name, StepHook hook)
    : fd_(fd), path_(std::move(path)), name_(std::move(name)), hook_(std::move(hook)) {}

NewCheckpoint::NewCheckpoint(NewCheckpoint&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::exchange(other.path_, {})),
      name_(std::move(other.name_)),
      hook_(std::move(other.hook_)),
      bytes_(other.bytes_) {}

NewCheckpoint::~NewCheckpoint() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    if (!path_.empty()) {
        std::error_code ignored;  // the next writer removes what can't be removed now
        fs::remove(path_, ignored);
    }
}

void NewCheckpoint::step(CheckpointStep at) const {
    if (hook_) {
        hook_(at);
    }
}

Result<void> NewCheckpoint::write(ByteView bytes) {
    if (bytes.size() > kMaxCheckpointFileBytes - bytes_) {
        return fail("checkpoint.too_large", "the file would be larger than 256 MiB",
                    path_.string());
    }
    const bool first = bytes_ == 0;
    while (!bytes.empty()) {
        const auto n = ::write(fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return io("writing failed", path_);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(n));
        bytes_ += static_cast<std::uint64_t>(n);
    }
    if (first) {
        step(CheckpointStep::kHalfWritten);
    }
    return {};
}

Result<void> NewCheckpoint::sync() {
    step(CheckpointStep::kWritten);
    if (::fsync(fd_) != 0) {
        return io("syncing failed", path_);
    }
    step(CheckpointStep::kSynced);
    return {};
}

// ---- the folder
// -----------------------------------------------------------------------------------

Result<CheckpointFolder> CheckpointFolder::open(fs::path dir, bool writer, StepHook hook) {
    CheckpointFolder out(std::move(dir), std::move(hook));
    if (!writer) {
        return out;
    }
    std::error_code error;
    fs::create_directories(out.dir_, error);
    if (error) {
        return fail("checkpoint.io", "can't make the folder: " + error.message(),
                    out.dir_.string());
    }
    auto lock = store::FolderLock::take((out.dir_ / kLock).string(), false);
    if (!lock) {
        return fail(lock.error().code == "store.locked" ? "checkpoint.locked" : "checkpoint.io",
                    lock.error().message, out.dir_.string(),
                    "another process writes checkpoints here");
    }
    out.lock_ = std::move(*lock);
    out.remove_leftovers();
    return out;
}

void CheckpointFolder::remove_leftovers() const {
    std::error_code error;
    std::vector<fs::path> gone;
    for (fs::directory_iterator it(dir_, error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string();
        if (name.ends_with(kTemporary) &&
            parse_name(name.substr(0, name.size() - kTemporary.size()))) {
            gone.push_back(it->path());
        }
    }
    for (const auto& path : gone) {
        fs::remove(path, error);
    }
}

Result<std::vector<CheckpointFile>> CheckpointFolder::list() const {
    std::vector<CheckpointFile> out;
    std::error_code error;
    if (!fs::exists(dir_, error)) {
        return out;
    }
    for (fs::directory_iterator it(dir_, error), end; !error && it != end; it.increment(error)) {
        auto file = parse_name(it->path().filename().string());
        std::error_code gone;
        if (!file || !it->is_regular_file(gone)) {
            continue;
        }
        file->bytes = it->file_size(gone);
        if (gone) {
            continue;  // removed meanwhile
        }
        if (out.size() == kMaxCheckpointFiles) {
            return fail("checkpoint.too_many", "more than 20,000 checkpoints", dir_.string(),
                        "move some of them away");
        }
        out.push_back(std::move(*file));
    }
    if (error) {
        return fail("checkpoint.io", "can't read the folder: " + error.message(), dir_.string());
    }
    return out;
}

Result<NewCheckpoint> CheckpointFolder::create(std::uint64_t height, const checkpoint::Id& id) {
    auto name = checkpoint_file_name(height, id);
    std::error_code error;
    if (fs::exists(dir_ / name, error)) {
        return fail("checkpoint.exists", "there is one of that name", (dir_ / name).string());
    }
    auto path = dir_ / (name + std::string(kTemporary));
    const int fd =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return io("can't make the file", path);
    }
    NewCheckpoint out(fd, std::move(path), std::move(name), hook_);
    out.step(CheckpointStep::kCreated);
    return out;
}

Result<void> CheckpointFolder::publish(NewCheckpoint file) {
    file.step(CheckpointStep::kVerified);
    const auto to = dir_ / file.name_;
    if (::rename(file.path_.c_str(), to.c_str()) != 0) {
        return io("renaming failed", file.path_);
    }
    file.path_.clear();
    file.step(CheckpointStep::kRenamed);
    if (auto synced = store::sync_folder(dir_.string()); !synced) {
        return fail("checkpoint.io", synced.error().message, dir_.string());
    }
    file.step(CheckpointStep::kFolderSynced);
    return {};
}

Result<void> CheckpointFolder::remove(const std::string& name) {
    std::error_code error;
    if (!parse_name(name)) {
        return fail("checkpoint.missing", "that is no checkpoint's name", name);
    }
    fs::remove(dir_ / name, error);
    if (error) {
        return fail("checkpoint.io", "can't remove it: " + error.message(), (dir_ / name).string());
    }
    return {};
}

// ---- reading
// --------------------------------------------------------------------------------------

Result<CheckpointReader> CheckpointReader::open(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT
                   ? fail("checkpoint.missing", "there is no such checkpoint", file.string())
                   : Result<CheckpointReader>(io("can't open it", file));
    }
    struct stat facts {};
    const bool known = ::fstat(fd, &facts) == 0;
    CheckpointReader out(fd, known ? static_cast<std::uint64_t>(facts.st_size) : 0);
    if (!known || !S_ISREG(facts.st_mode)) {
        return io("it is no file", file);
    }
    if (out.bytes_ > kMaxCheckpointFileBytes) {
        return fail("checkpoint.too_large", "larger than 256 MiB", file.string());
    }
    return out;
}

CheckpointReader::~CheckpointReader() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

std::optional<std::size_t> CheckpointReader::read(std::uint8_t* buffer, std::size_t capacity) {
    for (;;) {
        const auto n = ::read(fd_, buffer, capacity);
        if (n >= 0) {
            return static_cast<std::size_t>(n);
        }
        if (errno != EINTR) {
            return std::nullopt;
        }
    }
}

}  // namespace synod::app
