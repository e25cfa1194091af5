// SPDX-License-Identifier: Apache-2.0
//! The token and control.json: who may read them and what happens when they are wrong.

#include "tests/unit/control/rig.hpp"

using namespace synod;
using namespace synod::control;
using namespace synod::control::test;

namespace {

void write(const std::string& path, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

mode_t mode_of(const std::string& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("a missing token is made once, privately") {
    const Folder folder;
    const auto path = folder.file("token");
    CHECK(read_token(path).error().code == "control.file_failed");
    const auto before = ::umask(0);
    const auto made = read_or_create_token(path);
    ::umask(before);
    REQUIRE_MESSAGE(made.has_value(), made.error().text());
    CHECK(made->size() == 2 * kTokenBytes);
    CHECK(mode_of(path) == 0600);
    CHECK(read_or_create_token(path).value() == *made);
    CHECK(read_token(path).value() == *made);
    const Folder other;
    CHECK(read_or_create_token(other.file("token")).value() != *made);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a token that others can read is refused by both sides") {
    for (const mode_t mode : {0644, 0640, 0604, 0620, 0601}) {
        CAPTURE(mode);
        const Rig rig;
        const auto path = rig.folder.file("control.token");
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(rig.ask("echo").error().code == "control.token_readable");
        IoThread thread;
        ServerConfig config;
        config.token_file = path;
        const auto second = ControlServer::start(thread.io, config, {});
        REQUIRE(!second);
        CHECK(second.error().code == "control.token_readable");
        CHECK(has(second.error().hint, "chmod 600"));
    }
}

TEST_CASE("a token that is none is refused") {
    const Folder folder;
    const auto path = folder.file("token");
    for (const auto& text : {std::string(), std::string(63, 'a'), std::string(66, 'a'),
                             std::string(64, 'g'), std::string(64, 'a') + " x"}) {
        write(path, text);
        CHECK(read_or_create_token(path).error().code == "control.token_malformed");
    }
    write(path, std::string(100'000, 'a'));
    CHECK(read_or_create_token(path).error().code == "control.file_failed");
    write(path, std::string(64, 'a') + "\r\n");
    CHECK(read_or_create_token(path).value() == std::string(64, 'a'));
    const auto link = folder.file("link");
    std::filesystem::create_symlink(path, link);
    CHECK(read_or_create_token(link).error().code == "control.file_failed");
    const auto pipe = folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(read_or_create_token(pipe).error().code == "control.file_failed");
    CHECK(read_or_create_token(folder.file("no/such/token")).error().code ==
          "control.file_failed");
}

TEST_CASE("secrets compare as texts do") {
    CHECK(same_secret("", ""));
    CHECK(same_secret("abc", "abc"));
    CHECK(!same_secret("abc", "abd"));
    CHECK(!same_secret("abc", "ab"));
}

TEST_CASE("control.json says where the node is") {
    const Rig rig;
    CHECK(mode_of(rig.folder.file(kControlFile)) == 0600);
    const auto found = read_control_file(rig.folder.path());
    REQUIRE(found.has_value());
    CHECK(found->address == "127.0.0.1");
    CHECK(found->port == rig.server->port());
    CHECK(found->pid == ::getpid());
    CHECK(found->token_file == rig.folder.file("control.token"));
}

TEST_CASE("another node's control.json is left alone") {
    const Folder folder;
    const auto first = describe("127.0.0.1", 1'000, "token");
    const auto second = describe("127.0.0.1", 2'000, "token");
    REQUIRE(write_control_file(folder.path(), first));
    REQUIRE(write_control_file(folder.path(), second));
    remove_control_file(folder.path(), first);
    CHECK(read_control_file(folder.path())->port == 2'000);
    remove_control_file(folder.path(), second);
    CHECK(read_control_file(folder.path()).error().code == "control.not_running");
}

TEST_CASE("a control.json that is damaged, foreign or stale is told apart") {
    const Folder folder;
    const auto path = folder.file(kControlFile);
    CHECK(call(folder.path(), "echo", "").error().code == "control.not_running");
    for (const char* text :
         {"", "{", "[]", "{}", R"({"address":"127.0.0.1","port":0,"token_file":"t","pid":1})",
          R"({"address":"127.0.0.1","port":70000,"token_file":"t","pid":1})",
          R"({"address":1,"port":5,"token_file":"t","pid":1})"}) {
        write(path, text);
        CAPTURE(text);
        CHECK(call(folder.path(), "echo", "").error().code == "control.file_failed");
    }
    const auto token = folder.file("token");
    REQUIRE(read_or_create_token(token));
    REQUIRE(write_control_file(folder.path(), describe("nowhere", 9, token)));
    CHECK(call(folder.path(), "echo", "").error().code == "control.file_failed");

    std::uint16_t unused = 0;
    {
        asio::io_context io;
        const tcp::acceptor taken(io, {asio::ip::address_v4::loopback(), 0});
        unused = taken.local_endpoint().port();
    }
    REQUIRE(write_control_file(folder.path(), describe("127.0.0.1", unused, token)));
    const auto stale = call(folder.path(), "echo", "");
    CHECK(stale.error().code == "control.not_running");
    CHECK(!stale.error().hint.empty());
}

TEST_CASE("a token changed under a running node is refused as unauthorized") {
    const Rig rig;
    write(rig.folder.file("control.token"), std::string(64, 'a'));
    const auto result = rig.ask("echo");
    REQUIRE(!result);
    CHECK(result.error().code == "control.unauthorized");
    CHECK(!result.error().hint.empty());
}

TEST_CASE("whatever answers in the node's stead, the caller gets an error") {
    for (const char* said : {"", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                             "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz",
                             "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
                             "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"}) {
        const Folder folder;
        asio::io_context io;
        tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
        const auto token = folder.file("token");
        REQUIRE(read_or_create_token(token));
        REQUIRE(write_control_file(
            folder.path(), describe("127.0.0.1", acceptor.local_endpoint().port(), token)));
        std::thread impostor([&] {
            auto socket = acceptor.accept();
            std::string heard;
            char c = 0;
            while (heard.size() < 4 || heard.substr(heard.size() - 4) != "\r\n\r\n") {
                if (::recv(socket.native_handle(), &c, 1, 0) != 1) {
                    return;
                }
                heard.push_back(c);
            }
            boost::system::error_code ignored;
            asio::write(socket, asio::buffer(said, std::strlen(said)), ignored);
        });
        const auto result = call(folder.path(), "echo", "");
        impostor.join();
        CAPTURE(said);
        REQUIRE(!result);
        const auto& code = result.error().code;
        CHECK((code == "control.bad_reply" || code == "control.not_running"));
    }
}
