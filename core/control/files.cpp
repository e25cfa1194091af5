// SPDX-License-Identifier: Apache-2.0
#include "core/control/files.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/base/bytes.hpp"

namespace synod::control {

namespace {

constexpr std::size_t kMaxTokenFileBytes = 256;
constexpr mode_t kPrivate = 0600;
constexpr mode_t kForOthers = 0077;

//! Closes itself.
struct File {
    int fd = -1;
    explicit File(int f) : fd(f) {}
    ~File() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
};

std::unexpected<Error> file_failed(const std::string& doing, const std::string& path) {
    return fail("control.file_failed", "cannot " + doing + " " + path + ": " + std::strerror(errno),
                path, "the data folder must exist and belong to the user who runs this");
}

Result<std::string> read_all(int fd, const std::string& path, std::size_t limit) {
    std::string out(limit + 1, '\0');
    std::size_t have = 0;
    while (have < out.size()) {
        const auto n = ::read(fd, out.data() + have, out.size() - have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return file_failed("read", path);
        }
        if (n == 0) {
            break;
        }
        have += static_cast<std::size_t>(n);
    }
    if (have > limit) {
        return fail("control.file_failed", path + " is longer than it can be", path,
                    "it was not written by a node; remove it");
    }
    out.resize(have);
    return out;
}

//! Writes a private file of that name and makes it last.
Result<void> write_new(const std::string& path, const std::string& text) {
    ::unlink(path.c_str());  // left over by a process that died between two steps
    const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate));
    if (file.fd < 0) {
        return file_failed("create", path);
    }
    std::size_t done = 0;
    while (done < text.size()) {
        const auto n = ::write(file.fd, text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            const auto error = file_failed("write", path);
            ::unlink(path.c_str());
            return error;
        }
        done += static_cast<std::size_t>(n);
    }
    if (::fsync(file.fd) != 0) {
        const auto error = file_failed("write", path);
        ::unlink(path.c_str());
        return error;
    }
    return {};
}

std::string temporary_name(const std::string& path) {
    return path + "." + std::to_string(::getpid()) + ".new";
}

}  // namespace

bool same_secret(const std::string& a, const std::string& b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> read_token(const std::string& path) {
    // Neither a link (it would let another file be judged) nor a pipe (it would block).
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.fd < 0) {
        return file_failed("open", path);
    }
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) {
        return file_failed("examine", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return fail("control.file_failed", path + " is not a regular file", path);
    }
    if ((info.st_mode & kForOthers) != 0 || info.st_uid != ::geteuid()) {
        return fail("control.token_readable",
                    "the control token can be read by others or belongs to another user", path,
                    "remove it and start the node again (a new one is made), or: chmod 600 " +
                        path);
    }
    auto text = read_all(file.fd, path, kMaxTokenFileBytes);
    if (!text) {
        return text;
    }
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) {
        text->pop_back();
    }
    const auto bytes = from_hex(*text);
    if (!bytes || bytes->size() != kTokenBytes) {
        return fail("control.token_malformed", "the control token is not 64 hexadecimal digits",
                    path, "remove it and start the node again: a new one is made");
    }
    return text;
}

Result<std::string> read_or_create_token(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0) {
        return read_token(path);
    }
    if (errno != ENOENT) {
        return file_failed("examine", path);
    }
    if (sodium_init() < 0) {
        return fail("control.crypto_failed", "libsodium does not start", "control");
    }
    Bytes random(kTokenBytes);
    randombytes_buf(random.data(), random.size());
    const auto temporary = temporary_name(path);
    if (auto written = write_new(temporary, to_hex(random) + "\n"); !written) {
        return std::unexpected(std::move(written.error()));
    }
    // link() never replaces: of two processes that get here at once, the first one's token stays.
    const bool linked = ::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST;
    const int why = errno;
    ::unlink(temporary.c_str());
    if (!linked) {
        errno = why;
        return file_failed("create", path);
    }
    return read_token(path);
}

namespace {

std::string to_json(const ControlFile& content) {
    return boost::json::serialize(boost::json::object{{"address", content.address},
                                                      {"port", content.port},
                                                      {"token_file", content.token_file},
                                                      {"pid", content.pid}}) +
           "\n";
}

}  // namespace

ControlFile describe(const std::string& address, std::uint16_t port,
                     const std::string& token_file) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(token_file, error);
    return {address, port, error ? token_file : absolute.string(), ::getpid()};
}

Result<void> write_control_file(const std::string& folder, const ControlFile& content) {
    const auto path = folder + "/" + kControlFile;
    const auto temporary = temporary_name(path);
    if (auto written = write_new(temporary, to_json(content)); !written) {
        return written;
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const auto error = file_failed("replace", path);
        ::unlink(temporary.c_str());
        return error;
    }
    return {};
}

Result<ControlFile> read_control_file(const std::string& folder) {
    const auto path = folder + "/" + kControlFile;
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.fd < 0 && errno == ENOENT) {
        return fail("control.not_running", "no node is running in " + folder, path,
                    "start one, or name the data folder of the node that you mean");
    }
    if (file.fd < 0) {
        return file_failed("open", path);
    }
    const auto text = read_all(file.fd, path, kMaxControlFileBytes);
    if (!text) {
        return std::unexpected(text.error());
    }
    boost::system::error_code error;
    const auto value = boost::json::parse(*text, error);
    const auto* object = value.if_object();
    const auto* address = object ? object->if_contains("address") : nullptr;
    const auto* port = object ? object->if_contains("port") : nullptr;
    const auto* token = object ? object->if_contains("token_file") : nullptr;
    const auto* pid = object ? object->if_contains("pid") : nullptr;
    const bool whole = !error && address && address->is_string() && port && port->is_int64() &&
                       port->as_int64() > 0 && port->as_int64() <= 0xffff && token &&
                       token->is_string() && pid && pid->is_int64();
    if (!whole) {
        return fail("control.file_failed", path + " does not say where the node listens", path,
                    "it was not written by a node; remove it and start the node again");
    }
    return ControlFile{std::string(address->as_string()),
                       static_cast<std::uint16_t>(port->as_int64()),
                       std::string(token->as_string()), pid->as_int64()};
}

void remove_control_file(const std::string& folder, const ControlFile& content) {
    const auto path = folder + "/" + kControlFile;
    const auto found = read_control_file(folder);
    if (found && to_json(*found) == to_json(content)) {
        ::unlink(path.c_str());
    }
}

}  // namespace synod::control
