// SPDX-License-Identifier: Apache-2.0
#include <synod/plugin.hpp>

#include <doctest/doctest.h>

#include <string>

using synod::parse_json;

namespace {
std::string where_of(const char* text) {
    try {
        parse_json(text);
    } catch (const synod::Failure& f) {
        CHECK(f.status() == SYNOD_E_CONFIG);
        return f.where();
    }
    return "accepted";
}
} // namespace

TEST_CASE("values come out as they went in") {
    const auto v = parse_json(R"( {"a":[1,-2,{"b":true}],"s":"x\"\\\/\n\u00e9\ud83d\ude00","n":null,"d":-0.5e1} )");
    CHECK(v.at("a").items()[1].as_int() == -2);
    CHECK(v.at("a").items()[2].at("b").as_bool());
    CHECK(v.at("s").as_string() == "x\"\\/\n\xc3\xa9\xf0\x9f\x98\x80");
    CHECK(v.at("n").type() == synod::Value::Type::Null);
    CHECK(v.at("d").as_double() == -5.0);
    CHECK(v.at("d").as_int() == -5);
    CHECK(v.get_int("absent", 7) == 7);
    CHECK(parse_json("9223372036854775807").as_int() == INT64_MAX);
    CHECK(parse_json("-9223372036854775808").as_int() == INT64_MIN);
}

TEST_CASE("a wrong type names the key's path") {
    const auto v = parse_json(R"({"outer":{"list":[0,"x"],"half":1.5}})");
    try {
        v.at("outer").at("list").items()[1].as_int();
        FAIL("a string was taken for an integer");
    } catch (const synod::Failure& f) {
        CHECK(f.status() == SYNOD_E_CONFIG);
        CHECK(f.where() == "outer.list[1]");
    }
    try {
        v.at("outer").at("gone");
        FAIL("a missing key was found");
    } catch (const synod::Failure& f) {
        CHECK(f.where() == "outer.gone");
    }
    CHECK_THROWS_AS(v.at("outer").at("half").as_int(), synod::Failure);
    CHECK_THROWS_AS(parse_json("-1").as_uint(), synod::Failure);
    CHECK_THROWS_AS(parse_json("1e300").as_q32(), synod::Failure);
}

TEST_CASE("what isn't JSON is refused with its byte") {
    for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "tru", "nul", "\"\n\"",
                             "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\u12\"", "[1] 2", "{\"a\" 1}", "\"open",
                             "1e", "NaN", "{\"a\":1,\"a\":2}", "'a'", "1e999"}) {
        CAPTURE(text);
        CHECK(where_of(text).substr(0, 5) == "byte ");
    }
    CHECK(where_of("[1,2,x]") == "byte 5");
}

TEST_CASE("depth, nodes and size are bounded") {
    const std::string deep(synod::kJsonMaxDepth, '[');
    CHECK_NOTHROW(parse_json(deep + std::string(synod::kJsonMaxDepth, ']')));
    CHECK_THROWS_AS(parse_json("[" + deep + std::string(synod::kJsonMaxDepth + 1, ']')), synod::Failure);
    std::string many = "[0";
    for (size_t i = 0; i < synod::kJsonMaxNodes; ++i) {
        many += ",0";
    }
    CHECK_THROWS_AS(parse_json(many + "]"), synod::Failure);
    CHECK_THROWS_AS(parse_json("\"" + std::string(synod::kJsonMaxBytes, 'a') + "\""), synod::Failure);
}

TEST_CASE("Q32.32 is exact both ways") {
    CHECK(parse_json("1").as_q32() == synod::kQ32One);
    CHECK(parse_json("0.25").as_q32() == synod::kQ32One / 4);
    CHECK(parse_json("0.1").as_q32() == 429496730); // 0.1 * 2^32 = 429496729.6
    CHECK(parse_json("-0.5").as_q32() == -synod::kQ32One / 2);
    CHECK(synod::q32_text(synod::kQ32One / 4) == "0.250000000");
    CHECK(synod::q32_text(-synod::kQ32One * 3 / 2) == "-1.500000000");
    CHECK(synod::q32_text(1) == "0.000000000");
    CHECK(synod::q32_text(INT64_MIN) == "-2147483648.000000000");
}
