// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Errors on the plugin's side of the boundary. Inside a plugin a failure is thrown as synod::Failure; guard() turns
//! it, and everything else that is thrown, into a status and the caller's synod_error, so nothing ever unwinds out.
#include <synod/abi.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace synod {

/// What a plugin throws to fail a call. `hint` tells the operator what to do; `where` is a configuration path, an
/// offset or an item index.
class Failure : public std::exception {
public:
    Failure(synod_status status, std::string message, std::string hint = {}, std::string where = {})
        : status_(status), message_(std::move(message)), hint_(std::move(hint)), where_(std::move(where)) {}

    synod_status status() const noexcept { return status_; }
    const char* what() const noexcept override { return message_.c_str(); }
    const std::string& message() const noexcept { return message_; }
    const std::string& hint() const noexcept { return hint_; }
    const std::string& where() const noexcept { return where_; }
    uint32_t subcode = 0;  ///< the plugin's own number for it
    uint32_t retry_ms = 0; ///< for SYNOD_E_BUSY

private:
    synod_status status_;
    std::string message_, hint_, where_;
};

inline synod_str to_str(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view view(synod_str text) noexcept {
    return text.p == nullptr ? std::string_view{} : std::string_view(text.p, static_cast<size_t>(text.n));
}

/// True when the writer of `*object` knew `field`: its size covers it. Never reads the field itself.
template <class S, class M> bool has_field(const S* object, M S::*field) noexcept {
    const auto* base = reinterpret_cast<const unsigned char*>(object);
    const auto* member = reinterpret_cast<const unsigned char*>(&(object->*field));
    return static_cast<size_t>(member - base) + sizeof(M) <= object->size;
}

namespace detail {
/// Copies as much of `text` as fits with its NUL; never cuts inside a UTF-8 sequence.
template <size_t N> void copy_text(char (&out)[N], std::string_view text) noexcept {
    size_t n = text.size() < N ? text.size() : N - 1;
    if (n < text.size()) {
        while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0u) == 0x80u) {
            --n;
        }
    }
    if (n > 0) {
        std::memcpy(out, text.data(), n);
    }
    out[n] = '\0';
}
} // namespace detail

/// Fills the caller's error (NULL allowed) as far as its size reaches. Returns `status`. Any thread.
inline synod_status write_error(synod_error* error, synod_status status, std::string_view message,
                                std::string_view hint = {}, std::string_view where = {}, uint32_t subcode = 0,
                                uint32_t retry_ms = 0) noexcept {
    if (error == nullptr) {
        return status;
    }
    if (has_field(error, &synod_error::code)) {
        error->code = status;
    }
    if (has_field(error, &synod_error::retry_ms)) {
        error->subcode = subcode;
        error->retry_ms = retry_ms;
    }
    if (has_field(error, &synod_error::message)) {
        detail::copy_text(error->message, message);
    }
    if (has_field(error, &synod_error::hint)) {
        detail::copy_text(error->hint, hint);
    }
    if (has_field(error, &synod_error::where)) {
        detail::copy_text(error->where, where);
    }
    return status;
}

/// Runs `fn`, which returns nothing or a synod_status, and turns whatever it throws into a status and a filled error.
/// Every function of every table goes through here.
template <class F> synod_status guard(synod_error* error, F&& fn) noexcept {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::forward<F>(fn)();
            return SYNOD_OK;
        } else {
            return std::forward<F>(fn)();
        }
    } catch (const Failure& failure) {
        // A "failure" with a success status would be read as success by the host.
        const synod_status status = failure.status() < 0 ? failure.status() : SYNOD_E_INTERNAL;
        return write_error(error, status, failure.message(), failure.hint(), failure.where(), failure.subcode,
                           failure.retry_ms);
    } catch (const std::bad_alloc&) {
        return write_error(error, SYNOD_E_NO_MEMORY, "out of memory", "give the node more memory or lower its limits");
    } catch (const std::exception& e) {
        return write_error(error, SYNOD_E_INTERNAL, e.what(), "report this to the plugin's author");
    } catch (...) {
        return write_error(error, SYNOD_E_INTERNAL, "unknown exception", "report this to the plugin's author");
    }
}

} // namespace synod
