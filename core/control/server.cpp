// SPDX-License-Identifier: Apache-2.0
#include "core/control/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <optional>
#include <set>

#include "core/control/credentials.hpp"
#include "core/control/exchange.hpp"
#include "core/control/files.hpp"
#include "core/control/rpc.hpp"
#include "core/net/listen.hpp"

namespace synod::control {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

class Connection;

namespace {

constexpr std::size_t kReadBufferBytes = 64u << 10;
constexpr std::size_t kLingerBytes = 4u << 20;  // read and thrown away after a refusal
constexpr Duration kLinger = std::chrono::seconds(1);
constexpr Duration kAcceptRetry = std::chrono::milliseconds(100);
constexpr Duration kStopPoll = std::chrono::milliseconds(5);
constexpr const char* kJsonType = "application/json";
constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

std::string address_of(const tcp::socket& socket) {
    ErrorCode error;
    const auto endpoint = socket.remote_endpoint(error);
    return error ? std::string() : endpoint.address().to_string();
}

}  // namespace

struct ControlServer::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, ServerConfig c, Handlers h)
        : io(context),
          config(std::move(c)),
          handlers(std::move(h)),
          acceptor(context),
          retry(context),
          gate(std::make_shared<Gate>()) {
        gate->io = &context;
    }

    asio::io_context& io;
    ServerConfig config;
    Handlers handlers;
    std::string token;
    ControlFile file;
    tcp::acceptor acceptor;
    asio::steady_timer retry;
    std::shared_ptr<Gate> gate;
    std::set<std::shared_ptr<Connection>> connections;
    std::atomic<bool> stop_called = false;
    bool accepting = false;
    bool stopped = false;

    Result<void> listen();
    void accept();
    void accepted(tcp::socket socket);
    void gone(const std::shared_ptr<Connection>& connection);
    void tear_down();
};

