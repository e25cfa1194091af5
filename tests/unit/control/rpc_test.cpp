// SPDX-License-Identifier: Apache-2.0
//! What a client can say over HTTP and what it hears.

#include "tests/unit/control/rig.hpp"

using namespace synod;
using namespace synod::control;
using namespace synod::control::test;
namespace json = boost::json;

namespace {

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("a call comes back with its result, its parameters untouched") {
    const Rig rig;
    const auto result = rig.ask("echo", R"({"height":18446744073709551615,"list":[1,"two",null]})");
    REQUIRE_MESSAGE(result.has_value(), result.error().text());
    CHECK(*result == R"({"height":18446744073709551615,"list":[1,"two",null]})");
    CHECK(rig.ask("echo").value() == "{}");
    CHECK(rig.ask("echo", "[1]").value() == "[1]");
}

TEST_CASE("a method's error reaches the caller whole") {
    const Rig rig;
    const auto result = rig.ask("refuse");
    REQUIRE(!result);
    CHECK(result.error().code == "store.corrupt");
    CHECK(result.error().message == "a page is damaged");
    CHECK(result.error().where == "page 7");
    CHECK(result.error().hint == "restore it");
    const auto raw = post(rig, R"({"jsonrpc":"2.0","id":"a","method":"refuse"})");
    CHECK(has(raw, "HTTP/1.1 200"));
    CHECK(error_code_of(body_of(raw)) == -32000);
    CHECK(body_of(raw).at("id").as_string() == "a");
    CHECK(rig.ask("need").error().code == "control.invalid_params");
    CHECK(error_code_of(body_of(post(rig, R"({"jsonrpc":"2.0","id":1,"method":"need"})"))) ==
          -32602);
}

TEST_CASE("a method that misbehaves costs an error, not the node") {
    const Rig rig;
    CHECK(rig.ask("throw").error().code == "control.internal");
    CHECK(rig.ask("garbage").error().code == "control.bad_result");
    CHECK(rig.ask("dirty").error().message == "it said ??");
    CHECK(rig.ask("twice").value() == "1");
    CHECK(rig.ask("echo", "[5]").value() == "[5]");
}

TEST_CASE("an unknown method and malformed requests get the standard codes") {
    const Rig rig;
    CHECK(rig.ask("nonsense").error().code == "control.method_not_found");
    const auto code = [&](const std::string& body) {
        return error_code_of(body_of(post(rig, body)));
    };
    CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":"nonsense"})") == -32601);
    CHECK(code("{") == -32700);
    CHECK(code("") == -32700);
    CHECK(code("\xff\xfe") == -32700);
    CHECK(code("5") == -32600);
    CHECK(code("[]") == -32600);
    CHECK(code(R"({"id":1,"method":"echo"})") == -32600);
    CHECK(code(R"({"jsonrpc":"1.0","id":1,"method":"echo"})") == -32600);
    CHECK(code(R"({"jsonrpc":"2.0","id":1})") == -32600);
    CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":7})") == -32600);
    CHECK(code(R"({"jsonrpc":"2.0","id":[1],"method":"echo"})") == -32600);
    CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":3})") == -32600);
    CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(1'000, 'm') + "\"}") ==
          -32600);
}

TEST_CASE("nesting is bounded in what comes in") {
    const Rig rig;
    const auto with = [](std::size_t depth) {
        return R"({"jsonrpc":"2.0","id":1,"method":"echo","params":)" + nested(depth) + "}";
    };
    CHECK(body_of(post(rig, with(kMaxJsonDepth - 1))).at("result").is_array());
    CHECK(error_code_of(body_of(post(rig, with(kMaxJsonDepth)))) == -32700);
    CHECK(error_code_of(body_of(post(rig, nested(400'000)))) == -32700);
    CHECK(rig.ask("echo", nested(kMaxJsonDepth)).error().code == "control.invalid_params");
}

TEST_CASE("a batch is answered in order, bad calls and notifications included") {
    const Rig rig;
    const auto raw = post(rig, R"([{"jsonrpc":"2.0","id":1,"method":"echo","params":[1]},)"
                               R"({"jsonrpc":"2.0","method":"echo","params":[2]},)"
                               R"(7,{"jsonrpc":"2.0","id":"x","method":"refuse"}])");
    const auto answers = body_of(raw).as_array();
    REQUIRE(answers.size() == 3);
    CHECK(answers[0].at("id").as_int64() == 1);
    CHECK(json::serialize(answers[0].at("result")) == "[1]");
    CHECK(answers[1].at("id").is_null());
    CHECK(error_code_of(answers[1]) == -32600);
    CHECK(answers[2].at("id").as_string() == "x");
    CHECK(error_code_of(answers[2]) == -32000);

    const std::string one = R"({"jsonrpc":"2.0","id":1,"method":"echo"})";
    const auto batch = [&](std::size_t count) {
        std::string out = "[" + one;
        for (std::size_t i = 1; i < count; ++i) {
            out += "," + one;
        }
        return out + "]";
    };
    CHECK(body_of(post(rig, batch(kMaxBatch))).as_array().size() == kMaxBatch);
    CHECK(error_code_of(body_of(post(rig, batch(kMaxBatch + 1)))) == -32600);
}

TEST_CASE("a notification runs and is answered without a body") {
    const Rig rig;
    const auto raw = post(rig, R"({"jsonrpc":"2.0","method":"hold"})");
    CHECK(has(raw, "HTTP/1.1 204"));
    CHECK(rig.held->size() == 1);
}

TEST_CASE("the token is asked for, and only the right one will do") {
    const Rig rig;
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"hold"})";
    auto wrong = rig.token;
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    for (const auto& authorization :
         {std::string(), "Bearer " + wrong, "Bearer " + rig.token + "0", std::string("Bearer "),
          "Basic " + rig.token, rig.token, "Bearer " + rig.token.substr(1)}) {
        const auto response = post(rig, body, authorization);
        CAPTURE(authorization);
        CHECK(has(response, "HTTP/1.1 401"));
        CHECK(has(response, "control.unauthorized"));
        CHECK(!has(response, rig.token));
    }
    CHECK(rig.held->size() == 0);
    CHECK(has(post(rig, R"({"jsonrpc":"2.0","id":1,"method":"echo"})", "bearer " + rig.token),
              "HTTP/1.1 200"));
}

TEST_CASE("metrics and health need no token, other paths and methods are refused") {
    const Rig rig;
    const auto metrics = get(rig, "/metrics");
    CHECK(has(metrics, "HTTP/1.1 200"));
    CHECK(has(metrics, "text/plain; version=0.0.4"));
    CHECK(has(metrics, "\r\n\r\nsynod_up 1\n"));
    const auto healthy = get(rig, "/healthz");
    CHECK(has(healthy, "HTTP/1.1 200"));
    CHECK(body_of(healthy).at("ok").as_bool());
    const auto ready = get(rig, "/readyz");
    CHECK(has(ready, "HTTP/1.1 503"));
    CHECK(body_of(ready).at("syncing").as_bool());
    CHECK(has(get(rig, "/"), "HTTP/1.1 405"));
    CHECK(has(get(rig, "/../etc/passwd"), "HTTP/1.1 404"));
}
