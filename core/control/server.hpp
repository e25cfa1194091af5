// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The door for operators and commands: HTTP/1.1 on one address, JSON-RPC 2.0 at POST /, and GET
//! /metrics, /healthz and /readyz. It runs on the I/O thread that it is given, owns its sockets,
//! the token and the file that says where it listens; it knows nothing about what a method does.
//! Plain HTTP: the token travels in the clear, which is why other machines are refused by default.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/control/rpc.hpp"

namespace boost::asio {
class io_context;
}

namespace synod::control {

inline constexpr std::size_t kMaxBodyBytes = 1u << 20;     //!< bytes of one request's body
inline constexpr std::size_t kMaxHeaderBytes = 8u << 10;   //!< bytes of one request's header
inline constexpr std::size_t kMaxReplyBytes = 16u << 20;   //!< bytes of the answers in one response
inline constexpr std::size_t kMaxConnections = 32;         //!< at once; others wait unaccepted
inline constexpr std::size_t kMaxBatch = 16;               //!< calls in one JSON-RPC batch
inline constexpr std::size_t kMaxJsonDepth = 32;           //!< nested arrays and objects
inline constexpr Duration kReadTimeout = std::chrono::seconds(10);   //!< one request, idling too
inline constexpr Duration kWriteTimeout = std::chrono::seconds(10);   //!< one response
inline constexpr Duration kReplyTimeout = std::chrono::seconds(30);   //!< a method's answer

//! Ends a call: JSON text (the call's `result`) or an error. Any thread, once: later calls of the
//! same Reply, calls after the time-out and calls after stop() do nothing. Never blocks.
using Reply = std::function<void(Result<std::string> json_result)>;
//! Called on the I/O thread; must not block. `params_json` is an object or an array, "{}" when the
//! request has none. An error with the code control.invalid_params becomes JSON-RPC's -32602, every
//! other one -32000 with data {code, message, where, hint}.
using Method = std::function<void(std::string params_json, Reply reply)>;

struct Health {
    bool ok = false;   //!< HTTP 200 or 503
    std::string json;  //!< the response's body
};

//! What the server offers, fixed before it starts. The callbacks run on the I/O thread and must not
//! block. A missing one of the last three makes its path answer 404.
struct Handlers {
    std::map<std::string, Method> methods;
    std::function<std::string()> metrics;  //!< Prometheus text exposition 0.0.4
    std::function<Health()> healthy;       //!< GET /healthz
    std::function<Health()> ready;         //!< GET /readyz
};

struct ServerConfig {
    std::string address = "127.0.0.1";  //!< numeric
    std::uint16_t port = 0;             //!< 0: the system chooses
    //! Needed for any address but a loopback one. GET needs no token: whoever reaches the address
    //! reads metrics and health.
    bool allow_remote = false;
    //! Holds the token, mode 0600; created when missing. Its folder (the data folder) must exist
    //! and gets control.json, by which commands find the node.
    std::string token_file;
    //! What it answers beside JSON-RPC 2.0, and how. kPools: the token may be the password of HTTP's
    //! Basic scheme, a failed call answers 500 as Bitcoin Core does, and no control.json is written.
    Dialect dialect = Dialect::kOperators;
    //! Numeric addresses of clients that need no token.
    std::vector<std::string> trusted;
    std::size_t max_body = kMaxBodyBytes;
    std::size_t max_connections = kMaxConnections;
    Duration read_timeout = kReadTimeout;
    Duration write_timeout = kWriteTimeout;
    Duration reply_timeout = kReplyTimeout;
};

class ControlServer {
  public:
    struct Impl;
    //! Binds, listens, writes control.json. `io` is not owned, must be run by one thread and must
    //! outlive the server. Any thread. Errors: control.remote_refused, control.bad_address,
    //! control.listen_failed, control.token_readable, control.token_malformed, control.file_failed.
    static Result<std::unique_ptr<ControlServer>> start(boost::asio::io_context& io,
                                                        ServerConfig config, Handlers handlers);
    ~ControlServer();  //!< stops
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;  //!< any thread
    //! Closes every connection, open calls included, and removes control.json; afterwards no
    //! callback runs. Waits for the I/O thread unless called on it, so `io` has to be running, or
    //! stopped with its thread joined. Stop the server before the Network. Idempotent.
    void stop();

  private:
    explicit ControlServer(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace synod::control
