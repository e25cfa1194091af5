// SPDX-License-Identifier: Apache-2.0
#include "tools/miner/rpc.hpp"

#include <sodium.h>

#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace miner {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using ErrorCode = boost::system::error_code;

namespace {

std::string basic(const std::string& password) {
    const std::string plain = "miner:" + password;
    std::string out(sodium_base64_encoded_len(plain.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(plain.data()),
                      plain.size(), sodium_base64_VARIANT_ORIGINAL);
    out.resize(out.find('\0'));
    return "Basic " + out;
}

//! Connects, writes, reads, each from the callback of the one before, under one limit.
struct Exchange {
    asio::io_context io;
    beast::tcp_stream stream{io};
    beast::flat_buffer buffer;
    http::request<http::string_body> request{http::verb::post, "/", 11};
    http::response_parser<http::string_body> response;
    ErrorCode error;

    void run(const asio::ip::tcp::endpoint& endpoint) {
        response.body_limit(kMaxAnswerBytes);
        stream.expires_after(kCallTime);
        stream.async_connect(endpoint, [this](const ErrorCode& e) {
            error = e;
            if (!e) {
                http::async_write(stream, request, [this](const ErrorCode& written, std::size_t) {
                    error = written;
                    if (!written) {
                        http::async_read(stream, buffer, response,
                                         [this](const ErrorCode& read, std::size_t) { error = read; });
                    }
                });
            }
        });
        io.run();
    }
};

std::string text_of(const json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

Answer read(const std::string& body, unsigned status) {
    Answer out;
    ErrorCode error;
    const auto value = json::parse(body, error);
    const auto* object = error ? nullptr : value.if_object();
    if (object == nullptr) {
        out.problem = "HTTP " + std::to_string(status) + " without JSON";
        return out;
    }
    out.reached = true;
    if (const auto* result = object->if_contains("result")) {
        out.result = *result;
    }
    const auto* problem = object->if_contains("error");
    if (const auto* detail = problem == nullptr ? nullptr : problem->if_object()) {
        out.problem = text_of(*detail, "message");
        const auto* data = detail->if_contains("data");
        out.code = data != nullptr && data->is_object() ? text_of(data->as_object(), "code") : "";
    }
    return out;
}

}  // namespace

Answer call(const Node& node, const std::string& method, const json::array& params) {
    Answer failed;
    ErrorCode error;
    const auto address = asio::ip::make_address(node.address, error);
    if (error) {
        failed.problem = node.address + " is not a numeric address";
        return failed;
    }
    Exchange exchange;
    auto& request = exchange.request;
    request.set(http::field::host, node.address);
    request.set(http::field::content_type, "application/json");
    if (!node.password.empty()) {
        request.set(http::field::authorization, basic(node.password));
    }
    request.body() = json::serialize(json::object{{"id", 1}, {"method", method}, {"params", params}});
    request.keep_alive(false);
    request.prepare_payload();
    exchange.run({address, node.port});
    if (exchange.error) {
        failed.problem = exchange.error.message();
        return failed;
    }
    return read(exchange.response.get().body(), exchange.response.get().result_int());
}

}  // namespace miner
