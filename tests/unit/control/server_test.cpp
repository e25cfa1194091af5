// SPDX-License-Identifier: Apache-2.0
//! Limits, threads, life and death of the server.

#include <atomic>

#include "tests/unit/control/rig.hpp"

using namespace synod;
using namespace synod::control;
using namespace synod::control::test;
using std::chrono::milliseconds;

namespace {

std::string header(std::size_t length, const std::string& token) {
    return "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
           "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

Result<std::unique_ptr<ControlServer>> start_at(IoThread& thread, const Folder& folder,
                                                const std::string& address, bool allow_remote,
                                                std::uint16_t port = 0) {
    ServerConfig config;
    config.address = address;
    config.port = port;
    config.allow_remote = allow_remote;
    config.token_file = folder.file("control.token");
    return ControlServer::start(thread.io, config, usual_handlers(std::make_shared<Held>()));
}

}  // namespace

TEST_CASE("a body over the limit is refused and the answer arrives") {
    const Rig rig;
    const auto response = post(rig, std::string(kMaxBodyBytes + 1, ' '));
    CHECK(has(response, "HTTP/1.1 413"));
    CHECK(has(response, "control.too_large"));
    const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"echo"})";
    const auto fits = post(rig, call + std::string(kMaxBodyBytes - call.size(), ' '));
    CHECK(has(fits, "HTTP/1.1 200"));
    CHECK(rig.ask("echo", "[\"" + std::string(kMaxBodyBytes, 'x') + "\"]").error().code ==
          "control.too_large");
}

TEST_CASE("a header over the limit and what is no HTTP are refused") {
    const Rig rig;
    Raw large(rig.server->port());
    large.send("GET /metrics HTTP/1.1\r\nX: " + std::string(kMaxHeaderBytes, 'x') + "\r\n\r\n");
    CHECK(has(large.rest(), "HTTP/1.1 431"));
    Raw noise(rig.server->port());
    noise.send("\x16\x03\x01 hello\r\n\r\n");
    CHECK(has(noise.rest(), "HTTP/1.1 400"));
    CHECK(rig.ask("echo").has_value());
}

TEST_CASE("a client that is slow or silent is cut off") {
    ServerConfig config;
    config.read_timeout = milliseconds(200);
    const Rig rig(config);
    Raw silent(rig.server->port());
    Raw slow(rig.server->port());
    slow.send(header(100, rig.token) + "{");
    CHECK(silent.rest().empty());
    CHECK(silent.closed);
    CHECK(slow.rest().empty());
    CHECK(slow.closed);
}

TEST_CASE("bytes that trickle in don't put the end off") {
    ServerConfig config;
    config.read_timeout = milliseconds(300);
    const Rig rig(config);
    Raw slow(rig.server->port());
    std::atomic<bool> over = false;
    std::thread feeder([&] {
        slow.send(header(1'000'000, rig.token));
        while (!over) {
            slow.send(" ");
            std::this_thread::sleep_for(milliseconds(10));
        }
    });
    slow.rest();  // while the feeder feeds: only the server can end it
    CHECK(slow.closed);
    over = true;
    feeder.join();
}

TEST_CASE("connections over the limit wait for their turn") {
    ServerConfig config;
    config.max_connections = 2;
    config.read_timeout = milliseconds(300);
    const Rig rig(config);
    Raw first(rig.server->port());
    Raw second(rig.server->port());
    CHECK(rig.ask("echo", "[1]").value() == "[1]");  // after the idle ones were cut off
    CHECK(first.rest().empty());
    CHECK(first.closed);
}

TEST_CASE("200 calls one after another, and many on one connection") {
    const Rig rig;
    for (int i = 0; i < 200; ++i) {
        const auto text = "[" + std::to_string(i) + "]";
        REQUIRE(rig.ask("echo", text).value() == text);
    }
    Raw raw(rig.server->port());
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"echo","params":[8]})";
    for (int i = 0; i < 50; ++i) {
        raw.send(header(body.size(), rig.token) + body);
    }
    raw.send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
    const auto all = raw.rest();
    std::size_t count = 0;
    for (auto at = all.find("\"result\":[8]"); at != std::string::npos;
         at = all.find("\"result\":[8]", at + 1)) {
        ++count;
    }
    CHECK(count == 50);
    CHECK(has(all, R"({"ok":true})"));
}

TEST_CASE("callers from several threads at once") {
    const Rig rig;
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                const auto text = "[" + std::to_string(t * 100 + i) + "]";
                const auto result = rig.ask("echo", text);
                good += result && *result == text ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(good == 100);
}

