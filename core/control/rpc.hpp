// SPDX-License-Identifier: Apache-2.0
#pragma once
//! JSON-RPC 2.0 (www.jsonrpc.org/specification) as pure functions: text in, calls out; results in,
//! text out. No sockets, no clock; any thread. Input is hostile: every size is bounded.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace synod::control {

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kNodeError = -32000;  //!< data holds the node's own error

//! One request of a batch, or the reason why it is none.
struct RpcCall {
    std::optional<std::string> id;  //!< JSON text; nothing for a notification
    std::string method;
    std::string params = "{}";    //!< JSON text of an object or an array
    std::optional<Error> refused;  //!< control.invalid_request
};

struct RpcRequest {
    bool batch = false;
    std::vector<RpcCall> calls;  //!< 1 to kMaxBatch
};

//! Errors: control.parse_failed, control.invalid_request (not an object or array, an empty or too
//! long batch). A single bad call of a batch is marked `refused` instead.
Result<RpcRequest> parse_request(std::string_view body);

//! The response object of one call. `id` is JSON text. A result that is not JSON within the limits
//! becomes control.bad_result.
std::string encode_response(const std::string& id, const Result<std::string>& result);
//! The response object for an error alone; text that is not UTF-8 is made so.
std::string encode_error(const std::string& id, const Error& error);

//! A single call with id 1, for the client. Precondition: `params_json` is JSON, or empty for none.
std::string encode_call(const std::string& method, const std::string& params_json);
//! The `result` of the single response `body` as JSON text, or its error as the synod::Error that
//! the server was given. Errors of its own: control.bad_reply.
Result<std::string> parse_response(std::string_view body);

//! Whether it is JSON of at most `depth` nested arrays and objects.
bool is_json(std::string_view text, std::size_t depth);

}  // namespace synod::control