//! One client. Reads a request, answers it, reads the next; never two at once.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Server = ControlServer::Impl;

    Connection(std::shared_ptr<Server> server, tcp::socket socket)
        : server_(std::move(server)),
          address_(address_of(socket)),
          stream_(std::move(socket)),
          buffer_(kReadBufferBytes) {}

    void read() {
        parser_.emplace();
        parser_->header_limit(kMaxHeaderBytes);
        parser_->body_limit(server_->config.max_body);
        stream_.expires_after(server_->config.read_timeout);  // for the whole request
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                             self->on_read(error);
                         });
    }

    void close() {
        if (closed_) {
            return;
        }
        closed_ = true;
        if (exchange_) {
            exchange_->cancel();
            exchange_.reset();
        }
        ErrorCode ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
        stream_.close();
        server_->gone(shared_from_this());
    }

  private:
    void on_read(const ErrorCode& error) {
        if (closed_) {
            return;
        }
        if (error == http::error::body_limit) {
            refuse(http::status::payload_too_large,
                   {"control.too_large",
                    "a request has at most " + std::to_string(server_->config.max_body) + " bytes",
                    "request", "send less at once"});
        } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
            refuse(http::status::request_header_fields_too_large,
                   {"control.too_large",
                    "a header has at most " + std::to_string(kMaxHeaderBytes) + " bytes",
                    "request",
                    {}});
        } else if (error && error != http::error::end_of_stream &&
                   error != http::error::partial_message &&
                   error.category() == http::make_error_code(http::error::bad_method).category()) {
            refuse(http::status::bad_request,
                   {"control.bad_http", "not HTTP/1.1: " + error.message(), "request", {}});
        } else if (error) {
            close();  // the client left, or took too long
        } else {
            keep_alive_ = parser_->get().keep_alive();
            route();
        }
    }

    void route() {
        const auto& request = parser_->get();
        const auto target = std::string(request.target());
        const auto& handlers = server_->handlers;
        if (target == "/" && request.method() == http::verb::post) {
            rpc();
            return;
        }
        const bool known = target == "/" || (target == "/metrics" && handlers.metrics) ||
                           (target == "/healthz" && handlers.healthy) ||
                           (target == "/readyz" && handlers.ready);
        if (!known) {
            refuse(http::status::not_found,
                   {"control.not_found", "nothing is here", "request",
                    "POST / (JSON-RPC), GET /metrics, GET /healthz, GET /readyz"});
        } else if (target == "/" || request.method() != http::verb::get) {
            refuse(http::status::method_not_allowed,
                   {"control.not_allowed", "not with this HTTP method", "request",
                    "POST / (JSON-RPC), GET /metrics, GET /healthz, GET /readyz"});
        } else {
            get(target);
        }
    }

    void get(const std::string& target) {
        try {
            if (target == "/metrics") {
                const auto metrics = server_->handlers.metrics;
                respond(http::status::ok, kMetricsType, metrics());
                return;
            }
            const auto check =
                target == "/healthz" ? server_->handlers.healthy : server_->handlers.ready;
            auto health = check();
            respond(health.ok ? http::status::ok : http::status::service_unavailable, kJsonType,
                    std::move(health.json));
        } catch (...) {
            refuse(http::status::internal_server_error, internal_error());
        }
    }

    [[nodiscard]] bool authorized() const {
        const auto& config = server_->config;
        const auto value = std::string(parser_->get()[http::field::authorization]);
        const auto given = config.dialect == Dialect::kPools ? pool_secret(value) : bearer_secret(value);
        return std::ranges::find(config.trusted, address_) != config.trusted.end() ||
               (given && same_secret(*given, server_->token));
    }

    void rpc() {
        if (!authorized()) {
            refuse(http::status::unauthorized,
                   {"control.unauthorized", "the request has no valid token", "request",
                    "send `Authorization: Bearer` and the text of the node's token file"});
            return;
        }
        const auto dialect = server_->config.dialect;
        auto request = parse_request(parser_->get().body(), dialect);
        if (!request) {
            const bool both = dialect == Dialect::kPools;
            respond(both ? http::status::internal_server_error : http::status::ok, kJsonType,
                    encode_error("null", request.error(), both));
            return;
        }
        parser_->get().body() = {};
        stream_.expires_never();
        exchange_ = std::make_shared<Exchange>(
            server_->io, server_->gate, std::move(*request),
            [self = shared_from_this()](std::string body, bool failed) {
                self->answered(std::move(body), failed);
            });
        exchange_->start(server_->handlers.methods, server_->config.reply_timeout);
    }

    void answered(std::string body, bool failed) {
        exchange_.reset();
        const bool tells = failed && server_->config.dialect == Dialect::kPools;
        const auto status = body.empty() ? http::status::no_content
                            : tells      ? http::status::internal_server_error
                                         : http::status::ok;
        respond(status, kJsonType, std::move(body));
    }

    //! Answers with an error of our own and ends the connection.
    void refuse(http::status status, const Error& error) {
        keep_alive_ = false;
        respond(status, kJsonType, encode_error("null", error));
    }

    void respond(http::status status, const char* type, std::string body) {
        if (closed_) {
            return;
        }
        response_.emplace(status, 11);
        response_->set(http::field::content_type, type);
        response_->set(http::field::cache_control, "no-store");
        if (status == http::status::unauthorized) {
            const bool pools = server_->config.dialect == Dialect::kPools;
            response_->set(http::field::www_authenticate, pools ? "Basic realm=\"synod\"" : "Bearer");
        }
        response_->keep_alive(keep_alive_);
        response_->body() = std::move(body);
        response_->prepare_payload();
        stream_.expires_after(server_->config.write_timeout);
        http::async_write(stream_, *response_,
                          [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                              self->on_written(error);
                          });
    }

    void on_written(const ErrorCode& error) {
        if (closed_) {
            return;
        }
        response_.reset();
        if (error) {
            close();
        } else if (keep_alive_) {
            read();
        } else {
            ErrorCode ignored;
            stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
            stream_.expires_after(kLinger);
            linger(0);
        }
    }

    //! Closing with bytes unread resets the connection, and the client may lose the answer.
    void linger(std::size_t seen) {
        buffer_.clear();
        stream_.async_read_some(
            buffer_.prepare(kReadBufferBytes),
            [self = shared_from_this(), seen](const ErrorCode& error, std::size_t size) {
                if (error || seen + size > kLingerBytes) {
                    self->close();
                } else if (!self->closed_) {
                    self->linger(seen + size);
                }
            });
    }

    std::shared_ptr<Server> server_;
    std::string address_;  // the client's, numeric
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    std::shared_ptr<Exchange> exchange_;  // while methods are at work
    bool keep_alive_ = false;
    bool closed_ = false;
};

