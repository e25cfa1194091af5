// SPDX-License-Identifier: Apache-2.0
#include "core/net/session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "core/net/messages.hpp"

namespace synod::net {

namespace asio = boost::asio;

namespace {
constexpr std::size_t kHandshakeReadBytes = 2'048;  // a stranger gets no large buffer
constexpr std::size_t kHandshakeHeaderBytes = 2;    // u16 LE length of a handshake message
}  // namespace

void Session::start() {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    read_buffer_.resize(kHandshakeReadBytes);
    const auto role = info.outbound ? NoiseRole::initiator : NoiseRole::responder;
    handshake_.emplace(role, owner_.noise_static(), NoiseKeyPair::generate(),
                       owner_.hello_policy(*this));
    if (info.outbound) {
        auto first = handshake_->start();
        if (!first) {
            close(first.error());
            return;
        }
        queue_handshake(*first);
        pump();
    }
    read();
}

void Session::close(const Error& reason) {
    if (closed_) {
        return;
    }
    closed_ = true;
    boost::system::error_code ignored;
    // An orderly end first: a refusal's last message must not be lost to a reset.
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    {
        const std::lock_guard lock(mutex_);
        queue_.clear();
    }
    owner_.closed(*this, reason);
}

void Session::queue_handshake(const Bytes& message) {
    handshake_out_.push_back(static_cast<std::uint8_t>(message.size()));
    handshake_out_.push_back(static_cast<std::uint8_t>(message.size() >> 8));
    handshake_out_.insert(handshake_out_.end(), message.begin(), message.end());
}

void Session::read() {
    socket_.async_read_some(
        asio::buffer(read_buffer_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
            if (self->closed_) {
                return;
            }
            if (error) {
                self->close({error == asio::error::eof ? "net.closed_by_peer" : "net.read_failed",
                             error.message(), "connection", {}});
                return;
            }
            self->bytes_in_ += n;
            self->last_rx = std::chrono::steady_clock::now().time_since_epoch().count();
            if (self->take(ByteView(self->read_buffer_).first(n)) && !self->closed_) {
                if (self->decoder_ && self->read_buffer_.size() < kReadChunkBytes) {
                    self->read_buffer_.resize(kReadChunkBytes);
                }
                self->read();
            }
        });
}

bool Session::take(ByteView bytes) {
    while (!decoder_ && !bytes.empty()) {
        if (!take_handshake(bytes)) {
            return false;
        }
    }
    return bytes.empty() || take_frames(bytes);
}

//! Takes at most one handshake message off `bytes`. False when the session is closed.
bool Session::take_handshake(ByteView& bytes) {
    std::size_t need = kHandshakeHeaderBytes;
    if (handshake_in_.size() >= kHandshakeHeaderBytes) {
        need += handshake_in_[0] | static_cast<std::size_t>(handshake_in_[1]) << 8;
    }
    const auto n = std::min(need - handshake_in_.size(), bytes.size());
    handshake_in_.insert(handshake_in_.end(), bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (handshake_in_.size() < kHandshakeHeaderBytes) {
        return true;
    }
    const auto size = handshake_in_[0] | static_cast<std::size_t>(handshake_in_[1]) << 8;
    if (size == 0 || size > kMaxHandshakeMessage) {
        close({"net.handshake_malformed",
               "a handshake message of " + std::to_string(size) + " bytes", "handshake",
               "the other side speaks another protocol"});
        return false;
    }
    if (handshake_in_.size() < kHandshakeHeaderBytes + size) {
        return true;
    }
    const Bytes message(handshake_in_.begin() + kHandshakeHeaderBytes, handshake_in_.end());
    handshake_in_.clear();
    return take_message(message);
}

bool Session::take_message(ByteView message) {
    auto step = handshake_->on_message(message);
    if (!step) {
        close(step.error());
        return false;
    }
    remote = handshake_->remote();
    if (step->refused) {
        // Small enough for an empty socket buffer; what does not fit is not worth waiting for.
        queue_handshake(step->reply);
        boost::system::error_code ignored;
        socket_.write_some(asio::buffer(handshake_out_), ignored);
        close(*step->refused);
        return false;
    }
    if (handshake_->complete()) {
        info.identity = remote.identity;
        info.listen_port = remote.listen_port;
        info.capabilities = remote.capabilities;
        // Asked before message 3 is sent: a duplicate that we dialled never completes over there.
        if (const auto accepted = owner_.established(*this); !accepted) {
            close(accepted.error());
            return false;
        }
        auto transport = handshake_->split();
        encoder_.emplace(std::move(transport.send));
        decoder_.emplace(std::move(transport.receive));
        handshake_.reset();
    }
    if (!step->reply.empty()) {
        queue_handshake(step->reply);
    }
    pump();
    return !closed_;
}

bool Session::take_frames(ByteView bytes) {
    std::vector<SharedBytes> frames;
    const auto result = decoder_->feed(bytes, frames);
    for (auto& frame : frames) {
        if (closed_) {
            return false;
        }
        owner_.frame(*this, std::move(frame));
    }
    if (!result) {
        close(result.error());
        return false;
    }
    return true;
}

SendResult Session::enqueue(std::vector<SharedBytes> parts, OnFull on_full) {
    std::size_t bytes = 0;
    for (const auto& part : parts) {
        bytes += part.view.size();
    }
    if (bytes == 0 || bytes > kMaxFrameBytes) {
        return SendResult::too_large;
    }
    const std::lock_guard lock(mutex_);
    if (overflowed_) {
        return SendResult::overflow;
    }
    if (queued_bytes_ + bytes > max_queue_) {
        if (on_full == OnFull::drop) {
            return SendResult::dropped;
        }
        overflowed_ = true;
        asio::post(io_, [self = shared_from_this()] {
            self->close({"net.send_queue_full", "the peer does not take what it is sent",
                         "connection", {}});
        });
        return SendResult::overflow;
    }
    queued_bytes_ += bytes;
    queue_.push_back({std::move(parts), bytes});
    if (!pump_posted_) {
        pump_posted_ = true;
        asio::post(io_, [self = shared_from_this()] { self->pump(); });
    }
    return SendResult::queued;
}

void Session::pump() {
    std::vector<Item> batch;
    {
        const std::lock_guard lock(mutex_);
        pump_posted_ = false;
        if (writing_ || closed_) {
            return;
        }
        std::size_t bytes = 0;
        while (encoder_ && !queue_.empty() && bytes < kWriteBatchBytes) {
            bytes += queue_.front().bytes;
            batch.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        in_flight_ = bytes;
    }
    write_buffer_.clear();
    write_buffer_.swap(handshake_out_);
    for (const auto& item : batch) {
        if (const auto added = encoder_->append(item.parts, write_buffer_); !added) {
            close(added.error());
            return;
        }
    }
    if (write_buffer_.empty()) {
        return;
    }
    writing_ = true;
    asio::async_write(
        socket_, asio::buffer(write_buffer_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
            self->writing_ = false;
            self->bytes_out_ += n;
            {
                const std::lock_guard lock(self->mutex_);
                self->queued_bytes_ -= self->in_flight_;
                self->in_flight_ = 0;
            }
            if (self->closed_) {
                return;
            }
            if (error) {
                self->close({"net.write_failed", error.message(), "connection", {}});
                return;
            }
            self->pump();
        });
}

PeerStats Session::stats() const {
    const std::lock_guard lock(mutex_);
    return {bytes_in_, bytes_out_, queued_bytes_};
}

}  // namespace synod::net
