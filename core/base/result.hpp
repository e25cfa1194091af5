// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Errors are values. Every failure in core travels as Result<T>; no exception leaves a room.

#include <expected>
#include <string>
#include <utility>

namespace synod {

//! What went wrong (message), where, and what a person can do about it (hint). `code` is stable and
//! has the form "area.reason"; tests and operators may rely on it.
struct Error {
    std::string code;
    std::string message;
    std::string where;
    std::string hint;

    //! One line for a log or a terminal: "message [code] at where; hint".
    [[nodiscard]] std::string text() const {
        std::string out = message + " [" + code + "]";
        if (!where.empty()) {
            out += " at " + where;
        }
        if (!hint.empty()) {
            out += "; " + hint;
        }
        return out;
    }
};

template <typename T>
using Result = std::expected<T, Error>;

//! Builds the error side of a Result: `return fail("store.corrupt", "...", where, hint);`
inline std::unexpected<Error> fail(std::string code, std::string message, std::string where = {},
                                   std::string hint = {}) {
    return std::unexpected(
        Error{std::move(code), std::move(message), std::move(where), std::move(hint)});
}

}  // namespace synod
