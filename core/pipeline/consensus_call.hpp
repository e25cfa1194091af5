// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What every file of Consensus needs for a call into its plugin: bytes out and in, and the terms on which a
//! function may be called. The room's own.

#include <algorithm>
#include <expected>
#include <string>

#include "core/pipeline/consensus.hpp"

namespace synod::pipeline {

//! A sink that grows a byte string up to a bound.
struct ByteSink {
    explicit ByteSink(std::size_t max) : max_bytes(max) {
        sink.size = sizeof sink;
        sink.ctx = this;
        sink.write = [](void* ctx, synod_bytes more) -> synod_status {
            auto& self = *static_cast<ByteSink*>(ctx);
            if (more.p == nullptr && more.n != 0) {
                return SYNOD_E_INVALID;
            }
            if (more.n > self.max_bytes - self.bytes.size()) {
                return SYNOD_E_NO_MEMORY;
            }
            self.bytes.insert(self.bytes.end(), more.p, more.p + more.n);
            return SYNOD_OK;
        };
    }
    [[nodiscard]] std::string text() const { return {bytes.begin(), bytes.end()}; }

    std::size_t max_bytes;
    Bytes bytes;
    synod_sink sink{};
};

//! The way back: what is read from a byte string.
struct ByteSource {
    explicit ByteSource(ByteView from) : left(from) {
        source.size = sizeof source;
        source.ctx = this;
        source.read = [](void* ctx, std::uint8_t* buffer, std::uint64_t capacity) -> std::int64_t {
            auto& self = *static_cast<ByteSource*>(ctx);
            const auto n = std::min<std::size_t>(capacity, self.left.size());
            std::copy_n(self.left.begin(), n, buffer);
            self.left = self.left.subspan(n);
            return static_cast<std::int64_t>(n);
        };
    }
    ByteView left;
    synod_source source{};
};

inline synod_bytes borrow(ByteView bytes) { return {bytes.data(), bytes.size()}; }

inline synod_refusal empty_refusal() {
    synod_refusal out{};
    out.size = sizeof out;
    return out;
}

inline synod_sign_request empty_request() {
    synod_sign_request out{};
    out.size = sizeof out;
    return out;
}

//! The signature's place lies inside what was written.
inline Result<Unsigned> checked(host::Instance& instance, const char* function, Unsigned made) {
    if (made.request.signature_offset > made.bytes.size() ||
        made.bytes.size() - made.request.signature_offset < Signature::size() ||
        made.request.message_length > sizeof made.request.message) {
        return host::misbehaved(instance, function, "the sign request points outside its bytes");
    }
    return made;
}

inline constexpr host::States kActive = host::in(host::State::kActive);

//! [worker & active], with a run of blocks or the like.
constexpr host::Terms batch(const char* name) { return {name, kActive, host::Role::kWorker, true}; }
//! [worker & active], about one thing.
constexpr host::Terms active(const char* name) { return {name, kActive, host::Role::kWorker, false}; }
//! [worker]: state handles.
constexpr host::Terms worker(const char* name) {
    return {name, host::kAlive, host::Role::kWorker, false};
}
//! [shared]
constexpr host::Terms shared(const char* name, bool takes_batch = false) {
    return {name, host::kAlive, host::Role::kUnset, takes_batch};
}

template <auto Member, typename... Args>
Result<synod_status> ask(host::Instance& instance, const host::Terms& terms, std::uint64_t number,
                         Args... args) {
    return host::call<Member>(instance, terms, number, args...);
}

//! What `fn` makes of a success.
template <typename T, typename E, typename Fn>
std::expected<std::invoke_result_t<Fn>, E> given(const std::expected<T, E>& done, Fn fn) {
    if (!done) {
        return std::unexpected(done.error());
    }
    return fn();
}

using Api = synod_consensus_api;

}  // namespace synod::pipeline