TEST_CASE("a reply from another thread arrives, and only the first one") {
    const Rig rig;
    std::thread answerer([&] {
        rig.held->wait_for(1);
        const auto reply = rig.held->replies[0];
        reply(R"({"from":"elsewhere"})");
        reply(R"({"from":"nowhere"})");
    });
    CHECK(rig.ask("hold").value() == R"({"from":"elsewhere"})");
    answerer.join();
    CHECK(rig.ask("echo").has_value());
}

TEST_CASE("a method that never replies ends in a time-out, its late reply in nothing") {
    ServerConfig config;
    config.reply_timeout = milliseconds(100);
    const Rig rig(config);
    CHECK(rig.ask("hold").error().code == "control.timeout");
    REQUIRE(rig.held->size() == 1);
    rig.held->replies[0]("1");
    const auto batch = post(rig, R"([{"jsonrpc":"2.0","id":1,"method":"hold"},)"
                                 R"({"jsonrpc":"2.0","id":2,"method":"echo"}])");
    const auto answers = body_of(batch).as_array();
    REQUIRE(answers.size() == 2);
    CHECK(error_code_of(answers[0]) == -32000);
    CHECK(answers[1].at("result").is_object());
}

TEST_CASE("the caller's own time-out ends the call") {
    const Rig rig;
    const auto result = call(rig.folder.path(), "hold", "", milliseconds(150));
    REQUIRE(!result);
    CHECK(result.error().code == "control.timeout");
}

TEST_CASE("stop ends open calls, later replies do nothing, the file goes") {
    Rig rig;
    Result<std::string> result;
    std::thread caller([&] { result = rig.ask("hold"); });
    rig.held->wait_for(1);
    REQUIRE(std::filesystem::exists(rig.folder.file(kControlFile)));
    rig.server->stop();
    caller.join();
    REQUIRE(!result);
    CHECK(result.error().code == "control.not_running");
    CHECK(!std::filesystem::exists(rig.folder.file(kControlFile)));
    rig.held->replies[0]("1");
    rig.server->stop();
    CHECK(rig.ask("echo").error().code == "control.not_running");
    rig.server.reset();
    rig.thread.join();
    rig.held->replies[0]("1");
}

TEST_CASE("a method may stop the server, and the server may outlive its thread") {
    const Folder folder;
    IoThread thread;
    std::unique_ptr<ControlServer> server;
    std::atomic<int> calls = 0;
    Handlers handlers;
    handlers.methods["stop"] = [&](const std::string&, const Reply& reply) {
        ++calls;
        reply("true");
        server->stop();
    };
    ServerConfig config;
    config.token_file = folder.file("control.token");
    server = ControlServer::start(thread.io, config, handlers).value();
    Raw raw(server->port());
    const std::string body =
        R"([{"jsonrpc":"2.0","id":1,"method":"stop"},{"jsonrpc":"2.0","id":2,"method":"stop"}])";
    raw.send(header(body.size(), read_token(config.token_file).value()) + body);
    CHECK(raw.rest().empty());
    CHECK(calls == 1);

    server = ControlServer::start(thread.io, config, {}).value();
    thread.join();
    server->stop();
    CHECK(!std::filesystem::exists(folder.file(kControlFile)));
}

TEST_CASE("other machines are kept out unless they are allowed by name") {
    const Folder folder;
    IoThread thread;
    for (const char* address : {"0.0.0.0", "::", "192.0.2.1", "::ffff:10.0.0.1"}) {
        CAPTURE(address);
        CHECK(start_at(thread, folder, address, false).error().code == "control.remote_refused");
    }
    CHECK(start_at(thread, folder, "localhost", false).error().code == "control.bad_address");
    CHECK(!std::filesystem::exists(folder.file(kControlFile)));
    const auto everywhere = start_at(thread, folder, "0.0.0.0", true);
    REQUIRE(everywhere.has_value());
    CHECK(call(folder.path(), "echo", "[3]").value() == "[3]");
}

TEST_CASE("a port that is taken is an error, and the first node keeps its file") {
    const Rig rig;
    IoThread thread;
    const auto second = start_at(thread, rig.folder, "127.0.0.1", false, rig.server->port());
    REQUIRE(!second);
    CHECK(second.error().code == "control.listen_failed");
    CHECK(rig.ask("echo", "[4]").value() == "[4]");
}
