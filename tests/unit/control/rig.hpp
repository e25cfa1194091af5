// SPDX-License-Identifier: Apache-2.0
#pragma once
//! A control server on a thread and a folder of its own, and a raw socket to say anything to it.

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/control/client.hpp"
#include "core/control/files.hpp"
#include "core/control/server.hpp"

namespace synod::control::test {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

inline constexpr int kPatienceSeconds = 20;  // a read that takes longer has failed

//! A folder that goes away with it.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "synod-control-XXXXXX");
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

//! Runs an io_context until it is told not to.
class IoThread {
  public:
    IoThread() : thread_([this] { io.run(); }) {}
    ~IoThread() { join(); }
    IoThread(const IoThread&) = delete;
    IoThread& operator=(const IoThread&) = delete;
    void join() {
        io.stop();
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    asio::io_context io{1};

  private:
    asio::executor_work_guard<asio::io_context::executor_type> work_{io.get_executor()};
    std::thread thread_;
};

//! Keeps the replies of calls that the test answers itself.
struct Held {
    std::mutex mutex;
    std::vector<Reply> replies;
    void add(Reply reply) {
        const std::lock_guard lock(mutex);
        replies.push_back(std::move(reply));
    }
    [[nodiscard]] std::size_t size() {
        const std::lock_guard lock(mutex);
        return replies.size();
    }
    //! Waits until there are so many; the test's own time-out ends a hang.
    void wait_for(std::size_t count) {
        while (size() < count) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }
};

inline Handlers usual_handlers(std::shared_ptr<Held> held) {
    Handlers out;
    out.methods["echo"] = [](std::string params, const Reply& reply) { reply(std::move(params)); };
    out.methods["refuse"] = [](const std::string&, const Reply& reply) {
        reply(fail("store.corrupt", "a page is damaged", "page 7", "restore it"));
    };
    out.methods["need"] = [](const std::string&, const Reply& reply) {
        reply(fail("control.invalid_params", "`height` is missing", "need"));
    };
    out.methods["throw"] = [](const std::string&, const Reply&) { throw std::string("oh"); };
    out.methods["garbage"] = [](const std::string&, const Reply& reply) { reply("{\"a\":"); };
    out.methods["dirty"] = [](const std::string&, const Reply& reply) {
        reply(fail("net.closed_by_peer", "it said \xff\xfe", "peer"));
    };
    out.methods["twice"] = [](const std::string&, const Reply& reply) {
        reply("1");
        reply("2");
    };
    out.methods["hold"] = [held](const std::string&, Reply reply) { held->add(std::move(reply)); };
    out.metrics = [] { return std::string("synod_up 1\n"); };
    out.healthy = [] { return Health{true, R"({"ok":true})"}; };
    out.ready = [] { return Health{false, R"({"syncing":true})"}; };
    return out;
}

//! The whole door, ready to be knocked at.
struct Rig {
    explicit Rig(ServerConfig config = {}) {
        config.token_file = folder.file("control.token");
        auto started = ControlServer::start(thread.io, config, usual_handlers(held));
        REQUIRE_MESSAGE(started.has_value(), started.error().text());
        server = std::move(*started);
        token = read_token(config.token_file).value();
    }
    Folder folder;
    std::shared_ptr<Held> held = std::make_shared<Held>();
    IoThread thread;
    std::unique_ptr<ControlServer> server;
    std::string token;

    Result<std::string> ask(const std::string& method, const std::string& params = {}) const {
        return call(folder.path(), method, params);
    }
};

//! A connection that sends bytes as they are and reads until the other side closes.
class Raw {
  public:
    explicit Raw(std::uint16_t port) : socket_(io_) {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        const timeval patience{kPatienceSeconds, 0};
        ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    void send(const std::string& text) {
        boost::system::error_code ignored;  // the server may have closed already: reading tells
        asio::write(socket_, asio::buffer(text), ignored);
    }
    //! Everything until the end; `closed` is false when the patience ended first.
    std::string rest() {
        std::string out;
        std::vector<char> chunk(65'536);
        for (;;) {
            const auto n = ::recv(socket_.native_handle(), chunk.data(), chunk.size(), 0);
            if (n <= 0) {
                closed = n == 0 || errno == ECONNRESET;
                return out;
            }
            out.append(chunk.data(), static_cast<std::size_t>(n));
        }
    }
    bool closed = false;

  private:
    asio::io_context io_;
    tcp::socket socket_;
};

//! One POST on a connection of its own: the response's text, header included.
inline std::string post(const Rig& rig, const std::string& body, const std::string& authorization) {
    Raw raw(rig.server->port());
    raw.send("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
             (authorization.empty() ? "" : "Authorization: " + authorization + "\r\n") +
             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return raw.rest();
}

inline std::string post(const Rig& rig, const std::string& body) {
    return post(rig, body, "Bearer " + rig.token);
}

inline std::string get(const Rig& rig, const std::string& path) {
    Raw raw(rig.server->port());
    raw.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return raw.rest();
}

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

//! The JSON after the header.
inline boost::json::value body_of(const std::string& response) {
    const auto at = response.find("\r\n\r\n");
    REQUIRE(at != std::string::npos);
    return boost::json::parse(response.substr(at + 4));
}

inline std::int64_t error_code_of(const boost::json::value& response) {
    return response.at("error").at("code").as_int64();
}

}  // namespace synod::control::test