Result<void> ControlServer::Impl::listen() {
    ErrorCode error;
    const auto address = asio::ip::make_address(config.address, error);
    if (error) {
        return fail("control.bad_address", config.address + " is not a numeric address", "control",
                    "write 127.0.0.1, for example");
    }
    if (!address.is_loopback() && !config.allow_remote) {
        return fail("control.remote_refused",
                    "the control server would be reachable from other machines at " +
                        config.address,
                    "control", "use 127.0.0.1, or allow remote access by name in the manifest");
    }
    auto secret = read_or_create_token(config.token_file);
    if (!secret) {
        return std::unexpected(std::move(secret.error()));
    }
    token = std::move(*secret);
    const auto port = net::listen(acceptor, {address, config.port}, "control");
    if (!port) {
        return std::unexpected(port.error());
    }
    file = describe(address.to_string(), *port, config.token_file);
    return config.dialect == Dialect::kPools ? Result<void>()
                                             : write_control_file(folder_of(config.token_file), file);
}

void ControlServer::Impl::accept() {
    if (stopped || accepting || connections.size() >= config.max_connections) {
        return;
    }
    accepting = true;
    acceptor.async_accept([self = shared_from_this()](const ErrorCode& error, tcp::socket socket) {
        self->accepting = false;
        if (self->stopped) {
            return;
        }
        if (!error) {
            self->accepted(std::move(socket));
            self->accept();
            return;
        }
        // Out of file descriptors, for example: breathe, then go on.
        self->retry.expires_after(kAcceptRetry);
        self->retry.async_wait([self](const ErrorCode& e) {
            if (!e) {
                self->accept();
            }
        });
    });
}

void ControlServer::Impl::accepted(tcp::socket socket) {
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket));
    connections.insert(connection);
    connection->read();
}

void ControlServer::Impl::gone(const std::shared_ptr<Connection>& connection) {
    connections.erase(connection);
    accept();
}

void ControlServer::Impl::tear_down() {
    if (stopped) {
        return;
    }
    stopped = true;
    {
        const std::lock_guard lock(gate->mutex);
        gate->io = nullptr;
    }
    ErrorCode ignored;
    acceptor.close(ignored);
    retry.cancel();
    const auto all = connections;
    for (const auto& connection : all) {
        connection->close();
    }
    handlers = {};  // what they capture may end with the caller
    if (config.dialect == Dialect::kOperators) {
        remove_control_file(folder_of(config.token_file), file);
    }
}

ControlServer::ControlServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

ControlServer::~ControlServer() {
    stop();
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(asio::io_context& io,
                                                            ServerConfig config,
                                                            Handlers handlers) {
    auto impl = std::make_shared<Impl>(io, std::move(config), std::move(handlers));
    if (auto listening = impl->listen(); !listening) {
        return std::unexpected(std::move(listening.error()));
    }
    asio::post(io, [impl] { impl->accept(); });
    return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

std::uint16_t ControlServer::port() const {
    return impl_->file.port;
}

void ControlServer::stop() {
    if (impl_->stop_called.exchange(true)) {
        return;
    }
    if (impl_->io.get_executor().running_in_this_thread()) {
        impl_->tear_down();
        return;
    }
    auto done = std::make_shared<std::promise<void>>();
    const auto torn_down = done->get_future();
    asio::post(impl_->io, [impl = impl_, done] {
        impl->tear_down();
        done->set_value();
    });
    while (torn_down.wait_for(kStopPoll) != std::future_status::ready) {
        if (impl_->io.stopped()) {  // nobody runs it any more: this thread may do it
            impl_->tear_down();
            return;
        }
    }
}

}  // namespace synod::control
