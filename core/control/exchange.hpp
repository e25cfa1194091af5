// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One JSON-RPC request on its way through the methods: starts its calls, collects their answers
//! from whatever thread they come, gives up on those that are overdue. Lives on the I/O thread,
//! knows no HTTP.

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/control/rpc.hpp"
#include "core/control/server.hpp"

namespace synod::control {

//! What a Reply needs to reach the I/O thread for as long as there is one.
struct Gate {
    std::mutex mutex;
    boost::asio::io_context* io = nullptr;  //!< null after the server stopped
};

class Exchange : public std::enable_shared_from_this<Exchange> {
  public:
    //! The response body, empty when there is nothing to answer (notifications only), and whether it
    //! is the error of a single call. Called once, on the I/O thread, from start() or later; not after
    //! cancel().
    using Done = std::function<void(std::string body, bool failed)>;

    Exchange(boost::asio::io_context& io, std::shared_ptr<Gate> gate, RpcRequest request,
             Done done);
    //! Runs every call. `methods` must last until then, which a method that stops the server
    //! doesn't change: the call in progress ends first, the rest are not made.
    void start(const std::map<std::string, Method>& methods, Duration reply_timeout);
    //! Nothing is called any more.
    void cancel();

  private:
    void start_call(const std::map<std::string, Method>& methods, std::size_t index);
    Reply make_reply(std::size_t index, const std::string& id);
    void answer(std::size_t index, std::string text, bool failed);
    void refuse(std::size_t index, const Error& error);
    void overdue();
    void finish();

    boost::asio::steady_timer timer_;
    std::shared_ptr<Gate> gate_;
    RpcRequest request_;
    Done done_;
    std::vector<std::optional<std::string>> answers_;
    std::size_t missing_ = 0;
    bool failed_ = false;  //!< some call
    bool over_ = false;
};

//! An error in the node itself, for a method or callback that threw.
Error internal_error();

}  // namespace synod::control
