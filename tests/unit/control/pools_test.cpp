// SPDX-License-Identifier: Apache-2.0
//! The door as mining software knocks: JSON-RPC 1.0, HTTP's Basic scheme, trusted addresses.

#include <sodium.h>

#include "core/control/credentials.hpp"
#include "core/control/rpc.hpp"
#include "tests/unit/control/rig.hpp"

using namespace synod;
using namespace synod::control;
using namespace synod::control::test;

namespace {

std::string basic(const std::string& plain) {
    std::string out(sodium_base64_encoded_len(plain.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    out.resize(out.find('\0'));
    return "Basic " + out;
}

ServerConfig for_pools(std::vector<std::string> trusted = {}) {
    ServerConfig out;
    out.dialect = Dialect::kPools;
    out.trusted = std::move(trusted);
    return out;
}

}  // namespace

TEST_CASE("pools: the token is the password, whoever the user, or a bearer's") {
    const Rig rig(for_pools());
    const std::string call = R"({"id":1,"method":"echo","params":["x"]})";
    CHECK(has(post(rig, call, basic("anybody:" + rig.token)), "HTTP/1.1 200"));
    CHECK(has(post(rig, call, basic(":" + rig.token)), "HTTP/1.1 200"));
    CHECK(has(post(rig, call, "Bearer " + rig.token), "HTTP/1.1 200"));
    const auto refused = post(rig, call, basic("anybody:" + std::string(64, '0')));
    CHECK(has(refused, "HTTP/1.1 401"));
    CHECK(has(refused, "WWW-Authenticate: Basic"));
    for (const auto& bad : {std::string(), basic(rig.token), std::string("Basic ===="), std::string("Basic "),
                            "Digest " + rig.token, "Basic" + rig.token}) {
        CAPTURE(bad);
        CHECK(has(post(rig, call, bad), "HTTP/1.1 401"));
    }
    CHECK_FALSE(std::filesystem::exists(rig.folder.file(kControlFile)));
}

TEST_CASE("pools: a trusted address needs no token, another does") {
    const std::string call = R"({"id":1,"method":"echo","params":[]})";
    CHECK(has(post(Rig(for_pools({"127.0.0.1"})), call, ""), "HTTP/1.1 200"));
    CHECK(has(post(Rig(for_pools({"127.0.0.2"})), call, ""), "HTTP/1.1 401"));
}

TEST_CASE("pools: result and error stand side by side, a failure is HTTP 500 and has a number") {
    const Rig rig(for_pools());
    const auto ask = [&](const std::string& body) { return post(rig, body, basic("p:" + rig.token)); };
    const auto good = body_of(ask(R"({"id":"a","method":"echo","params":[1]})")).as_object();
    CHECK(good.at("result") == boost::json::array{1});
    CHECK(good.at("error").is_null());
    CHECK(good.at("id").as_string() == "a");
    CHECK_FALSE(good.contains("jsonrpc"));
    const auto failed = ask(R"({"jsonrpc":"1.0","id":7,"method":"refuse","params":[]})");
    CHECK(has(failed, "HTTP/1.1 500"));
    const auto body = body_of(failed).as_object();
    CHECK(body.at("result").is_null());
    CHECK(body.at("error").at("code").to_number<int>() == kNodeError);
    CHECK(body.at("error").at("data").at("code").as_string() == "store.corrupt");
    // No id: still answered, unlike a notification of 2.0.
    CHECK(body_of(ask(R"({"method":"echo","params":[]})")).as_object().at("id").is_null());
    // Who speaks 2.0 is answered in 2.0.
    const auto two = body_of(ask(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":[]})")).as_object();
    CHECK(two.at("jsonrpc").as_string() == "2.0");
    CHECK_FALSE(two.contains("error"));
    CHECK(has(ask("{"), "HTTP/1.1 500"));
    CHECK(has(ask(R"({"id":1,"method":"nothing"})"), "HTTP/1.1 500"));
}

TEST_CASE("operators hear nothing but 2.0, and no other scheme than a bearer's") {
    const Rig rig;
    CHECK(has(post(rig, R"({"id":1,"method":"echo"})"), "must be \\\"2.0\\\""));
    CHECK(has(post(rig, R"({"jsonrpc":"2.0","id":1,"method":"echo"})", basic("x:" + rig.token)), "HTTP/1.1 401"));
}

TEST_CASE("each refusal of a proof has a number of its own") {
    const auto number = [](const char* code) {
        return boost::json::parse(encode_error("1", {code, "m", "w", {}}, true))
            .at("error").at("code").to_number<int>();
    };
    CHECK(number("mining.unknown_work") == -8);
    CHECK(number("mining.not_synced") == -10);
    CHECK(number("mining.record_shape") == -22);
    CHECK(number("mining.record_target") == -26);
    CHECK(number("mining.duplicate") == -27);
    CHECK(number("mining.stale") == -28000);
    CHECK(number("mining.no_work") == -28001);
}
