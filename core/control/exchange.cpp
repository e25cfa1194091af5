// SPDX-License-Identifier: Apache-2.0
#include "core/control/exchange.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace synod::control {

namespace asio = boost::asio;

Error internal_error() {
    return {"control.internal", "the method failed unexpectedly", "method",
            "this is an error in the node; please report it"};
}

Exchange::Exchange(asio::io_context& io, std::shared_ptr<Gate> gate, RpcRequest request, Done done)
    : timer_(io),
      gate_(std::move(gate)),
      request_(std::move(request)),
      done_(std::move(done)),
      answers_(request_.calls.size()),
      missing_(request_.calls.size()) {}

void Exchange::start(const std::map<std::string, Method>& methods, Duration reply_timeout) {
    timer_.expires_after(reply_timeout);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (!error) {
            self->overdue();
        }
    });
    const auto self = shared_from_this();  // a method may end the connection that owns this
    for (std::size_t i = 0; i < request_.calls.size() && !over_; ++i) {
        start_call(methods, i);
    }
}

void Exchange::cancel() {
    over_ = true;
    done_ = nullptr;
    timer_.cancel();
}

void Exchange::start_call(const std::map<std::string, Method>& methods, std::size_t index) {
    auto& call = request_.calls[index];
    const auto id = call.id.value_or("null");
    if (call.refused) {
        refuse(index, *call.refused);
        return;
    }
    const auto found = methods.find(call.method);
    if (found == methods.end()) {
        refuse(index, {"control.method_not_found", "there is no such method", "request",
                       "`synod --help` lists what a node can be asked"});
        return;
    }
    const auto method = found->second;  // a copy: the method may stop the server
    const bool notification = !call.id;
    const Reply reply = notification ? Reply([](const Result<std::string>&) {})
                                     : make_reply(index, id);
    try {
        method(std::move(call.params), reply);
    } catch (...) {
        reply(std::unexpected(internal_error()));
    }
    if (notification) {
        answer(index, {}, false);
    }
}

Reply Exchange::make_reply(std::size_t index, const std::string& id) {
    struct Ticket {
        std::atomic<bool> used = false;
        std::shared_ptr<Gate> gate;
        std::weak_ptr<Exchange> exchange;
        std::string id;
        bool both = false;
    };
    auto ticket = std::make_shared<Ticket>();
    ticket->gate = gate_;
    ticket->exchange = weak_from_this();
    ticket->id = id;
    ticket->both = request_.calls[index].both;
    return [ticket, index](const Result<std::string>& result) {
        if (ticket->used.exchange(true)) {
            return;
        }
        auto text = encode_response(ticket->id, result, ticket->both);  // here, to spare the I/O thread
        const std::lock_guard lock(ticket->gate->mutex);
        if (ticket->gate->io == nullptr) {
            return;
        }
        // Always by way of the queue: a method that answers at once must not re-enter the exchange.
        const bool failed = !result;
        asio::post(*ticket->gate->io, [ticket, index, failed, text = std::move(text)]() mutable {
            if (const auto exchange = ticket->exchange.lock()) {
                exchange->answer(index, std::move(text), failed);
            }
        });
    };
}

void Exchange::refuse(std::size_t index, const Error& error) {
    const auto& call = request_.calls[index];
    answer(index, encode_error(call.id.value_or("null"), error, call.both), true);
}

void Exchange::answer(std::size_t index, std::string text, bool failed) {
    if (over_ || answers_[index]) {
        return;
    }
    failed_ = failed_ || failed;
    answers_[index] = std::move(text);
    if (--missing_ == 0) {
        finish();
    }
}

void Exchange::overdue() {
    for (std::size_t i = 0; i < answers_.size(); ++i) {
        refuse(i, {"control.timeout", "the node did not answer in time", request_.calls[i].method,
                   "it may be overloaded; try again"});
    }
}

void Exchange::finish() {
    timer_.cancel();
    over_ = true;
    std::string body;
    for (std::size_t i = 0; i < answers_.size(); ++i) {
        const auto& call = request_.calls[i];
        if (!call.id) {
            continue;  // a notification
        }
        if (body.size() + answers_[i]->size() > kMaxReplyBytes) {
            answers_[i] = encode_error(
                *call.id, {"control.reply_too_large", "the answers are too long together",
                           call.method, "ask for less at once"}, call.both);
        }
        body += (body.empty() ? "" : ",") + *answers_[i];
        answers_[i]->clear();
    }
    if (request_.batch && !body.empty()) {
        body = "[" + body + "]";
    }
    const auto done = std::move(done_);
    done_ = nullptr;  // it holds what owns this
    done(std::move(body), failed_ && !request_.batch);
}

}  // namespace synod::control
