// SPDX-License-Identifier: Apache-2.0
#include "core/app/devnet/layout.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "core/app/node/signer.hpp"

namespace synod::app::devnet {

namespace fs = std::filesystem;

namespace {

//! The files of a closed store; the last two exist only when it wasn't closed cleanly.
constexpr std::array kStoreFiles{"synod.db", "synod.db-wal", "synod.db-shm"};

//! Shares the blocks where the file system can, so that K copies of a long chain cost one.
bool share_blocks(const fs::path& from, const fs::path& to) {
    const int in = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
    const int out = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool done = in >= 0 && out >= 0 && ::ioctl(out, FICLONE, in) == 0;
    if (in >= 0) {
        ::close(in);
    }
    if (out >= 0) {
        ::close(out);
        if (!done) {
            ::unlink(to.c_str());
        }
    }
    return done;
}

Result<void> copy_one(const fs::path& from, const fs::path& to) {
    if (share_blocks(from, to)) {
        return {};
    }
    std::error_code error;
    fs::copy_file(from, to, error);
    if (error) {
        return fail("devnet.folder", "can't copy " + from.string() + ": " + error.message(),
                    to.string());
    }
    return {};
}

Result<void> copy_store(const fs::path& from, const fs::path& to) {
    for (const auto* file : kStoreFiles) {
        std::error_code error;
        if (fs::exists(from / file, error)) {
            if (auto copied = copy_one(from / file, to / file); !copied) {
                return copied;
            }
        }
    }
    return {};
}

//! The forged key's copy, mode 0600, and its public half.
Result<PublicKey> copy_key(const fs::path& from, const fs::path& to) {
    auto key = SecretKey::load(from.string());
    if (!key) {
        return std::unexpected(key.error());
    }
    if (auto written = write_seed(to.string(), (*key)->seed()); !written) {
        return std::unexpected(written.error());
    }
    return (*key)->public_key();
}

Result<PublicKey> new_key(const fs::path& to) {
    auto seed = random_seed();
    const auto key = SecretKey::from_seed(seed);
    auto written = write_seed(to.string(), seed);
    sodium_memzero(seed.data(), seed.size());
    if (!written) {
        return std::unexpected(written.error());
    }
    return key->public_key();
}

Result<void> write_text(const fs::path& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        return fail("devnet.folder", "can't write the file", file.string());
    }
    return {};
}

struct Socket {
    int fd = -1;
    Socket() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    Socket(Socket&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
};

}  // namespace

Result<std::vector<std::uint16_t>> free_ports(std::size_t count) {
    std::vector<Socket> taken;
    std::vector<std::uint16_t> out;
    for (std::size_t i = 0; i < count; ++i) {
        auto& socket = taken.emplace_back();
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        if (socket.fd < 0 || ::bind(socket.fd, raw, size) != 0 ||
            ::getsockname(socket.fd, raw, &size) != 0) {
            return fail("devnet.ports",
                        std::string("can't find a free port: ") + std::strerror(errno),
                        "127.0.0.1");
        }
        out.push_back(ntohs(address.sin_port));
    }
    return out;
}

Result<fs::path> make_folder(const fs::path& wanted) {
    std::error_code error;
    if (wanted.empty()) {
        auto pattern = (fs::temp_directory_path(error) / "synod-devnet-XXXXXX").string();
        if (error || ::mkdtemp(pattern.data()) == nullptr) {
            return fail("devnet.folder",
                        std::string("can't make a folder: ") + std::strerror(errno), pattern,
                        "name one with --dir");
        }
        return fs::path(pattern);
    }
    const auto folder = fs::absolute(wanted, error);
    if (!error && fs::exists(folder, error) && !fs::is_empty(folder, error)) {
        return fail("devnet.folder", "the folder is not empty", folder.string(),
                    "name a new one, or remove it first");
    }
    if (!error) {
        fs::create_directories(folder, error);
    }
    if (error) {
        return fail("devnet.folder", "can't make the folder: " + error.message(), folder.string());
    }
    return folder;
}

Result<std::vector<NodeFiles>> lay_out(const fs::path& dir, std::uint32_t authorities,
                                       const std::string& validation) {
    auto ports = free_ports(authorities + 1);
    if (!ports) {
        return std::unexpected(ports.error());
    }
    const auto forge = dir / "forge";
    std::vector<NodeFiles> out;
    for (std::uint32_t i = 0; i <= authorities; ++i) {
        NodeFiles node;
        node.authority = i < authorities;
        node.name = node.authority ? "authority-" + std::to_string(i) : "fresh";
        node.folder = dir / node.name;
        node.port = (*ports)[i];
        std::error_code error;
        fs::create_directories(node.data(), error);
        if (error) {
            return fail("devnet.folder", "can't make the folder: " + error.message(),
                        node.data().string());
        }
        auto key = node.authority ? copy_key(forge / (node.name + ".key"), node.key())
                                  : new_key(node.key());
        if (!key) {
            return std::unexpected(key.error());
        }
        node.identity = *key;
        if (node.authority) {
            if (auto copied = copy_store(forge / "chain", node.data()); !copied) {
                return std::unexpected(copied.error());
            }
        }
        out.push_back(std::move(node));
    }
    for (const auto& node : out) {
        if (auto written = write_text(node.manifest(),
                                      manifest_text(node, out, forge / "genesis.yaml", validation));
            !written) {
            return std::unexpected(written.error());
        }
    }
    return out;
}

}  // namespace synod::app::devnet
