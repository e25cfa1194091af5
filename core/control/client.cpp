// SPDX-License-Identifier: Apache-2.0
#include "core/control/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "core/control/files.hpp"
#include "core/control/rpc.hpp"
#include "core/control/server.hpp"

namespace synod::control {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::size_t kEnvelopeBytes = 4u << 10;  // around a result: id, punctuation
constexpr std::size_t kMaxParamsDepth = kMaxJsonDepth - 1;  // the request object is one level

//! Connects, writes, reads, each from the callback of the one before.
struct HttpExchange {
    explicit HttpExchange(asio::io_context& io) : stream(io) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::response_parser<http::string_body> response;
    ErrorCode error;
    bool connected = false;

    void start(const tcp::endpoint& endpoint, Duration timeout) {
        response.header_limit(kMaxHeaderBytes);
        response.body_limit(kMaxReplyBytes + kEnvelopeBytes);
        stream.expires_after(timeout);  // set once: the whole exchange
        stream.async_connect(endpoint, [this](const ErrorCode& e) {
            error = e;
            connected = !e;
            if (!e) {
                write();
            }
        });
    }
    void write() {
        http::async_write(stream, request, [this](const ErrorCode& e, std::size_t) {
            error = e;
            if (!e) {
                read();
            }
        });
    }
    void read() {
        http::async_read(stream, buffer, response,
                         [this](const ErrorCode& e, std::size_t) { error = e; });
    }
};

Result<std::string> judge(const HttpExchange& done, const std::string& where,
                          const std::string& method) {
    if (done.error == beast::error::timeout) {
        return fail("control.timeout", "the node did not answer `" + method + "` in time", where,
                    "it may be overloaded; try again");
    }
    if (!done.connected) {
        return fail("control.not_running",
                    "the node that wrote control.json does not listen: " + done.error.message(),
                    where, "it ended without cleaning up; start it again");
    }
    if (done.error == http::error::end_of_stream || done.error == asio::error::connection_reset ||
        done.error == asio::error::broken_pipe) {
        return fail("control.not_running", "the node ended the connection before it answered",
                    where, "it is stopping, or was killed; see its log");
    }
    if (done.error) {
        return fail("control.bad_reply", "no valid answer: " + done.error.message(), where,
                    "is it a node that listens there?");
    }
    const auto& response = done.response.get();
    if (response.result() == http::status::unauthorized) {
        return fail("control.unauthorized", "the node refused the token", where,
                    "the token file was changed while the node runs; restart the node");
    }
    auto out = parse_response(response.body());
    if (!out && out.error().code == "control.bad_reply" && out.error().where.empty()) {
        out.error().where = where;
    }
    return out;
}

}  // namespace

Result<std::string> call(const std::string& data_dir, const std::string& method,
                         const std::string& params_json, Duration timeout) {
    const auto file = read_control_file(data_dir);
    if (!file) {
        return std::unexpected(file.error());
    }
    const auto token = read_token(file->token_file);
    if (!token) {
        return std::unexpected(token.error());
    }
    if (!params_json.empty() && !is_json(params_json, kMaxParamsDepth)) {
        return fail("control.invalid_params", "the parameters are not JSON", method);
    }
    ErrorCode bad_address;
    auto address = asio::ip::make_address(file->address, bad_address);
    if (bad_address) {
        return fail("control.file_failed", "control.json names no numeric address",
                    data_dir + "/" + kControlFile, "remove it and start the node again");
    }
    if (address.is_unspecified()) {  // it listens everywhere: here too
        address = address.is_v6() ? asio::ip::address(asio::ip::address_v6::loopback())
                                  : asio::ip::address(asio::ip::address_v4::loopback());
    }
    asio::io_context io{1};
    HttpExchange exchange(io);
    exchange.request = {http::verb::post, "/", 11};
    exchange.request.set(http::field::host, file->address);
    exchange.request.set(http::field::authorization, "Bearer " + *token);
    exchange.request.set(http::field::content_type, "application/json");
    exchange.request.keep_alive(false);
    exchange.request.body() = encode_call(method, params_json);
    if (exchange.request.body().size() > kMaxBodyBytes) {
        return fail("control.too_large",
                    "a request has at most " + std::to_string(kMaxBodyBytes) + " bytes", method,
                    "send less at once");
    }
    exchange.request.prepare_payload();
    exchange.start({address, file->port}, timeout);
    io.run();
    return judge(exchange, file->address + ":" + std::to_string(file->port), method);
}

}  // namespace synod::control
